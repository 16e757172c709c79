"""Where the time goes: the hot path under cProfile, in one process."""

from __future__ import annotations

import cProfile
import io
import itertools
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.test import EnvironBuilder

from bench.events import body, journeys, sign
from bench.house import ACCOUNT, SECRET, House, connect, housed, webhook_path
from bench.jobs import fill
from connector.app import make_app
from connector.pipeline.drain import drain
from connector.pipeline.services import Services
from connector.pipeline.split import split

MOST = 20  # functions shown
A_DELIVERY = 10
PACKAGES = ("site-packages/", "python3", "connector/", "webhooks/")


def measure(folder: Path, *, events: int = 5000) -> dict[str, Any]:
    """Return the functions that cost most of their own time in intake, split and drain."""
    with housed(folder / "profile") as house:
        house.start_valkey()
        services = house.services()
        connect(services)
        told = {"intake": _profile(_intake(house, services, events), events)}
        told["split"] = _profile(lambda: split(services), events)
        drain(services, ACCOUNT)
        fill(services, events)  # the second events of known people
        told["drain"] = _profile(lambda: drain(services, ACCOUNT), events)
        services.store.database.close()
        return {"events": events, **told}


def _intake(house: House, services: Services, events: int) -> Callable[[], None]:
    """Return calls of the app with signed deliveries, as granian makes them."""
    app = make_app(services, house.settings)
    changes = journeys(10_000_000, max(events // 5, 1))
    environs = []
    for _ in range(max(events // A_DELIVERY, 1)):
        content = body(list(itertools.islice(changes, A_DELIVERY)))
        stamp = str(int(services.now().timestamp() * 1000))
        url = f"{house.url}{webhook_path()}"
        headers = {
            "X-HubSpot-Request-Timestamp": stamp,
            "X-HubSpot-Signature-v3": sign(SECRET, url, content, stamp),
        }
        builder = EnvironBuilder(
            path=webhook_path(), method="POST", data=content, headers=list(headers.items())
        )
        environs.append(builder.get_environ())

    def call() -> None:
        for environ in environs:
            for _ in app.wsgi_app(environ, _must_be_good):
                pass

    return call


def _must_be_good(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
    if not status.startswith("204"):
        raise RuntimeError(status)
    return io.BytesIO().write


def _profile(work: Callable[[], object], events: int) -> dict[str, Any]:
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    stats = pstats.Stats(profile)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]
    return {
        "us_an_event": round(stats.total_tt / events * 1e6, 1),  # type: ignore[attr-defined]
        "top": [
            {
                "function": _where(*place),
                "calls_an_event": round(calls / events, 2),
                "own_us": round(own / events * 1e6, 1),
                "with_below_us": round(below / events * 1e6, 1),
            }
            for place, (_, calls, own, below, _) in rows[:MOST]
        ],
    }


def _where(path: str, line: int, name: str) -> str:
    """Name a function without the folders of this machine."""
    if path == "~":
        return name
    for mark in PACKAGES:
        _, found, rest = path.rpartition(mark)
        if found:
            short = rest if mark == "site-packages/" else f"{mark.strip('/')}/{rest}"
            return f"{short.removeprefix('python3/')}:{line} {name}"
    return f"{Path(path).name}:{line} {name}"
