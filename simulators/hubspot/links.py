"""Associations between records: types, labels and the events they make (section 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import derived, events
from .errors import invalid
from .history import put
from .portal import SYSTEM

if TYPE_CHECKING:
    from .portal import Portal
    from .records import Record, Source
    from .shapes import Json

# HUBSPOT_DEFINED association type ids: (from, to) -> plain, primary ("Associations" guide).
TYPES: dict[tuple[str, str], tuple[int, ...]] = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "contacts"): (3,),
    ("contacts", "deals"): (4,),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("tasks", "contacts"): (204,),
    ("contacts", "tasks"): (203,),
    ("tasks", "companies"): (192,),
    ("companies", "tasks"): (191,),
    ("tasks", "deals"): (216,),
    ("deals", "tasks"): (215,),
    ("notes", "contacts"): (202,),
    ("contacts", "notes"): (201,),
    ("notes", "companies"): (190,),
    ("companies", "notes"): (189,),
    ("notes", "deals"): (214,),
    ("deals", "notes"): (213,),
    ("leads", "contacts"): (578,),
    ("contacts", "leads"): (580,),
}


def plain(start: str, end: str) -> int:
    """Return the unlabelled type between two object types."""
    if (start, end) not in TYPES:
        raise invalid(f"No association type between {start} and {end}")
    return TYPES[start, end][0]


def is_primary(type_id: int) -> bool:
    """Say whether a type is the primary company."""
    return type_id in {1, 2, 5, 6}


def link(
    portal: Portal, one: Record, other: Record, source: Source, type_ids: list[int] | None = None
) -> None:
    """Associate two records; a labelled or primary association brings the plain one too."""
    wanted = type_ids or [plain(one.kind, other.kind)]
    known = {*TYPES.get((one.kind, other.kind), ()), *portal.labels}
    for type_id in wanted:
        if type_id not in known:
            raise invalid(f"Association type {type_id} does not exist")
    primary = any(is_primary(type_id) for type_id in wanted)
    before = _types(portal, one, other)
    if primary:
        _step_down(portal, one, other.kind)
    _add(portal, one, other, {*wanted, plain(one.kind, other.kind)})
    if _types(portal, one, other) != before:
        events.linked(portal, one, other, source, primary=primary, removed=False)
        one.touch(portal.now())
        _note_primary(portal, one)
        _note_primary(portal, other)
        derived.linked(portal, one, other)


def unlink(portal: Portal, one: Record, other: Record, source: Source) -> None:
    """Remove every association between two records."""
    before = _types(portal, one, other)
    if not before:
        return
    portal.links[one.kind, one.id].pop((other.kind, other.id))
    portal.links[other.kind, other.id].pop((one.kind, one.id))
    primary = any(is_primary(type_id) for type_id in before)
    events.linked(portal, one, other, source, primary=primary, removed=True)
    _note_primary(portal, one)
    _note_primary(portal, other)


def neighbours(portal: Portal, record: Record, kind: str) -> list[tuple[int, set[int]]]:
    """Return the live records of a type that a record is associated with, and how."""
    found = portal.links.get((record.kind, record.id), {})
    return [
        (other, types)
        for (other_kind, other), types in found.items()
        if other_kind == kind and portal.record(kind, other)
    ]


def described(portal: Portal, type_ids: set[int]) -> list[Json]:
    """Write association types as the API shows them."""
    return [
        {
            "category": "USER_DEFINED" if type_id in portal.labels else "HUBSPOT_DEFINED",
            "typeId": type_id,
            "label": portal.labels.get(type_id, "Primary" if is_primary(type_id) else None),
        }
        for type_id in sorted(type_ids)
    ]


def move(portal: Portal, leaver: Record, survivor: Record) -> None:
    """Give a merged record's associations to the survivor."""
    for (kind, other), types in portal.links.pop((leaver.kind, leaver.id), {}).items():
        back = portal.links.get((kind, other), {}).pop((leaver.kind, leaver.id), set())
        if (kind, other) == (survivor.kind, survivor.id):
            continue
        ours = portal.links.setdefault((survivor.kind, survivor.id), {})
        ours.setdefault((kind, other), set()).update(types)
        theirs = portal.links.setdefault((kind, other), {})
        theirs.setdefault((survivor.kind, survivor.id), set()).update(back)


def drop(portal: Portal, record: Record) -> None:
    """Forget every association of a record."""
    for kind, other in portal.links.pop((record.kind, record.id), {}):
        portal.links.get((kind, other), {}).pop((record.kind, record.id), None)


def _note_primary(portal: Portal, record: Record) -> None:
    # A contact carries the id of its primary company (section 2.5, type 1).
    if record.kind != "contacts":
        return
    ends = portal.links.get((record.kind, record.id), {})
    primary = [str(other) for (_, other), types in ends.items() if 1 in types]
    if record.value("associatedcompanyid") != "".join(primary[:1]):
        put(portal, record, "associatedcompanyid", "".join(primary[:1]), SYSTEM)


def _types(portal: Portal, one: Record, other: Record) -> set[int]:
    found = portal.links.get((one.kind, one.id), {})
    return set(found.get((other.kind, other.id), ()))


def _add(portal: Portal, one: Record, other: Record, type_ids: set[int]) -> None:
    ours = portal.links.setdefault((one.kind, one.id), {})
    ours.setdefault((other.kind, other.id), set()).update(type_ids)
    back = {_mirror(one.kind, other.kind, type_id) for type_id in type_ids}
    theirs = portal.links.setdefault((other.kind, other.id), {})
    theirs.setdefault((one.kind, one.id), set()).update(back)


def _mirror(start: str, end: str, type_id: int) -> int:
    pair = TYPES.get((start, end), ())
    return TYPES[end, start][pair.index(type_id)] if type_id in pair else type_id


def _step_down(portal: Portal, one: Record, kind: str) -> None:
    # One primary company per record: the one before becomes a plain association.
    for (other_kind, other), types in portal.links.get((one.kind, one.id), {}).items():
        if other_kind == kind:
            types -= {1, 2, 5, 6}
            portal.links[other_kind, other][one.kind, one.id] -= {1, 2, 5, 6}
