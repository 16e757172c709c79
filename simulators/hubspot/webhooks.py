"""The webhook sender: collects events, signs, posts up to 100 at a time, retries (1.3)."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

from . import signatures
from .faults import WEBHOOK_FAULTS, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .config import Config
    from .shapes import Json

MOST_EVENTS = 100
SUCCESS = 2


@dataclass(order=True)
class Batch:
    """Some events on their way, and when they are due (monotonic seconds)."""

    due: float
    number: int
    events: list[Json] = field(compare=False)
    attempt: int = field(default=0, compare=False)
    forged: bool = field(default=False, compare=False)


class Sender:
    """Sends the events of one app to its one target URL."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.faults = Faults(WEBHOOK_FAULTS)
        self._wake = threading.Condition()
        self._http = _session(config.concurrency)
        self._numbers = itertools.count(1)
        self._workers: list[threading.Thread] = []
        self._stopped = False
        self._held: list[Json] | None = None
        self._clear()

    def _clear(self) -> None:
        self._fresh: list[Json] = []
        self._collected_at = 0.0
        self._queue: list[Batch] = []
        self._busy = 0
        self.paused = False
        self.events: list[Json] = []
        self.deliveries: list[Json] = []

    def reset(self) -> None:
        """Forget every event, sent or not."""
        with self._wake:
            busy = self._busy
            self._clear()
            self._busy = busy
            self.faults.clear()

    def tell(self, event: Json) -> None:
        """Take an event to be sent; without a target it is only remembered."""
        with self._wake:
            self.events.append(event)
            if self._held is not None:
                self._held.append(event)
            elif self.config.target:
                self._collect([event])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep the events of one change in one collection; the caller holds the portal."""
        self._held = []
        try:
            yield
        finally:
            with self._wake:
                held, self._held = self._held, None
                if held and self.config.target:
                    self._collect(held)

    def _collect(self, events: list[Json]) -> None:
        if not self._fresh:
            self._collected_at = time.monotonic() + self.config.collect_seconds
            self._start_workers()
            self._wake.notify_all()
        self._fresh.extend(events)

    def resend(self, since: int) -> int:
        """Send again every event that occurred at or after a moment."""
        with self._wake:
            again = [event for event in self.events if event["occurredAt"] >= since]
            self._collect(again)
            return len(again)

    def pause(self) -> None:
        """Hold everything back; nothing is lost."""
        with self._wake:
            self.paused = True

    def resume(self) -> None:
        """Send again what was held back."""
        with self._wake:
            self.paused = False
            self._wake.notify_all()

    def waiting(self) -> int:
        """Return how many events are still to be sent or being sent."""
        with self._wake:
            queued = sum(len(batch.events) for batch in self._queue)
            return len(self._fresh) + queued + self._busy

    def stop(self) -> None:
        """End the workers and close the connections."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        for worker in self._workers:
            worker.join(timeout=self.config.webhook_timeout + 1)
        self._http.close()

    def _start_workers(self) -> None:
        # As many deliveries at once as the app's maxConcurrentRequests (section 1.3).
        while len(self._workers) < self.config.concurrency:
            worker = threading.Thread(target=self._work, daemon=True, name="webhook-sender")
            self._workers.append(worker)
            worker.start()

    def _work(self) -> None:
        while True:
            batch = self._next()
            if batch is None:
                return
            try:
                self._deliver(batch)
            finally:
                with self._wake:
                    self._busy -= len(batch.events)

    def _next(self) -> Batch | None:
        with self._wake:
            while not self._stopped:
                now = time.monotonic()
                if not self.paused:
                    self._chop(now)
                    if self._queue and self._queue[0].due <= now:
                        batch = heapq.heappop(self._queue)
                        self._busy += len(batch.events)
                        return batch
                self._wake.wait(self._pause_length(now))
        return None

    def _pause_length(self, now: float) -> float:
        times = [batch.due for batch in self._queue[:1]]
        if self._fresh:
            times.append(self._collected_at)
        if self.paused or not times:
            return 5.0
        return max(min(times) - now, 0.001)

    def _chop(self, now: float) -> None:
        if not self._fresh or self._collected_at > now:
            return
        fresh, self._fresh = self._fresh, []
        size = MOST_EVENTS
        reorder = self.faults.take(_names(fresh), among={"reorder"})
        if reorder:
            fresh.reverse()
            size = 1 if reorder.more.get("split") else MOST_EVENTS
        for start in range(0, len(fresh), size):
            self._enqueue(fresh[start : start + size], now)
        self._wake.notify_all()

    def _enqueue(self, events: list[Json], now: float) -> None:
        fault = self.faults.take(_names(events), among=WEBHOOK_FAULTS.keys() - {"reorder"})
        do = fault.do if fault else ""
        if do == "drop":
            self.deliveries.append(_told(events, 0, "dropped", 0, 0.0))
            return
        wait = float(fault.more.get("seconds", 1)) if fault and do == "delay" else 0.0
        for _ in range(2 if do == "duplicate" else 1):
            batch = Batch(now + wait, next(self._numbers), events, forged=do == "bad_signature")
            heapq.heappush(self._queue, batch)

    def _deliver(self, batch: Batch) -> None:
        started = time.perf_counter()
        status, error = self._post(batch)
        taken = (time.perf_counter() - started) * 1000
        with self._wake:
            self.deliveries.append(_told(batch.events, batch.attempt, error, status, taken))
            if status // 100 != SUCCESS:
                self._retry(batch)

    def _retry(self, batch: Batch) -> None:
        # Any 4xx or 5xx, a timeout or no connection: up to ten more times (section 1.3).
        if batch.attempt >= min(len(self.config.retry_delays), 10):
            return
        due = time.monotonic() + self.config.retry_delays[batch.attempt]
        again = Batch(due, next(self._numbers), batch.events, batch.attempt + 1)
        heapq.heappush(self._queue, again)
        self._wake.notify_all()

    def _post(self, batch: Batch) -> tuple[int, str]:
        if self.config.target_down:
            return 0, "connection refused"
        events = [{**event, "attemptNumber": batch.attempt} for event in batch.events]
        body = json.dumps(events, separators=(",", ":")).encode()
        try:
            reply = self._http.post(
                self.config.target,
                data=body,
                headers=self._headers(body, forged=batch.forged),
                timeout=self.config.webhook_timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return 0, type(error).__name__
        return reply.status_code, ""

    def _headers(self, body: bytes, *, forged: bool) -> dict[str, str]:
        config = self.config
        secret = "forged" if forged else config.client_secret
        headers = {"Content-Type": "application/json", "User-Agent": "HubSpot Webhooks"}
        if "v1" in config.signatures:
            headers["X-HubSpot-Signature"] = signatures.v1(secret, body)
            headers["X-HubSpot-Signature-Version"] = "v1"
        if "v3" in config.signatures:
            stamp = str(time.time_ns() // 1_000_000 + config.signature_offset_ms)
            uri = config.signed_url or config.target
            headers["X-HubSpot-Request-Timestamp"] = stamp
            headers["X-HubSpot-Signature-v3"] = signatures.v3(secret, "POST", uri, body, stamp)
        return headers


def _session(concurrency: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http", HTTPAdapter(pool_maxsize=concurrency))
    return session


def _names(events: list[Json]) -> str:
    return " ".join(f"{one['subscriptionType']}/{one.get('propertyName', '')}" for one in events)


def _told(events: list[Json], attempt: int, error: str, status: int, taken: float) -> Json:
    return {
        "at": time.time_ns() // 1_000_000,
        "attempt": attempt,
        "status": status,
        "error": error,
        "ms": round(taken, 2),
        "events": events,
    }
