"""What one event costs, as the number of profiles grows."""

from __future__ import annotations

import itertools
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bench.events import FIRST_CONTACT, Change, body
from bench.house import ACCOUNT, CONNECTION, connect, housed
from connector.pipeline.drain import drain
from connector.pipeline.services import Services
from connector.pipeline.split import split
from connector.store import tables as t
from connector.stored import Parcel

SIZES = (1_000, 10_000, 100_000)
FLAT = 1.5  # what the largest may cost, as a multiple of the smallest
# What a contact leaves behind; parents before children.
CLONED = ("profile", "record", "fact", "move", "event", "delivery", "outbox")
# Keys that nothing but their uniqueness is known of.
_KEYS = {("event", "key"), ("delivery", "digest")}
A_DELIVERY = 10


def measure(folder: Path, *, sizes: Sequence[int] = SIZES, events: int = 2000) -> dict[str, Any]:
    """Return what intake, split and drain cost an event at each size, in microseconds."""
    with housed(folder / "growth") as house:
        services = replace(house.services(), wake=lambda *_: True)
        connect(services)
        stencils = _stencils(services)
        rows, standing = [], 1
        for size in sizes:
            _grow(services, stencils, range(standing, size))
            standing = size
            _events(services, size, events // 4)  # caches are warm then
            rows.append({"profiles": size} | _events(services, size, events))
        with services.store.reading() as unit:
            strangers = sum(unit.people.funnel(ACCOUNT).values()) - standing
        path = services.store.database.engine.url.database or ""
        told = {
            "strangers": strangers,
            "events": events,
            "rows": rows,
            "largest_vs_smallest": _rise(rows),
            "database_mb": round(Path(path).stat().st_size / 2**20),
        }
        services.store.database.close()
        return told


def _rise(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    names = [name for name in rows[0] if name.endswith("_us")]
    return {name: round(rows[-1][name] / rows[0][name], 2) for name in names}


@dataclass(frozen=True, slots=True)
class _Stencil:
    """A row of the pattern contact, and what in it differs from contact to contact."""

    statement: str
    values: tuple[Any, ...]
    fresh: tuple[int, ...]
    named: tuple[int, ...]


def _stencils(services: Services) -> list[_Stencil]:
    """Lead one contact through the product, read and pushed, and return the rows of it."""
    began = int(time.time() * 1000) - 86_400_000
    stages = ("lead", "marketingqualifiedlead")
    changes = [
        Change(number, FIRST_CONTACT, "lifecyclestage", stage, began + number)
        for number, stage in enumerate(stages)
    ]
    address = Change(9, FIRST_CONTACT, "email", f"p{FIRST_CONTACT}@growth.example", began)
    _take_in(services, [address, *changes])
    with services.store.writing() as unit:
        own = {"read_at": services.now(), "ask_at": None, "pushed": {"bnb_lead_slot": "6"}}
        unit.tx.execute(update(t.record).values(**own))
        unit.tx.execute(update(t.outbox).values(state="sent", sent_at=services.now()))
    with services.store.reading() as unit:
        profile = unit.tx.execute(t.profile.select()).one().id
    raw = _raw(services)
    try:
        return [one for name in CLONED for one in _of_table(raw, name, profile)]
    finally:
        raw.close()


def _of_table(raw: sqlite3.Connection, name: str, profile: str) -> Iterator[_Stencil]:
    cursor = raw.execute(f"SELECT * FROM {name}")  # noqa: S608 - names of our own tables
    columns = [column[0] for column in cursor.description]
    numbered = columns[0] == "id" and name in {"move", "event", "delivery", "outbox"}
    own = columns[1:] if numbered else columns
    places = ", ".join("?" for _ in own)
    statement = f"INSERT INTO {name} ({', '.join(own)}) VALUES ({places})"  # noqa: S608
    for row in cursor.fetchall():
        values = tuple(
            value.replace(profile, "{p}").replace(str(FIRST_CONTACT), "{r}")
            if isinstance(value, str)
            else value
            for value in row[1 if numbered else 0 :]
        )
        fresh = tuple(i for i, column in enumerate(own) if (name, column) in _KEYS)
        named = tuple(
            i for i, v in enumerate(values) if isinstance(v, str) and ("{p}" in v or "{r}" in v)
        )
        yield _Stencil(statement, values, fresh, named)


def _grow(services: Services, stencils: Sequence[_Stencil], numbers: range) -> None:
    """Copy the pattern contact's rows under other names; this need not be durable."""
    raw = _raw(services)
    try:
        for pragma in ("synchronous=OFF", "cache_size=-524288"):
            raw.execute(f"PRAGMA {pragma}")
        for start in range(numbers.start, numbers.stop, 20_000):
            some = range(start, min(start + 20_000, numbers.stop))
            names = [(f"prf_{uuid.uuid4().hex}", str(FIRST_CONTACT + number)) for number in some]
            with raw:
                for stencil in stencils:
                    raw.executemany(stencil.statement, _copies(stencil, names))
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("ANALYZE")
    finally:
        raw.close()


def _copies(stencil: _Stencil, names: Sequence[tuple[str, str]]) -> Iterator[list[Any]]:
    for profile, contact in names:
        values = list(stencil.values)
        for place in stencil.named:
            values[place] = values[place].replace("{p}", profile).replace("{r}", contact)
        for place in stencil.fresh:
            values[place] = f"{random.getrandbits(256):064x}"
        yield values


def _raw(services: Services) -> sqlite3.Connection:
    return sqlite3.connect(services.store.database.engine.url.database or "")


def _events(services: Services, profiles: int, events: int) -> dict[str, float]:
    """Send changes of contacts all over the crowd through the product; return what each cost."""
    chance = random.Random(profiles)
    at = int(time.time() * 1000) - 60_000
    stages = ("salesqualifiedlead", "opportunity", "customer")
    changes = (
        Change(
            chance.getrandbits(31),
            FIRST_CONTACT + chance.randrange(profiles),
            "lifecyclestage",
            chance.choice(stages),
            at + number,
        )
        for number in range(events)
    )
    return _take_in(services, changes)


def _take_in(services: Services, changes: Any) -> dict[str, float]:
    """Keep, split and drain; return microseconds an event, of the clock and of the processor."""
    rest = iter(changes)
    bodies = []
    while some := list(itertools.islice(rest, A_DELIVERY)):
        bodies.append((len(some), body(some)))
    count = sum(number for number, _ in bodies)

    def keep() -> None:
        for _, content in bodies:
            own = (ACCOUNT, CONNECTION)
            services.store.keep(Parcel("hubspot", own, content, services.now(), "bench"))

    steps: dict[str, Callable[[], object]] = {
        "intake": keep,
        "split": lambda: split(services),
        "drain": lambda: drain(services, ACCOUNT),
    }
    told: dict[str, float] = {}
    for name, step in steps.items():
        wall, own = time.perf_counter(), time.process_time()
        step()
        told[f"{name}_us"] = round((time.perf_counter() - wall) / count * 1e6, 1)
        told[f"{name}_cpu_us"] = round((time.process_time() - own) / count * 1e6, 1)
    return told
