"""From the mark of a Customer to the last new score on a record in the CRM."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.house import ACCOUNT, SECRET, connect_twin, housed, wait_for, webhook_path
from bench.lanes import rest
from connector.pipeline.backfilling import backfill
from connector.pipeline.hooking import Keys, hook
from connector.pipeline.importing import import_journeys
from connector.pipeline.services import Services
from simulators.hubspot.client import Control

BAR_S = 60.0
CUSTOMERS = 5  # with the last of them there is a model, and everybody gets a first score
EVENTS = 5  # of each profile
MOSTLY = 0.8  # the keen are keen
SCORE = "bnb_lead_score"
WITHIN = 600.0
LOOKS = 3  # a second apart: what is learned has everybody scored in a transaction of its own
PAGES = ("/", "/blog/a", "/docs/b", "/about", "/careers")
KEEN = ("/pricing", "/demo", "/contact", "/customers/x", "/pricing")


def measure(folder: Path, *, contacts: int = 10_000) -> dict[str, Any]:
    """Return how long a mark took to reach everybody's record, at HubSpot's usual limit."""
    with housed(folder / "marked") as house:
        twin = house.start_twin(client_secret=SECRET)
        services = house.services()
        made = connect_twin(services, twin.url)
        twin.ask("PUT", "settings", {"target": f"{house.url}{webhook_path(made.id)}"})
        ids = twin.seed(records=[_record(number) for number in range(contacts)])
        backfill(services, made.id, lambda *_: None)
        imported = _history(services, contacts)
        house.start("connector", "up")
        house.wait_until_up()
        rest(services, WITHIN)
        buyers = ids[: 2 * CUSTOMERS : 2]
        for one in buyers[:-1]:
            _mark(twin, one)
        _wait_for_quiet(services)
        told = _timed(services, twin, buyers[-1], set(ids) - set(buyers))
        services.store.database.close()
        return {"contacts": contacts, "events": imported, **told}


def _record(number: int) -> dict[str, Any]:
    return {"properties": {"email": f"p{number}@example.com", "lifecyclestage": "lead"}}


def _history(services: Services, contacts: int) -> int:
    """Take in what everybody did over two months."""
    site, _ = hook(services, ACCOUNT, Keys("whsec_" + "A" * 43 + "=", "token"), rotate=False)
    lines = (json.dumps(one) for number in range(contacts) for one in _events(number))
    return import_journeys(services, site, lines, lambda _count: None).events


def _events(number: int) -> Iterator[dict[str, Any]]:
    """Yield somebody's events: every other one is keen, most of the time."""
    chance = random.Random(number)
    keen = number % 2 == 0 and chance.random() < MOSTLY
    first = datetime.now(UTC) - timedelta(days=chance.uniform(20, 60))
    who = {"device_id": f"{number:024x}", "email": f"p{number}@example.com", "state": "verified"}
    for step in range(EVENTS):
        at = first + timedelta(days=step * chance.uniform(0.1, 4))
        page = (KEEN if keen and step % 2 else PAGES)[step]
        yield {
            "id": f"evt_{number}_{step}",
            "type": "page_view" if step else "verified_conversion",
            "occurred_at": at.isoformat(),
            "visitor": who,
            "page": {"url": f"https://www.example.com{page}"},
        }


def _mark(twin: Control, contact: str) -> None:
    stage = {"lifecyclestage": "customer"}
    twin.ask("POST", "edit", {"id": contact, "properties": stage})


def _wait_for_quiet(services: Services) -> None:
    """Wait until nothing is learned, scored or written, and nothing has followed from that."""

    def is_quiet() -> bool:
        with services.store.reading() as unit:
            ages = unit.models.ages(None)
        return ages.wanted_at is None and not ages.due

    looks = 0
    while looks < LOOKS:
        wait_for(is_quiet, "an end of learning", WITHIN)
        rest(services, WITHIN)
        time.sleep(1.0)
        looks = looks + 1 if is_quiet() else 0


def _timed(services: Services, twin: Control, contact: str, others: set[str]) -> dict[str, Any]:
    before, began = len(twin.calls()), time.time()
    _mark(twin, contact)
    _wait_for_quiet(services)
    ended = time.time()
    written = {one: at for one, at in _scored(twin, began).items() if one in others}
    with services.store.reading() as unit:
        told = unit.models.training(ACCOUNT)
        row = unit.models.serving(ACCOUNT)
    began_at, ended_at = told.started_at, told.ended_at
    learned = (ended_at - began_at).total_seconds() if began_at and ended_at else 0.0
    return {
        "wanted": len(others),
        "scored": len(written),
        "seconds": round(max(written.values(), default=ended) - began, 2),
        "until_quiet_s": round(ended - began, 2),
        "training_s": round(learned, 2),
        "calls": len(twin.calls()) - before,
        "state": row.score_state if row else "",
    }


def _scored(twin: Control, since: float) -> dict[str, float]:
    """Return when each contact was last given a score since then."""
    rows = (row for row in twin.writes() if row["property"] == SCORE and row["value"])
    return {row["id"]: row["at"] / 1000 for row in rows if row["at"] / 1000 >= since}
