"""Reads HubSpot's webhook bodies: rows of JSON become events in our words.

What a row may say is in the table at the end. A row that can't be read is parked alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connector.adapters.hubspot.fields import TYPE_IDS
from connector.adapters.hubspot.rows import Odd, Row, is_id, when
from connector.domain.errors import Unreadable
from connector.ports import Event, Happening, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# These tell one delivery of a happening from another, not one happening from another.
DELIVERY_WORDS = frozenset({"attemptNumber", "subscriptionId"})
REDACTED = "REDACTED"
_LONGEST_INT = 40  # digits; longer ones are no numbers of anyone's


@dataclass(frozen=True, slots=True)
class Told:
    """What one row says; `mark` keeps apart what else looks the same."""

    happening: Happening
    about: str
    record_id: str
    data: Mapping[str, object]
    mark: str = ""


def read(body: bytes, received_at: datetime) -> list[Event | Unread]:
    """Return every event of a body; raise Unreadable when there is no telling them apart."""
    try:
        return [_read_row(values, received_at) for values in _rows(body)]
    except RecursionError as error:
        raise Unreadable("the body is nested too deep") from error


def _rows(body: bytes) -> list[object]:
    try:
        found = json.loads(body.decode("utf-8"), parse_int=_whole)
    except ValueError as error:
        raise Unreadable("the body is no JSON in UTF-8") from error
    if isinstance(found, dict):
        return [found]
    if isinstance(found, list):
        return found
    raise Unreadable("the body is neither an array nor an object")


def _whole(digits: str) -> int | float:
    """Read a number; one that is too long for any id can't be one."""
    return int(digits) if len(digits) <= _LONGEST_INT else math.inf


def _read_row(values: object, received_at: datetime) -> Event | Unread:
    try:
        return _event(Row(values), received_at)
    except Odd as odd:
        known = values if isinstance(values, dict) else {}
        portal = known.get("portalId")
        return Unread(
            key=_key("unread", _same(values)),
            reason=str(odd),
            raw=json.dumps(values),
            portal=str(portal) if is_id(portal) else "",
        )


def _event(row: Row, received_at: datetime) -> Event:
    portal, event_id = str(row.id("portalId")), row.optional_id("eventId")
    noun, _, action = row.kind().partition(".")
    occurred, occurred_at = when(row.values.get("occurredAt"), received_at + timedelta(days=366))
    reader = READERS.get(action, _unknown) if noun in NOUNS else _unknown
    told = reader(row, noun)
    same = (told.about, action, told.record_id, told.data, told.mark, occurred, event_id)
    return Event(
        key=_key(portal, *same),
        happening=told.happening,
        portal=portal,
        object=told.about,
        record_id=told.record_id,
        occurred_at=occurred_at,
        event_id=event_id,
        data=told.data,
        origin=row.word("changeSource"),
        origin_id=row.word("sourceId"),
    )


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()


def _same(values: object) -> object:
    if not isinstance(values, dict):
        return values
    return {name: value for name, value in values.items() if name not in DELIVERY_WORDS}


def _object(row: Row, noun: str) -> str:
    """Return our word for what the row is about; the generic form names it by a type id."""
    if noun != "object":
        return noun
    type_id = row.needed("objectTypeId")
    return TYPE_IDS.get(type_id, type_id)


def _simply(happening: Happening) -> Callable[[Row, str], Told]:
    """Return a reader of rows that say no more than what happened to which record."""

    def told(row: Row, noun: str) -> Told:
        return Told(happening, _object(row, noun), str(row.id("objectId")), {})

    return told


def _changed(row: Row, noun: str) -> Told:
    """Read a change of one field; a sensitive value does not come with it."""
    about, record_id, name = _object(row, noun), str(row.id("objectId")), row.needed("propertyName")
    value = row.value("propertyValue")
    if value == REDACTED or row.flag("isSensitive", otherwise=False):
        return Told(Happening.UNKNOWN, about, record_id, {"field": name})
    return Told(Happening.CHANGED, about, record_id, {"field": name, "value": value})


def _merged(row: Row, noun: str) -> Told:
    """Read a merge: a third, new record may live on, and all others are no more."""
    primary, merged = row.id("primaryObjectId"), row.ids("mergedObjectIds")
    into = row.optional_id("newObjectId") or str(primary)
    gone = [one for one in dict.fromkeys(map(str, [primary, *merged])) if one != into]
    if not gone:
        raise Odd("the merge names no record that is no more")
    return Told(Happening.MERGED, _object(row, noun), into, {"into": into, "merged": gone})


def _linked(row: Row, noun: str) -> Told:
    """Read a tie, always seen from the deal to the contact to the company."""
    start, goal = _ends(row, noun)
    ids = (str(row.id("fromObjectId")), str(row.id("toObjectId")))
    present = not row.flag("associationRemoved", otherwise=False)
    if (start, goal) in _TURNED:
        start, goal, ids = goal, start, (ids[1], ids[0])
    if not start or not goal:
        return Told(Happening.UNKNOWN, _object(row, noun), ids[0], {"to_id": ids[1]})
    data = {"to_object": goal, "to_id": ids[1], "present": present}
    if not present and row.flag("isPrimaryAssociation", otherwise=False):
        # Being primary is a second tie beside the plain one, which ends by an event of its own.
        return Told(Happening.UNKNOWN, start, ids[0], data, mark="primary")
    return Told(Happening.LINKED, start, ids[0], data)


def _ends(row: Row, noun: str) -> tuple[str, str]:
    """Return the kinds of the two records, from DEAL_TO_CONTACT or from two type ids."""
    named = row.word("associationType")
    start, _, goal = named.lower().partition("_to_")
    if named:
        return start, goal
    start, goal = row.word("fromObjectTypeId"), row.word("toObjectTypeId")
    return TYPE_IDS.get(start, start) or noun, TYPE_IDS.get(goal, goal)


def _unknown(row: Row, noun: str) -> Told:
    type_id, record_id = row.values.get("objectTypeId"), row.values.get("objectId")
    generic = noun == "object" and isinstance(type_id, str)
    found = str(record_id) if is_id(record_id) else ""
    about = _object(row, noun) if generic else noun
    return Told(Happening.UNKNOWN, about, found, {"type": row.kind()})


_TURNED = frozenset({("contact", "deal"), ("company", "deal"), ("company", "contact")})

# The first half of a subscription type: CRM records, and not conversations or forms.
NOUNS = frozenset(
    {"contact", "company", "deal", "lead", "ticket", "line_item", "product", "object"}
)

# The second half of a subscription type -> how its rows are read.
READERS: Mapping[str, Callable[[Row, str], Told]] = {
    "creation": _simply(Happening.CREATED),
    "deletion": _simply(Happening.DELETED),
    "restore": _simply(Happening.RESTORED),
    "privacyDeletion": _simply(Happening.ERASED),
    "propertyChange": _changed,
    "merge": _merged,
    "associationChange": _linked,
}
