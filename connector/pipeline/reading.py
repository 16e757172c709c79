"""A read of a CRM record, as it travels through the inbox, and the facts in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connector.domain.errors import Unreadable
from connector.domain.facts import Fact, RecordKey
from connector.domain.slots import Slot
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import Meaning
from connector.ports import Data, Held, Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dump_reading(reading: Reading) -> dict[str, object]:
    """Return a reading as plain JSON."""
    return {
        "asked_id": reading.asked_id,
        "record_id": reading.record_id,
        "fields": dict(reading.fields),
        "history": {
            name: [[held.value, _stamp(held.when), held.origin, held.origin_id] for held in past]
            for name, past in reading.history.items()
        },
        "created_at": _stamp(reading.created_at),
        "stamp": _stamp(reading.stamp),
        "archived": reading.archived,
        "ended_at": _stamp(reading.ended_at),
        "merged": list(reading.merged),
        "merged_at": [_stamp(when) for when in reading.merged.values()],
    }


def parse_reading(data: Data) -> Reading:
    """Return the reading behind its JSON; raise Unreadable where it is not one."""
    try:
        return Reading(
            asked_id=str(data["asked_id"]),
            record_id=str(data["record_id"]),
            fields={str(k): str(v) for k, v in _object(data["fields"]).items()},
            history={
                str(name): [Held(h[0], _date(h[1]), h[2], h[3]) for h in _list(past)]
                for name, past in _object(data["history"]).items()
            },
            created_at=_date(data["created_at"]),
            stamp=_date(data["stamp"]),
            archived=bool(data["archived"]),
            ended_at=_date(data.get("ended_at")),
            merged={
                str(old): _date(when)
                for old, when in zip(
                    _many(data.get("merged")), _many(data.get("merged_at")), strict=True
                )
            },
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Unreadable("a stored reading makes no sense") from error


def fields_of(
    reading: Reading,
    key: RecordKey,
    lookup: Lookup,
    known: Mapping[str, Fact],
    read_at: datetime,
) -> Iterator[tuple[Fact, str]]:
    """Yield the facts of a reading with the id of what made each.

    `known` holds the newest fact that we have of each field. A record that bears no date at all
    counts as changed when it was read. Without a history of its own, a
    field counts only where its value differs and the record changed after the field's clock.
    """
    if reading.stamp is None and reading.created_at is None:
        reading = replace(reading, stamp=read_at)
    for name in lookup.mapping.names(key.object):
        meaning = lookup.mapping.meaning_of(key.object, name)
        known_here = name in reading.fields or name in reading.history
        if meaning is Meaning.CUSTOMER_SINCE or not known_here:
            continue
        dated = [held for held in reading.history.get(name, ()) if held.when is not None]
        for held in dated or _undated(reading, name, meaning, lookup, known.get(name)):
            value = held.value.strip().lower() if meaning is Meaning.EMAIL else held.value
            if held.when is not None:
                yield Fact(key, name, value, held.when, "", lookup.version), held.origin_id


def _undated(
    reading: Reading, name: str, meaning: Meaning | None, lookup: Lookup, known: Fact | None
) -> list[Held]:
    value = reading.fields.get(name, "")
    if known is not None and known.value == value:
        return []
    if known is None and not value:
        return [Held("", reading.created_at or _EPOCH)] if meaning is Meaning.EMAIL else []
    when = _since(reading, value, meaning, lookup)
    if when is None or (known is not None and when <= known.when):
        return []
    return [Held(value, when)]


def _since(
    reading: Reading, value: str, meaning: Meaning | None, lookup: Lookup
) -> datetime | None:
    """Date a value: the CRM's own date of becoming a customer, else the record's last change."""
    name = lookup.mapping.name_of("contact", Meaning.CUSTOMER_SINCE)
    is_customer = lookup.slot(Words(value)) is Slot.CUSTOMER
    if meaning is Meaning.LIFECYCLE and is_customer and reading.fields.get(name):
        told = parse_date(reading.fields[name])
        if told is not None:
            return told
    return reading.stamp or reading.created_at


def parse_date(text: str) -> datetime | None:
    """Read an ISO date or epoch milliseconds, None where it is neither."""
    try:
        if text.isdigit():
            return _EPOCH + timedelta(milliseconds=int(text))
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _stamp(when: datetime | None) -> int | None:
    return None if when is None else (when - _EPOCH) // timedelta(microseconds=1)


def _date(stamp: object) -> datetime | None:
    if not isinstance(stamp, int):
        return None
    return _EPOCH + timedelta(microseconds=stamp)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _many(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _list(value: object) -> list[list[str]]:
    if not isinstance(value, list):
        raise TypeError
    return value
