"""History comes in from a file: silent, once per event id, resumable because of that."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TextIO

from connector.domain.errors import ConnectorError, Unreadable
from connector.domain.journeys import JourneyEvent
from connector.pipeline.arriving import arrive
from connector.pipeline.drain import drain
from connector.pipeline.services import Services
from connector.ports import Unread
from connector.stored import Connection, Delivery

# Events in one transaction, as many as a sender may send at once.
AT_ONCE = 1000
# Columns of a CSV that name a part of the event without saying where it is.
_PLACES: Mapping[str, str] = {
    **dict.fromkeys(("device_id", "user_id", "email", "state", "lead_stage"), "visitor"),
    **dict.fromkeys(("first_name", "last_name", "company", "provider"), "visitor"),
    **dict.fromkeys(("url", "title"), "page"),
    **dict.fromkeys(("referrer", "gclid", "gclsrc", "dclid", "fbclid"), "origin"),
    **{f"utm_{name}": "origin" for name in ("source", "medium", "campaign", "term", "content")},
    **dict.fromkeys(("country", "device", "browser", "user_agent", "is_bot"), "client"),
}
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import read; events that we have already are among them."""

    events: int
    unread: int
    first_fault: str = ""


def import_journeys(
    services: Services, connection: Connection, lines: Iterable[str], progress: Progress
) -> Imported:
    """Take in events, one JSON object a line, and work on them; `progress` is told how many.

    What can't be read is counted, and the first of it named; the rest is taken in.
    """
    if connection.system not in services.journey_readers:
        raise ConnectorError(f"{connection.system} sends no journeys")
    began = services.now()
    trace = f"import:{connection.id}@{began.timestamp():.6f}"
    events = unread = 0
    fault = ""
    for piece in _pieces(lines):
        found, faults = _read(services, connection, piece, began)
        with services.store.writing() as unit:
            arrive(unit, connection, found, began, trace=trace, silent=True)
        events, unread, fault = (
            events + len(found),
            unread + len(faults),
            fault or "".join(faults[:1]),
        )
        drain(services, connection.account_id)
        progress(events + unread)
    return Imported(events, unread, fault)


def _pieces(lines: Iterable[str]) -> Iterator[list[str]]:
    told = (line for line in lines if line.strip())
    while piece := list(islice(told, AT_ONCE)):
        yield piece


def _read(
    services: Services, connection: Connection, lines: list[str], when: datetime
) -> tuple[list[JourneyEvent], list[str]]:
    """Read lines together, or one by one where there is no telling them apart."""
    own = (connection.account_id, connection.id, connection.system)
    try:
        delivery = Delivery(0, *own, "\n".join(lines).encode(), when)
        parts = services.journey_readers[connection.system](services, delivery)
    except Unreadable as error:
        if len(lines) == 1:
            return [], [f"{error}: {lines[0][:100].strip()}"]
        halves = (lines[: len(lines) // 2], lines[len(lines) // 2 :])
        both = [_read(services, connection, half, when) for half in halves]
        return [*both[0][0], *both[1][0]], [*both[0][1], *both[1][1]]
    events = [part for part in parts if not isinstance(part, Unread)]
    return events, [f"{one.reason}: {one.raw[:100]}" for one in parts if isinstance(one, Unread)]


def csv_lines(file: TextIO) -> Iterator[str]:
    """Turn a CSV into one JSON object a line; `visitor.email` and `email` name the same part.

    A row without an id gets one of its own contents, so that the same row counts once.
    """
    for row in csv.DictReader(file):
        told = {name: value for name, value in row.items() if name and value}
        yield json.dumps(_nested(told))


def _nested(row: Mapping[str, str]) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
    event: dict[str, Any] = {"id": f"row_{digest[:32]}"}
    for name, value in row.items():
        place, _, last = name.rpartition(".")
        where: dict[str, Any] = event
        for part in (place or _PLACES.get(name, "")).split("."):
            inner = where.setdefault(part, {}) if part else where
            where = inner if isinstance(inner, dict) else where
        where[last] = value
    return event
