"""Journeys: intake, identity, day buckets and fifty rules, as the history grows."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from bench.house import House, housed
from bench.load import Plan
from bench.load import run as send
from bench.memory import peaks, processor, resident
from bench.visitors import events as make
from bench.visitors import request, rules, soon
from connector.pipeline.services import Services
from connector.store import tables as t

BAR_PER_S = 3000
FLAT = 1.5  # what an event at the end may cost, as a multiple of one at the beginning
A_REQUEST = 500
PIECES = 10  # of the curve
RULES = 50
LOOK_EVERY = 0.2


def measure(
    folder: Path, *, events: int = 100_000, visitors: int = 0, within: float = 3600.0
) -> dict[str, Any]:
    """Return events a second from the first request to the last rule judged."""
    visitors = visitors or max(events // 10, 1)
    with housed(folder / "journeys") as house:
        up = house.start("connector", "up")
        house.wait_until_up()
        office = _Office(house)
        for rule in rules(RULES):
            office.post("rules", rule)
        services = house.services()
        curve, memory, until = [], [], soon()
        for place in range(PIECES):
            part = range(place * events // PIECES, (place + 1) * events // PIECES)
            history = make(part, events, visitors, until)
            before = processor(up.pid)
            piece = _piece(services, office, history, part, within)
            taken = (processor(up.pid) - before) / len(part) * 1e6
            curve.append({**piece, "cpu_us": round(taken, 1)})
            memory.append(resident(up.pid))
        told = {
            "events": events,
            "visitors": visitors,
            "rules": RULES,
            "events_a_request": A_REQUEST,
            "pieces": curve,
            "per_s": round(events / sum(one["seconds"] for one in curve)),
            "last_vs_first": round(curve[-1]["us"] / curve[0]["us"], 2),
            "last_vs_first_cpu": round(curve[-1]["cpu_us"] / curve[0]["cpu_us"], 2),
            "resident_mb": memory,
            "memory_mb": peaks(up.pid),
            "moved_by_rules": _moved(services),
            "lost": events - _kept(services),
        }
        services.store.database.close()
        return told


class _Office:
    """An account with a connection to the platform, made by the product's own commands."""

    def __init__(self, house: House) -> None:
        self._house = house
        account = self._run("account", "create", "bench")
        self._token = account["api_token"]
        made = self._run("connect", "platform", "--account", account["account_id"])
        self._secret = made["secret"]
        self.path = "/" + made["webhook_url"].split("/", 3)[3]

    def _run(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "connector", *words, "--json"],
            env=self._house._environment(),  # noqa: SLF001 - the house is this package's own
            capture_output=True,
            check=True,
            timeout=60,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Post to the API; raise where it is refused."""
        reply = requests.post(
            f"{self._house.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=30,
        )
        reply.raise_for_status()

    def requests(self, told: Iterator[Any]) -> list[bytes]:
        """Return signed requests with so many events each."""
        found = []
        while some := list(itertools.islice(told, A_REQUEST)):
            found.append(request(self._house.address, self.path, self._secret, some))
        return found

    def send(self, ready: list[bytes]) -> dict[int, int]:
        """Send requests one after the other on four connections; return the answers."""
        plan = Plan(*self._house.address, self.path, "", connections=4, seconds=3600.0)
        return dict(send(plan, ready).statuses)


def _piece(
    services: Services,
    office: _Office,
    history: Iterator[Any],
    part: range,
    within: float,
) -> dict[str, Any]:
    """Send a part of the history and wait until it is worked off; making it is not counted."""
    count = len(part)
    ready = office.requests(history)
    began = time.perf_counter()
    answers: dict[int, int] = {}
    sender = threading.Thread(target=lambda: answers.update(office.send(ready)))
    sender.start()
    sender.join()
    acknowledged = time.perf_counter() - began
    while waits(services):
        if time.perf_counter() - began > within:
            raise TimeoutError(f"{count} journey events: not within {within:g} s")
        time.sleep(LOOK_EVERY)
    seconds = time.perf_counter() - began
    if set(answers) != {202}:
        raise RuntimeError(f"answers: {answers}")
    return {
        "events": part.stop,
        "seconds": round(seconds, 2),
        "acknowledged_s": round(acknowledged, 2),
        "us": round(seconds / count * 1e6, 1),
    }


def waits(services: Services) -> bool:
    """Say whether a delivery or a journey event waits."""
    with services.store.reading() as unit:
        pending = select(t.delivery.c.id).where(t.delivery.c.state == "pending").limit(1)
        nobody_s = select(t.journey.c.id).where(t.journey.c.profile_id.is_(None)).limit(1)
        return any(unit.tx.execute(query).first() for query in (pending, nobody_s))


def _kept(services: Services) -> int:
    with services.store.reading() as unit:
        return int(unit.tx.execute(select(func.count()).select_from(t.journey)).scalar_one())


def _moved(services: Services) -> int:
    with services.store.reading() as unit:
        query = select(func.count()).where(t.move.c.actor == "rule")
        return int(unit.tx.execute(query).scalar_one())
