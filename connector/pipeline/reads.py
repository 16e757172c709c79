"""Records that we know too little of are read, and what was read goes through the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from connector import trace
from connector.domain.errors import CrmDenied, CrmRefused
from connector.mapping.lookup import Lookup
from connector.mapping.table import Meaning
from connector.pipeline.reading import dump_reading
from connector.ports import Event, Happening, Reading, Tie
from connector.stored import LIVE, Arrival, Connection, Record

if TYPE_CHECKING:
    from connector.pipeline.send import Sending

log = structlog.get_logger(__name__)
AT_ONCE = 50
# Fields whose past matters; the CRM is asked for their history.
DATED = (Meaning.LIFECYCLE, Meaning.LEAD_STATUS, Meaning.EMAIL, Meaning.OPT_OUT, Meaning.DEAL_STAGE)


def dated_fields(lookup: Lookup, kind: str) -> list[str]:
    """Return the CRM's names of the fields that are read with their history."""
    names = [lookup.mapping.name_of(kind, meaning) for meaning in DATED]
    return [name for name in names if name]


def read_next(sending: Sending) -> bool:
    """Read the records that wait for it; say whether there were any."""
    services, connection = sending.services, sending.connection
    with services.store.writing(sending.fence) as unit:
        records = unit.asked(connection.id, services.now(), AT_ONCE)
    if not records:
        return False
    kind = records[0].key.object
    lookup = sending.lookup()
    ids = [record.key.record_id for record in records]
    names, dated = lookup.mapping.names(kind), dated_fields(lookup, kind)
    try:
        with trace.following(record.ask_trace for record in records):
            ties = _ties(sending, kind, ids)
            readings = sending.crm.read(kind, ids, names, dated)
    except (CrmDenied, CrmRefused) as error:
        log.warning("records_not_read", object=kind, count=len(ids), reason=str(error))
        with services.store.writing(sending.fence) as unit:
            unit.ask([record.key for record in records], None)
        return True
    now = services.now()
    arrivals = arrivals_of(connection, kind, readings, ties, now)
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


def _ties(sending: Sending, kind: str, ids: Sequence[str]) -> list[Tie]:
    """Read whose deals these are; a portal that does not tell leaves it to its webhooks."""
    if kind != "deal":
        return []
    try:
        return sending.crm.ties(kind, ids, "contact")
    except (CrmDenied, CrmRefused) as error:
        log.warning("ties_not_read", object=kind, reason=str(error))
        return []


def _is_gone(record: Record, answered: set[str]) -> bool:
    return record.key.record_id not in answered


def arrivals_of(
    connection: Connection,
    kind: str,
    readings: Sequence[Reading],
    ties: Sequence[Tie],
    now: datetime,
) -> list[Arrival]:
    """Return readings as events for the inbox."""
    arrivals = []
    for reading in readings:
        tied = [["contact", tie.to_id] for tie in ties if tie.record_id == reading.asked_id]
        data = dump_reading(reading) | {"ties": tied}
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
