"""Calls to the CRM that it takes to push changed values, counted by the twin."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.events import Change, body
from bench.house import SECRET, connect_twin, housed, webhook_path
from bench.lanes import rest
from bench.load import Plan
from bench.load import run as send
from connector.pipeline.backfilling import backfill
from simulators.hubspot.client import Control

BAR = 1.05
BATCH = 100
LIMIT = 1000  # calls in ten seconds: the number of calls is looked at, not how long they take
WITHIN = 300.0
UPDATE = "/batch/update"
MQL = 6


def count(folder: Path, *, contacts: int = 10_000) -> dict[str, Any]:
    """Return how many write calls two changes of all contacts took: a backfill and an import."""
    with housed(folder / "writes") as house:
        twin = house.start_twin(limit=LIMIT, client_secret=SECRET)
        house.start("connector", "up")
        house.wait_until_up()
        services = house.services()
        made = connect_twin(services, twin.url)
        ids = twin.seed(count=contacts, properties={"lifecyclestage": "lead"})
        backfill(services, made.id, lambda *_: None)
        rest(services, WITHIN)
        first = _calls(twin)
        path = webhook_path(made.id)
        ready = [house.request(path, body(some)) for some in _changes(ids)]
        seen = send(Plan(*house.address, path, SECRET, connections=4, seconds=60.0), ready)
        rest(services, WITHIN)
        both = _calls(twin)
        told = {
            "contacts": contacts,
            "backfill": _row(contacts, first),
            "import": _row(contacts, both - first),
            "answers": {str(status): number for status, number in seen.statuses.items()},
            "lost": contacts - _shown(twin),
        }
        services.store.database.close()
        return told


def _row(contacts: int, calls: Counter[str]) -> dict[str, Any]:
    least = math.ceil(contacts / BATCH)
    written = sum(number for path, number in calls.items() if path.endswith(UPDATE))
    return {
        "write_calls": written,
        "least": least,
        "ratio": round(written / least, 3),
        "all_calls": calls.total(),
    }


def _calls(twin: Control) -> Counter[str]:
    return Counter(call["path"] for call in twin.calls())


def _changes(ids: Sequence[str]) -> Iterator[list[Change]]:
    at = int(time.time() * 1000)
    changes = (
        Change(number, int(one), "lifecyclestage", "marketingqualifiedlead", at, "IMPORT")
        for number, one in enumerate(ids)
    )
    while some := list(itertools.islice(changes, BATCH)):
        yield some


def _shown(twin: Control) -> int:
    """Count the contacts on which the twin was last told the slot of an MQL."""
    last = {row["id"]: row["value"] for row in twin.writes() if row["property"] == "bnb_lead_slot"}
    return sum(value == str(MQL) for value in last.values())
