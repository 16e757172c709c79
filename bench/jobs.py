"""Working events off: one drain job for many, against one RQ job for each."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench.events import body, journeys
from bench.house import ACCOUNT, CONNECTION, House, connect, end, housed, wait_for
from connector import bootstrap
from connector.pipeline import drain as pipeline
from connector.pipeline.services import Services
from connector.pipeline.split import split
from connector.stored import Parcel

BAR = 20
QUEUE = "bench"
A_DELIVERY = 100
STAGES_EACH = 5
WITHIN = 300.0


def compare(folder: Path, *, events: int = 10_000, jobs: int = 300) -> dict[str, Any]:
    """Return events per second of the product's worker and of RQ workers with a job per event."""
    told: dict[str, Any] = {"drain": _measure(folder / "drain", events, ("connector", "worker"))}
    for name, kind in (("rq_fork", "Worker"), ("rq_simple", "SimpleWorker")):
        told[name] = _measure(folder / name, jobs, ("bench.rqworker", kind))
    per_s = {name: row["events_per_s"] for name, row in told.items()}
    return told | {
        "times_rq_fork": round(per_s["drain"] / per_s["rq_fork"], 1),
        "times_rq_simple": round(per_s["drain"] / per_s["rq_simple"], 1),
        "lost": sum(row["left"] for row in told.values()),
    }


def _measure(folder: Path, events: int, worker: tuple[str, ...]) -> dict[str, Any]:
    """Have one worker process work off events that are split; from its first to its last."""
    with housed(folder) as house:
        house.start_valkey()
        services = house.services()
        connect(services)
        fill(services, events)
        if worker[0] != "connector":
            enqueue(house, events)
        process = house.start(*worker)
        wait_for(lambda: left(services) < events, "the first event")
        began, first = time.perf_counter(), left(services)
        wait_for(lambda: left(services) == 0, "the last event", WITHIN)
        seconds = time.perf_counter() - began
        end(process)
        told = {
            "events": events,
            "events_per_s": round(first / max(seconds, 1e-6), 1),
            "seconds": round(seconds, 3),
            "left": left(services),
        }
        services.store.database.close()
        return told


def fill(services: Services, events: int) -> None:
    """Put events into the inbox, split, and nobody woken."""
    quiet = replace(services, wake=lambda *_: True)
    changes = journeys(0, max(events // STAGES_EACH, 1))
    while some := list(itertools.islice(changes, min(A_DELIVERY, events))):
        events -= len(some)
        own = (ACCOUNT, CONNECTION)
        quiet.store.keep(Parcel("hubspot", own, body(some), quiet.now(), "bench"))
        if not events:
            break
    split(quiet)


def enqueue(house: House, jobs: int) -> None:
    """Put one job for each event into RQ's queue; that takes time too, which is not counted."""
    with Redis.from_url(house.settings.redis_url) as redis:
        queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        for _ in range(jobs):
            queue.enqueue_call("bench.jobs.one", timeout=60, result_ttl=0)


def one() -> None:
    """Work the next event off: what an RQ job per event runs, through the same function."""
    own = bootstrap.services()
    pipeline.AT_ONCE = 1
    alone = replace(own, wake=lambda job, key: job == "drain" or own.wake(job, key))
    pipeline.drain(alone, ACCOUNT, timedelta(microseconds=1))


def left(services: Services) -> int:
    """Count the events that wait."""
    with services.store.reading() as unit:
        return unit.inbox_backlog().pending
