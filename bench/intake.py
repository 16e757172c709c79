"""What a durable webhook costs: against routes of the same server that do nothing, and its tail."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.house import House, connect, housed, wait_for
from bench.memory import peaks
from bench.server import BARE, NOOP
from connector.pipeline.services import Services
from connector.store import tables as t

BAR_RATIO, BAR_NOOP_PER_S = 0.5, 3000
BAR_P99_MS = 100
RATE = 200
SENDERS = 10  # connections of the open loop, as many as HubSpot opens to one app
ROUTES = {"noop": NOOP, "bare": BARE}
MOST_PER_S = {"noop": 14_000, "bare": 18_000, "intake": 7_000}
DRAINED_WITHIN = 300.0


def ratio(
    folder: Path, *, pairs: int = 5, seconds: float = 4.0, events: int = 10, connections: int = 16
) -> dict[str, Any]:
    """Return requests per second of intake and of no-op routes, in back-to-back pairs."""
    with housed(folder / f"ratio{events}") as house:
        house.start_valkey()
        services = house.services()
        connect(services)
        house.start("bench.server")
        house.wait_until_up()
        runs = _Runs(house, {"events": events, "connections": connections}, seconds)
        runs.take("intake", seconds / 4)  # threads, caches and the file are warm then
        rows = [_pair(runs, number) for number in range(pairs)]
        stored = _stored(services)
        told = {
            "events_a_request": events,
            "connections": connections,
            "web_workers": house.settings.web_workers,
            "pairs": rows,
            "ratio": _median(row["ratio"] for row in rows),
            "ratio_to_bare": _median(row["ratio_to_bare"] for row in rows),
            "noop_per_s": _median(row["noop"]["per_s"] for row in rows),
            "bare_per_s": _median(row["bare"]["per_s"] for row in rows),
            "intake_per_s": _median(row["intake"]["per_s"] for row in rows),
            "intake_p99_ms": _median(row["intake"]["latency_ms"]["99"] for row in rows),
            "acknowledged": runs.acknowledged,
            "stored": stored,
            "lost": runs.acknowledged - stored,
        }
        services.store.database.close()
        return told


class _Runs:
    """Runs of the load generator, none of which sends an event that another has sent."""

    def __init__(self, house: House, plan: dict[str, int], seconds: float) -> None:
        self._house = house
        self._plan = plan
        self._seconds = seconds
        self._first = 0
        self.acknowledged = 0

    def take(self, name: str, seconds: float = 0.0) -> dict[str, Any]:
        """Run one route for a while; raise where it answers anything but 204."""
        seconds = seconds or self._seconds
        most = int(MOST_PER_S[name] * seconds)
        path = {"path": ROUTES[name]} if name in ROUTES else {}
        told = self._house.send(**self._plan, **path, seconds=seconds, most=most, first=self._first)
        if set(told["answers"]) != {"204"} or told["unanswered"]:
            raise RuntimeError(f"{name}: {told['answers']}, {told['unanswered']} unanswered")
        self._first += most * self._plan["events"]
        if name == "intake":
            self.acknowledged += told["answers"]["204"]
        return told


def _pair(runs: _Runs, number: int) -> dict[str, Any]:
    """Run the routes one right after the other; every other time the other way round."""
    order = ("noop", "intake", "bare")
    row: dict[str, Any] = {name: runs.take(name) for name in order[:: -1 if number % 2 else 1]}
    own = row["intake"]["per_s"]
    row["ratio"] = round(own / row["noop"]["per_s"], 3)
    row["ratio_to_bare"] = round(own / row["bare"]["per_s"], 3)
    return row


def _median(values: Any) -> float:
    return round(float(statistics.median(values)), 3)


def tail(
    folder: Path, *, seconds: float = 20.0, rate: float = RATE, events: int = 10
) -> dict[str, Any]:
    """Return latencies at a steady rate while the workers drain what comes in."""
    with housed(folder / "tail") as house:
        up = house.start("connector", "up")
        house.wait_until_up()
        services = house.services()
        connect(services)
        plan = {"events": events, "connections": SENDERS, "rate": rate}
        warm = int(rate)
        first = house.send(**plan, most=warm)
        told = house.send(**plan, most=int(rate * seconds), first=warm * events)
        behind = _pending(services)
        ended = time.monotonic()
        wait_for(lambda: _pending(services) == 0, "the drain", DRAINED_WITHIN)
        told |= {
            "rate": rate,
            "events_a_request": events,
            "connections": SENDERS,
            "events_waiting_at_the_end": behind,
            "drained_after_s": round(time.monotonic() - ended, 2),
            "lost": _lost(services, [first, told], events),
            "memory_mb": peaks(up.pid),
        }
        services.store.database.close()
        return told


def _lost(services: Services, runs: list[dict[str, Any]], events: int) -> int:
    """Count acknowledged events that were not worked off."""
    acknowledged = sum(run["answers"].get("204", 0) for run in runs)
    with services.store.reading() as unit:
        done = select(func.count()).where(t.event.c.state == "done")
        return int(acknowledged * events) - int(unit.tx.execute(done).scalar_one())


def _stored(services: Services) -> int:
    with services.store.reading() as unit:
        query = select(func.count()).select_from(t.delivery)
        return int(unit.tx.execute(query).scalar_one())


def _pending(services: Services) -> int:
    """Count what waits: events, and deliveries that are not split yet."""
    with services.store.reading() as unit:
        return unit.inbox_backlog().pending
