"""A public event log of a shop, told as the platform would tell it, and counted by hand.

The file is read where it lies (`CONNECTOR_BENCH_DATA`), never copied.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("CONNECTOR_BENCH_DATA", PROJECT.parent / "shared" / "data"))
LOG = FOLDER / "journeys_ecom.csv.gz"
# What visitors do; everything else in the log is a page.
DEEDS = frozenset({"add_to_cart", "wishlist_add", "purchase", "payment_error"})
MQL, SAL, SQL = 6, 5, 4
# What leads where, the furthest first: a deed's code, or a page.
RULES: Sequence[tuple[str, str, int]] = (
    ("bought", "purchase", SQL),
    ("paying", "payment_details", SAL),
    ("cart", "add_to_cart", MQL),
)
Row = dict[str, str]


def rows() -> list[Row]:
    """Return the log in order of time; what happened at one time stays in the file's order."""
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return sorted(found, key=lambda row: row["timestamp"])


def told(log: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield the platform's events: each visitor signs in first, then does what the log says."""
    known: set[str] = set()
    for number, row in enumerate(log):
        if row["user_id"] not in known:
            known.add(row["user_id"])
            yield _event(f"sign-in-{row['user_id']}", row) | {"type": "verified_conversion"}
        yield _event(f"row-{number}", row) | _what(row["event"])


def _event(name: str, row: Row) -> dict[str, Any]:
    return {
        "id": name,
        "occurred_at": f"{row['timestamp'].replace(' ', 'T')}Z",
        "visitor": {
            "device_id": row["user_id"],
            "email": f"{row['user_id']}@shop.example",
            "state": "verified",
        },
        "origin": {"utm_source": row["acquisition_channel"], "utm_campaign": row["user_cohort"]},
    }


def _what(event: str) -> dict[str, Any]:
    if event in DEEDS:
        return {"type": "custom", "code": event}
    return {"type": "page_view", "page": {"url": f"https://shop.example/{event}", "title": event}}


def rules() -> Iterator[dict[str, Any]]:
    """Yield the shop's rules."""
    for name, event, goal in RULES:
        trigger: dict[str, Any] = {"event": "custom", "code": event}
        if event not in DEEDS:
            trigger = {"event": "page_view", "url": {"exact": f"https://shop.example/{event}"}}
        yield {"name": name, "enabled": True, "trigger": trigger, "to": goal}


@dataclass
class Count:
    """What a report has to say of one key."""

    mql: int = 0
    accepted: int = 0
    sql: int = 0


@dataclass
class Counted:
    """What the log itself says: profiles by slot, and entries by a key."""

    funnel: Counter[int] = field(default_factory=Counter)
    entries: dict[str, Count] = field(default_factory=dict)


def count(log: Sequence[Row], column: str) -> Counted:
    """Follow every visitor through the log, straight and without any of the product's words."""
    goals = {event: goal for _, event, goal in RULES}
    order = [3, MQL, SAL, SQL]
    slots: dict[str, int] = {}
    first: dict[str, str] = {}
    entered: set[str] = set()
    reached: dict[str, set[int]] = {}
    for row in log:
        who = row["user_id"]
        first.setdefault(who, row[column])
        now, goal = slots.setdefault(who, 3), goals.get(row["event"], 3)
        if order.index(goal) > order.index(now):
            slots[who] = goal
            entered |= {who} if goal == MQL else set()
            reached.setdefault(who, set()).add(goal)
    found = Counted(Counter(slots.values()))
    for who in entered:
        one = found.entries.setdefault(first[who], Count())
        one.mql += 1
        one.accepted += bool(reached[who] & {SAL, SQL})
        one.sql += SQL in reached[who]
    return found
