"""Rows as values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from connector.domain.facts import ConnectionId, Fact, Link, RecordKey
from connector.domain.slots import Funnel, Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.table import Disposition
from connector.stored import (
    LedgerMove,
    OwnStep,
    Pending,
    Profile,
    Purpose,
    Record,
    State,
    Writing,
)


def key_of(row: Row[Any]) -> RecordKey:
    """Return the record that a row is about."""
    return RecordKey(ConnectionId(row.connection_id), row.object, row.record_id)


def as_slot(number: int | None) -> Slot | None:
    """Return a stored slot."""
    return None if number is None else Slot(number)


@lru_cache(maxsize=1024)
def as_funnel(*numbers: int) -> Funnel:
    """Return a stored funnel order; accounts have few, steps are many."""
    return tuple(map(Slot, numbers))


def as_record(row: Row[Any]) -> Record:
    """Return a record's row as a value."""
    return Record(
        key_of(row),
        row.profile_id,
        row.email,
        row.lifecycle,
        row.lead_status,
        row.owner,
        row.alive,
        row.merged_into,
        row.pushed,
        row.ask_at,
        row.ask_lane,
        row.asked,
        row.read_at,
        row.created_at,
        as_slot(row.claim),
        row.ask_trace,
    )


def as_fact(row: Row[Any]) -> Fact:
    """Return a fact's row as a value."""
    return Fact(
        key_of(row),
        row.field,
        row.value,
        row.happened_at,
        row.event_id,
        row.version,
        row.ours,
        row.silent,
    )


def as_link(row: Row[Any]) -> Link:
    """Return a link's row as a value."""
    connection_id = ConnectionId(row.connection_id)
    return Link(
        RecordKey(connection_id, row.from_object, row.from_id),
        RecordKey(connection_id, row.to_object, row.to_id),
        row.present,
        row.happened_at,
        row.event_id,
        row.silent,
    )


def as_profile(row: Row[Any]) -> Profile:
    """Return a profile's row as a value."""
    return Profile(
        row.id,
        as_slot(row.slot),
        row.slot_since,
        Disposition(row.disposition) if row.disposition else None,
        row.success_at,
        row.merged_into,
        row.created_at,
    )


def as_step(row: Row[Any]) -> OwnStep:
    """Return a step's row as a value."""
    return OwnStep(
        row.id,
        row.profile_id,
        Kind(row.kind),
        Actor(row.actor),
        row.happened_at,
        row.recorded_at,
        as_funnel(*row.funnel),
        as_slot(row.slot),
        as_slot(row.start),
        row.reason,
        row.cause,
        row.batch_id,
        row.silent,
        row.unmuting,
    )


def as_move(row: Row[Any]) -> LedgerMove:
    """Return a move's row as a value."""
    return LedgerMove(
        row.id,
        row.profile_id,
        row.position,
        as_slot(row.start),
        Slot(row.goal),
        Actor(row.actor),
        row.reason,
        row.batch_id,
        row.step_key,
        row.occurred_at,
        row.recorded_at,
    )


def as_pending(row: Row[Any]) -> Pending:
    """Return an outbox row as a value."""
    return Pending(
        row.id,
        key_of(row),
        Purpose(row.purpose),
        row.fields,
        row.seen,
        row.profile_id,
        as_slot(row.slot),
        row.cause,
        row.lane,
        State(row.state),
        row.reason,
        row.attempts,
        row.hold_id,
        row.due_at,
        row.created_at,
        row.trace,
        row.wanted_at,
    )


def as_writing(row: Row[Any]) -> Writing:
    """Return a row of the write ledger as a value."""
    return Writing(
        row.id,
        key_of(row),
        row.field,
        row.value,
        row.seen,
        row.seen_at,
        row.intent_at,
        row.written_at,
        row.cause,
        row.restored,
    )
