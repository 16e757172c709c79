"""Many records at once, as a portal that has been in use has them; no events are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import derived, history, links, values
from .portal import kind_of
from .records import Record, Source
from .shapes import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .portal import Portal
    from .shapes import Json

IMPORT = Source("IMPORT", "import:1")


def seed(portal: Portal, wanted: Json) -> list[int]:
    """Make `count` records of one pattern, or the `records` given; return their ids."""
    kind = kind_of(str(wanted.get("object", "contacts")))
    rows = wanted.get("records")
    if rows is None:
        rows = _patterned(int(wanted.get("count", 1)), wanted)
    tell, portal.tell = portal.tell, _say_nothing
    try:
        return [_one(portal, kind, row).id for row in rows]
    finally:
        portal.tell = tell


def _say_nothing(_: Json) -> None:
    return


def _patterned(count: int, wanted: Json) -> Iterator[Json]:
    pattern = {"email": "person{n}@seed.example", **wanted.get("properties", {})}
    if wanted.get("object", "contacts") not in {"contacts", "contact", "0-1"}:
        pattern = wanted.get("properties", {})
    first = int(wanted.get("first", 1))
    times: Json = {name: wanted[name] for name in ("created_at", "modified_at") if name in wanted}
    for number in range(first, first + count):
        made = {name: str(text).replace("{n}", str(number)) for name, text in pattern.items()}
        yield {"properties": made, **times}


def _one(portal: Portal, kind: str, row: Json) -> Record:
    modified = to_ms(row["modified_at"]) if "modified_at" in row else portal.now()
    began = to_ms(row["created_at"]) if "created_at" in row else modified
    record = Record(kind, portal.next_id(), began, [began])
    portal.stores[kind].add(record)
    for name, past in row.get("history", {}).items():
        _live_through(portal, record, name, past)
    clean = values.clean(portal, kind, row.get("properties", {}), api=False)
    for name, text in clean.items():
        if record.value(name) != text:
            history.put(portal, record, name, text, IMPORT, began)
    if modified != record.updated_at:
        record.touched = [modified]
    _associate(portal, record, row)
    return record


def _live_through(portal: Portal, record: Record, name: str, past: list[Json]) -> None:
    # [{value, at, source?, source_id?}], in any order.
    for each in sorted(past, key=lambda one: to_ms(one["at"])):
        text = values.clean(portal, record.kind, {name: each["value"]}, api=False)[name]
        source = Source(each.get("source", "CRM_UI"), each.get("source_id", "userId:9001"))
        history.put(portal, record, name, text, source, to_ms(each["at"]))


def _associate(portal: Portal, record: Record, row: Json) -> None:
    for kind in ("contacts", "companies"):
        for one in row.get(kind, []):
            other = portal.record(kind, one)
            if other:
                links.link(portal, record, other, IMPORT)
    derived.linked(portal, record, record)
