"""A website whose visitors the platform tells of: signed posts, each repeated until it is taken.

What is told of one visitor goes out in the order in which it is due, over one lane; so what was
told first came in first.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests

from simulators.platform.sender import SHAPES
from simulators.platform.signatures import headers

Json = dict[str, Any]
LANES = 4
AT_ONCE = 20
BODIES = ("array", "events", "ndjson")
RETRIES = (0.2, 0.5, 1.0, 2.0, 3.0)  # seconds; the last one again and again
TIMEOUT = 5.0
TAKEN = 2  # hundred and something
PUT_OFF = {0, 503}  # no answer, or "try again"


@dataclass(frozen=True)
class Post:
    """One attempt to deliver events, in epoch seconds and milliseconds."""

    at: float
    ms: float
    status: int
    events: tuple[Json, ...]


@dataclass
class Site:
    """Sends over a few lanes at once; `posts` are the attempts in the order of their answers.

    `told` is what was to be told, again and again where it was.
    """

    url: str
    secret: str
    posts: list[Post] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._due: list[list[tuple[float, int, Json]]] = [[] for _ in range(LANES)]
        self.told: list[Json] = []
        self._waiting = 0
        self._judged = 0

    def open(self) -> None:
        """Begin to send."""
        for number in range(LANES):
            threading.Thread(target=self._send, args=(number,), daemon=True).start()

    def close(self) -> None:
        """Send no more."""
        self._over.set()

    def tell(self, visitor: int, event: Json, late: float = 0.0) -> None:
        """Have an event of a visitor sent, some seconds late."""
        with self._changed:
            self.told.append(event)
            self._waiting += 1
            row = (time.monotonic() + late, len(self.told), event)
            heapq.heappush(self._due[visitor % LANES], row)

    @property
    def waiting(self) -> int:
        """How many events were not taken yet."""
        return self._waiting

    def acked(self) -> list[Json]:
        """Return the events that were taken, each once, in the order in which they were."""
        found: dict[tuple[str, str], Json] = {}
        for post in list(self.posts):
            if post.status // 100 == TAKEN:
                for event in post.events:
                    found.setdefault(key(event), event)
        return list(found.values())

    def odd(self) -> Counter[int]:
        """Return the answers since the last time that were neither 2xx nor 503 nor silence."""
        posts = list(self.posts)
        statuses = [post.status for post in posts[self._judged :]]
        self._judged = len(posts)
        return Counter(one for one in statuses if one // 100 != TAKEN and one not in PUT_OFF)

    def _send(self, lane: int) -> None:
        session = requests.Session()
        session.trust_env = False
        number = 0
        while not self._over.is_set():
            some = self._next(lane)
            if not some:
                self._over.wait(0.05)
                continue
            number += 1
            body = SHAPES[BODIES[number % len(BODIES)]](some)
            self._deliver(session, (f"msg_{lane}_{number}", body), tuple(some))
            with self._changed:
                self._waiting -= len(some)

    def _next(self, lane: int) -> list[Json]:
        """Take what is due from a lane."""
        due, now = self._due[lane], time.monotonic()
        found: list[Json] = []
        with self._changed:
            while due and due[0][0] <= now and len(found) < AT_ONCE:
                found.append(heapq.heappop(due)[2])
        return found

    def _deliver(
        self, session: requests.Session, message: tuple[str, bytes], events: tuple[Json, ...]
    ) -> None:
        """Post until it is taken: the id stays, the time is that of the attempt."""
        attempt = 0
        while not self._over.is_set():
            post = self._post(session, message, events)
            self.posts.append(post)
            if post.status // 100 == TAKEN:
                return
            self._over.wait(RETRIES[min(attempt, len(RETRIES) - 1)])
            attempt += 1

    def _post(
        self, session: requests.Session, message: tuple[str, bytes], events: tuple[Json, ...]
    ) -> Post:
        name, body = message
        began = time.time()
        signed = headers([self.secret], name, began, body)
        try:
            status = session.post(self.url, data=body, headers=signed, timeout=TIMEOUT).status_code
        except requests.RequestException:
            status = 0
        return Post(began, round((time.time() - began) * 1000, 1), status, events)


def key(event: Json) -> tuple[str, str]:
    """Tell one event from another: no two happen in one millisecond."""
    return event["type"], event["occurred_at"]
