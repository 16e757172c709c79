"""Lanes: an import floods the inbox and the CRM while a rep edits single contacts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.events import Change, body
from bench.house import ACCOUNT, SECRET, House, connect_twin, housed, webhook_path
from bench.lanes import left, rest
from bench.load import Plan, percentiles
from bench.load import run as send
from connector.pipeline.backfilling import backfill
from connector.pipeline.services import Services
from simulators.hubspot.client import Control

EVENTS_EACH = 2  # of every imported contact: lifecycle stage and lead status
A_DELIVERY = 100
SEEDS_AT_ONCE = 2000
EDITORS = 60
EVERY = 0.5  # seconds between edits
LOOK_EVERY = 0.5
LIMIT = 110  # calls in ten seconds: what HubSpot grants an OAuth app
BAR_S = 5.0
SAL = 5  # where MQL + OPEN leads
SLOT = "bnb_lead_slot"
# What the app subscribes to: what the mapping reads, not what we write ourselves.
SUBSCRIBED = {"contacts": ["email", "lifecyclestage", "hs_lead_status", "bnb_set_slot"]}
# What a rep sets, and the slot that has to stand on the record then.
EDITS = (("marketingqualifiedlead", 6), ("salesqualifiedlead", 4), ("lead", 3))


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of a rep, by the twin's clock."""

    contact: str
    slot: int
    at_ms: int


@dataclass(slots=True)
class Watch:
    """What is looked at while the storm lasts."""

    began: float = field(default_factory=time.monotonic)
    curve: list[dict[str, float]] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        """Return the seconds since the storm began."""
        return round(time.monotonic() - self.began, 2)


def measure(folder: Path, *, events: int = 100_000, within: float = 900.0) -> dict[str, Any]:
    """Return how long single edits took while `events` import events were worked off."""
    with housed(folder / "storm") as house:
        house.start("connector", "up")
        twin = house.start_twin(limit=LIMIT, client_secret=SECRET)
        house.wait_until_up()
        services = house.services()
        made = connect_twin(services, twin.url)
        editors = twin.seed(count=EDITORS, properties={"lifecyclestage": "lead"})
        backfill(services, made.id, lambda *_: None)
        rest(services, 60.0)
        crowd = _seed(twin, events // EVENTS_EACH)
        path = webhook_path(made.id)
        twin.settings(target=f"{house.url}{path}", event_properties=SUBSCRIBED)
        watch = Watch()
        told = _storm(services, twin, (editors, crowd), _Sender(house, path, watch), within)
        told |= {"limit_per_10_s": LIMIT}
        services.store.database.close()
        return told


@dataclass(slots=True)
class _Sender:
    """Sends the storm from a thread; what came back is read when it is done."""

    house: House
    path: str
    watch: Watch
    answers: dict[str, int] = field(default_factory=dict)
    acked_at: float = 0.0

    def send(self, crowd: Sequence[str]) -> None:
        ready = [self.house.request(self.path, body(some)) for some in _changes(crowd)]
        plan = Plan(*self.house.address, self.path, SECRET, connections=4, seconds=300.0)
        seen = send(plan, ready)
        self.answers = {str(status): count for status, count in seen.statuses.items()}
        self.acked_at = self.watch.now()


def _storm(
    services: Services,
    twin: Control,
    people: tuple[Sequence[str], Sequence[str]],
    sender: _Sender,
    within: float,
) -> dict[str, Any]:
    editors, crowd = people
    watch = sender.watch
    threads = [
        threading.Thread(target=sender.send, args=(crowd,), daemon=True),
        threading.Thread(target=_edit, args=(twin, editors, watch), daemon=True),
    ]
    for thread in threads:
        thread.start()
    through = _look(services, watch, within)
    watch.over.set()
    for thread in threads:
        thread.join()
    twin.wait_until_sent(60)  # the last edit's webhook may be on its way still
    rest(services, 120.0)
    waits, missing = _waits(twin, watch.edits)
    return {
        "events": len(crowd) * EVENTS_EACH,
        "contacts": len(crowd),
        "answers": sender.answers,
        "through_s": {"acknowledged": sender.acked_at, **through},
        "edits": len(watch.edits),
        "edit_s": {name: round(ms / 1000, 3) for name, ms in percentiles(waits).items()},
        "edits_without_write": missing,
        "edits_over_bar": sum(wait >= BAR_S for wait in waits) + missing,
        "lost": _lost(services, twin, crowd),
        "crm_calls": len(twin.calls()),
        "edit_curve": [
            [round((edit.at_ms - watch.edits[0].at_ms) / 1000, 1), round(wait, 3)]
            for edit, wait in zip(watch.edits, waits, strict=False)
        ],
        "backlog": watch.curve,
    }


def _seed(twin: Control, count: int) -> list[str]:
    """Make the contacts that the import has changed, with the history that a read will tell."""
    now = int(time.time() * 1000)
    ids: list[str] = []
    while len(ids) < count:
        some = range(len(ids), min(len(ids) + SEEDS_AT_ONCE, count))
        ids += twin.seed(object="contacts", records=[_record(number, now) for number in some])
    return ids


def _record(number: int, now: int) -> dict[str, Any]:
    imported = {"at": now, "source": "IMPORT", "source_id": "import:7"}
    stages = [
        {"value": "lead", "at": now - 86_400_000},
        {"value": "marketingqualifiedlead", **imported},
    ]
    return {
        "properties": {"email": f"import{number}@storm.example"},
        "created_at": now - 86_400_000,
        "history": {
            "lifecyclestage": stages,
            "hs_lead_status": [{"value": "OPEN", **imported}],
        },
    }


def _changes(crowd: Sequence[str]) -> Iterator[list[Change]]:
    """Yield what each delivery of the import tells."""
    at = int(time.time() * 1000)
    half = A_DELIVERY // EVENTS_EACH
    number = 500_000_000
    for start in range(0, len(crowd), half):
        some = []
        for contact in crowd[start : start + half]:
            for name, value in (
                ("lifecyclestage", "marketingqualifiedlead"),
                ("hs_lead_status", "OPEN"),
            ):
                number += 1
                some.append(Change(number, int(contact), name, value, at, "IMPORT"))
        yield some


def _edit(twin: Control, editors: Sequence[str], watch: Watch) -> None:
    """Edit one contact after the other as a person, until the storm is over."""
    with Control(twin.url) as own:
        number = 0
        while not watch.over.wait(EVERY):
            contact = editors[number % len(editors)]
            stage, slot = EDITS[number // len(editors) % len(EDITS)]
            before = int(time.time() * 1000)
            own.edit("contacts", contact, lifecyclestage=stage)
            watch.edits.append(Edit(contact, slot, before))
            number += 1


def _look(services: Services, watch: Watch, within: float) -> dict[str, float]:
    """Look at what waits until nothing does; return when each kind of it was worked off."""
    through: dict[str, float] = {}
    quiet = 0
    while quiet < 3 and watch.now() < within:  # noqa: PLR2004 - new work may be between two looks
        time.sleep(LOOK_EVERY)
        waiting = left(services)
        watch.curve.append({"at": watch.now(), **waiting})
        for name, count in waiting.items():
            if count > EDITORS:  # what the edits themselves leave does not count
                through[name] = watch.now()
        quiet = 0 if any(count > EDITORS for count in waiting.values()) else quiet + 1
    return {name: through.get(name, 0.0) for name in ("deliveries", "events", "reads", "writes")}


def _waits(twin: Control, edits: Sequence[Edit]) -> tuple[list[float], int]:
    """Return the seconds from each edit to the write of its slot, and how many had none."""
    written: dict[str, list[dict[str, Any]]] = {}
    for edit in edits:
        if edit.contact not in written:
            rows = twin.writes(edit.contact)
            written[edit.contact] = [row for row in rows if row["property"] == SLOT]
    waits, missing = [], 0
    for edit in edits:
        done = [
            row["at"]
            for row in written[edit.contact]
            if row["at"] >= edit.at_ms and row["value"] == str(edit.slot)
        ]
        if done:
            waits.append((min(done) - edit.at_ms) / 1000)
        else:
            missing += 1
    return waits, missing


def _lost(services: Services, twin: Control, crowd: Sequence[str]) -> dict[str, int]:
    """Count imported contacts that are not in their slot, in the store and in the CRM."""
    with services.store.reading() as unit:
        standing = unit.people.funnel(ACCOUNT)
        parked = unit.inbox_backlog().parked
    shown = _shown(twin)
    return {
        "events_parked": parked,
        "not_moved": len(crowd) - standing.get(SAL, 0),
        "not_shown_in_crm": len(crowd) - shown,
    }


def _shown(twin: Control) -> int:
    """Count the contacts that stand in the imported slot in the CRM, by its own search."""
    wanted = {"propertyName": SLOT, "operator": "EQ", "value": str(SAL)}
    reply = requests.post(
        f"{twin.url}/crm/objects/2026-09/contacts/search",
        json={"filterGroups": [{"filters": [wanted]}], "limit": 1},
        headers={"Authorization": "Bearer twin-token"},
        timeout=60,
    )
    reply.raise_for_status()
    return int(reply.json()["total"])
