"""Records that we know too little of are read, and what was read goes through the inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from connector import trace
from connector.domain.errors import CrmDenied, CrmRefused
from connector.mapping.lookup import Lookup
from connector.mapping.table import Meaning
from connector.pipeline.reading import dump_reading
from connector.ports import Crm, Event, Happening, Reading
from connector.stored import BULK, LIVE, Arrival, Connection, Record

if TYPE_CHECKING:
    from connector.pipeline.send import Sending

log = structlog.get_logger(__name__)
AT_ONCE = 50
# What is read of a CRM, people first: a deal finds the records that it makes Customers of.
ORDER = ("contact", "company", "deal")
# Fields whose past matters; the CRM is asked for their history.
DATED = (Meaning.LIFECYCLE, Meaning.LEAD_STATUS, Meaning.EMAIL, Meaning.OPT_OUT, Meaning.DEAL_STAGE)


def dated_fields(lookup: Lookup, kind: str) -> list[str]:
    """Return the CRM's names of the fields that are read with their history."""
    names = [lookup.mapping.name_of(kind, meaning) for meaning in DATED]
    return [name for name in names if name]


def read_next(sending: Sending, lane: int = BULK) -> bool:
    """Read the records that wait for it, none behind `lane`; say whether there were any."""
    services, connection = sending.services, sending.connection
    with services.store.writing(sending.fence) as unit:
        records = unit.asked(connection.id, services.now(), AT_ONCE, lane)
    if not records:
        return False
    kind = records[0].key.object
    lookup = sending.lookup()
    ids = [record.key.record_id for record in records]
    names, dated = lookup.mapping.names(kind), dated_fields(lookup, kind)
    try:
        with trace.following(record.ask_trace for record in records):
            tied = tied_to(sending.crm, lookup, kind, ids, services.now())
            readings = sending.crm.read(kind, ids, names, dated)
    except (CrmDenied, CrmRefused) as error:
        log.warning("records_not_read", object=kind, count=len(ids), reason=str(error))
        with services.store.writing(sending.fence) as unit:
            unit.ask([record.key for record in records], None)
        return True
    now = services.now()
    arrivals = arrivals_of(connection, kind, readings, now, tied)
    answered = {reading.asked_id for reading in readings}
    arrivals += [
        _missing(connection, record, now) for record in records if _is_gone(record, answered)
    ]
    traces = {record.key.record_id: record.ask_trace for record in records}
    arrivals = [
        replace(a, lane=records[0].ask_lane, trace=traces.get(str(a.event.data["asked_id"]), ""))
        for a in arrivals
    ]
    with services.store.writing(sending.fence) as unit:
        unit.ask([record.key for record in records], None)
        unit.add_events(connection.account_id, arrivals)
    services.wake("drain", connection.account_id)
    return True


@dataclass(frozen=True, slots=True)
class Tied:
    """What records were tied to when the CRM was asked, all of it: ids of `kind` by record id."""

    kind: str
    asked_at: datetime
    ids: Mapping[str, Sequence[str]]


def tied_to(crm: Crm, lookup: Lookup, kind: str, ids: Sequence[str], now: datetime) -> Tied | None:
    """Read what records are tied to: a deal's people, a person's companies.

    None where it does not matter, or where the portal does not tell and leaves it to its webhooks.
    """
    to_kind = _TIED.get(kind, "")
    if not ids or not lookup.mapping.names(to_kind):
        return None
    try:
        ties = crm.ties(kind, ids, to_kind)
    except (CrmDenied, CrmRefused) as error:
        log.warning("ties_not_read", object=kind, reason=str(error))
        return None
    found: dict[str, list[str]] = {}
    for tie in ties:
        found.setdefault(tie.record_id, []).append(tie.to_id)
    return Tied(to_kind, now, found)


_TIED = {"deal": "contact", "contact": "company"}


def _is_gone(record: Record, answered: set[str]) -> bool:
    return record.key.record_id not in answered


def arrivals_of(
    connection: Connection,
    kind: str,
    readings: Sequence[Reading],
    now: datetime,
    tied: Tied | None = None,
) -> list[Arrival]:
    """Return readings as events for the inbox."""
    arrivals = []
    for reading in readings:
        data = dump_reading(reading)
        if tied is not None:
            ids = list(tied.ids.get(reading.asked_id, ()))
            data["tied"] = {"kind": tied.kind, "at": tied.asked_at.isoformat(), "ids": ids}
        arrivals.append(_arrival(connection, kind, reading.record_id, data, now))
    return arrivals


def _arrival(
    connection: Connection, kind: str, record_id: str, data: dict[str, object], now: datetime
) -> Arrival:
    key = f"read:{kind}/{data['asked_id']}@{now.timestamp():.6f}"
    event = Event(key, Happening.READ, connection.portal, kind, record_id, now, "", data)
    return Arrival(0, connection.id, event, now, LIVE)


def _missing(connection: Connection, record: Record, now: datetime) -> Arrival:
    empty = Reading(record.key.record_id, record.key.record_id, {}, {}, None, None)
    data = dump_reading(empty) | {"missing": True}
    return _arrival(connection, record.key.object, record.key.record_id, data, now)
