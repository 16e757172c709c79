"""Writes to fields that people edit too: read first, written only over what we saw, read back.

A human's edit that turns up between our read and our write is found by the read-back, or by its
webhook, and put back (connector.pipeline.inbound).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connector.domain.facts import RecordKey
from connector.mapping.table import Meaning
from connector.pipeline.reads import arrivals_of, dated_fields
from connector.pipeline.send import Sending, judged, sift, when_written
from connector.ports import Event, Fate, Happening, Outcome, Reading, Write
from connector.stored import LIVE, URGENT, Arrival, Note, Pending, Purpose, State, Writing
from connector.stored import Changes as StoredChanges

if TYPE_CHECKING:
    from connector.store.unit import Unit

# A read older than this is no ground for a write.
FRESH = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A write after the pre-read: what may be written, and what stands as theirs."""

    row: Pending
    writes: Mapping[str, str]
    theirs: tuple[str, ...]
    held: Mapping[str, str]


def send_guarded(sending: Sending, rows: list[Pending]) -> None:
    """Write lifecycle stage, lead status, put-backs and lever blanks, three-way."""
    kind = rows[0].record.object
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, rows)
    if not wanted:
        return
    read_at = sending.services.now()
    checked = _pre_read(sending, kind, wanted)
    todo, writings = _intend(sending, [one for one in checked if one.writes], read_at)
    _leave(sending, [one for one in checked if not one.writes])
    if not todo:
        return
    outcomes = sending.crm.write(kind, [Write(c.row.record.record_id, c.writes) for c in todo])
    for one, outcome in zip(todo, outcomes, strict=True):
        _finish(sending, one, outcome, writings)
    _read_back(sending, kind, [c.row for c in todo])


def _pre_read(sending: Sending, kind: str, rows: Sequence[Pending]) -> list[_Checked]:
    names = sorted({name for row in rows for name in row.fields})
    ids = [row.record.record_id for row in rows]
    readings = {one.asked_id: one for one in sending.crm.read(kind, ids, names, [])}
    checked = [_check(row, readings.get(row.record.record_id)) for row in rows]
    changed = [one.row.record for one in checked if one.theirs or not one.held]
    with sending.services.store.writing(sending.fence) as unit:
        unit.ask(changed, sending.services.now(), LIVE)
    return checked


def _check(row: Pending, reading: Reading | None) -> _Checked:
    """Compare what the CRM holds with what we last saw: only what is unchanged may be written."""
    if reading is None or reading.record_id != reading.asked_id:
        return _Checked(row, {}, (), {})
    held = {name: reading.fields.get(name, "") for name in row.fields}
    writes = {
        name: value
        for name, value in row.fields.items()
        if held[name] == row.seen.get(name, "") and held[name] != value
    }
    theirs = tuple(
        name
        for name, value in row.fields.items()
        if held[name] not in {value, row.seen.get(name, "")}
    )
    return _Checked(row, writes, theirs, held)


def _intend(
    sending: Sending, checked: Sequence[_Checked], read_at: datetime
) -> tuple[list[_Checked], dict[tuple[RecordKey, str], Writing]]:
    """Commit what we are about to write, in the transaction that checks the slot once more."""
    if sending.services.now() - read_at > FRESH:
        sending.later([one.row for one in checked], "the read was too old", 0.0)
        return [], {}
    now = sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, [one.row for one in checked])
        kept = {row.id for row in wanted}
        todo = [one for one in checked if one.row.id in kept]
        writings = {
            (one.row.record, name): _writing(sending, unit, one, name, now)
            for one in todo
            for name in one.writes
        }
        unit.intend(sending.connection.account_id, list(writings.values()))
    return todo, writings


def _writing(sending: Sending, unit: Unit, one: _Checked, name: str, now: datetime) -> Writing:
    clock = unit.people.clock(one.row.record, name, one.held[name])
    del sending
    return Writing(
        0, one.row.record, name, one.writes[name], one.held[name], clock, now, cause=one.row.cause
    )


def _leave(sending: Sending, checked: Sequence[_Checked]) -> None:
    """End writes that need no call: the CRM holds our value already, or theirs stands."""
    rows = []
    for one in checked:
        if one.theirs:
            _note(sending, one.row, f"changed in the CRM meanwhile: {', '.join(one.theirs)}")
        reason = "theirs stands" if one.theirs else ""
        state = State.DROPPED if one.theirs or not one.held else State.SENT
        rows.append(replace(one.row, state=state, reason=reason))
    sending.settle(rows)


def _note(sending: Sending, row: Pending, detail: str) -> None:
    changes = StoredChanges()
    now = sending.services.now()
    changes.notes.append(Note("write_skipped", detail, now, row.profile_id, row.record.record_id))
    with sending.services.store.writing(sending.fence) as unit:
        unit.save(sending.connection.account_id, changes, now)


def _finish(
    sending: Sending,
    one: _Checked,
    outcome: Outcome,
    writings: Mapping[tuple[RecordKey, str], Writing],
) -> None:
    """Settle one write; a value that the CRM silently kept is set by clearing it first."""
    row = judged(sending, one.row, outcome)
    if outcome.fate is Fate.DONE:
        kept = [n for n, value in one.writes.items() if outcome.now.get(n, value) != value]
        if kept and not _may_go_back(sending, one.row):
            row = replace(row, state=State.DROPPED, reason=f"would regress: {', '.join(kept)}")
            _note(sending, one.row, row.reason)
        elif kept:
            outcome = _clear_then_set(sending, one, kept, outcome)
            kept = []
        _record(sending, one, outcome, kept, writings)
    sending.settle([row])


def _may_go_back(sending: Sending, row: Pending) -> bool:
    return row.purpose is Purpose.RESTORE or sending.lookup().mapping.allow_backward


def _clear_then_set(
    sending: Sending, one: _Checked, names: Sequence[str], before: Outcome
) -> Outcome:
    """Go back where the CRM only goes forward, journalled so that no record is left blank."""
    outcome = before
    for name in names:
        entry = {
            **one.row.record._asdict(),
            "field": name,
            "value": one.writes[name],
            "before": one.held[name],
        }
        with sending.services.store.writing(sending.fence) as unit:
            number = unit.open_journal(sending.connection.account_id, entry, sending.services.now())
        outcome = _set_again(sending, one.row.record, name, one.writes[name], number)
    return outcome


def _set_again(sending: Sending, key: RecordKey, name: str, value: str, number: int) -> Outcome:
    sending.crm.write(key.object, [Write(key.record_id, {name: ""})])
    (outcome,) = sending.crm.write(key.object, [Write(key.record_id, {name: value})])
    if outcome.fate is not Fate.LATER:
        with sending.services.store.writing(sending.fence) as unit:
            unit.close_journal(number)
    return outcome


def finish_journal(sending: Sending) -> None:
    """Set what an interrupted clear-then-set left blank; a value set meanwhile stands."""
    with sending.services.store.reading() as unit:
        entries = unit.journal(sending.connection.id)
    for entry in entries:
        readings = sending.crm.read(entry.object, [entry.record_id], [entry.field], [])
        held = readings[0].fields.get(entry.field, "") if readings else None
        if held == "":
            key = RecordKey(sending.connection.id, entry.object, entry.record_id)
            sending.crm.write(key.object, [Write(key.record_id, {entry.field: entry.value})])
        with sending.services.store.writing(sending.fence) as unit:
            unit.close_journal(entry.id)


def _record(
    sending: Sending,
    one: _Checked,
    outcome: Outcome,
    kept: Sequence[str],
    writings: Mapping[tuple[RecordKey, str], Writing],
) -> None:
    """Date the ledger's rows by the CRM's clock, and tell the inbox of our own writes."""
    now = sending.services.now()
    at = when_written(outcome, now)
    connection = sending.connection
    events = [
        _own_event(sending, one.row.record, name, value, at)
        for name, value in one.writes.items()
        if name not in kept
    ]
    with sending.services.store.writing(sending.fence) as unit:
        for name in one.writes:
            unit.written(writings[one.row.record, name], at)
        unit.add_events(connection.account_id, events)
    sending.services.wake("drain", connection.account_id)


def _own_event(sending: Sending, key: RecordKey, name: str, value: str, at: datetime) -> Arrival:
    connection = sending.connection
    event = Event(
        f"own:{key.object}/{key.record_id}/{name}@{at.timestamp():.6f}={value}",
        Happening.CHANGED,
        connection.portal,
        key.object,
        key.record_id,
        at,
        "",
        {"field": name, "value": value, "ours": True},
        "",
        connection.app,
    )
    return Arrival(0, connection.id, event, sending.services.now(), URGENT)


def _read_back(sending: Sending, kind: str, rows: Sequence[Pending]) -> None:
    """Read what was written with its history: a human's edit in between shows there."""
    lookup = sending.lookup()
    guarded = {lookup.mapping.name_of(kind, m) for m in (Meaning.LIFECYCLE, Meaning.LEAD_STATUS)}
    names = sorted({name for row in rows for name in row.fields if name in guarded})
    if not names:
        return
    ids = sorted({row.record.record_id for row in rows})
    dated = [name for name in dated_fields(lookup, kind) if name in guarded]
    readings = sending.crm.read(kind, ids, lookup.mapping.names(kind), dated)
    now = sending.services.now()
    arrivals = arrivals_of(sending.connection, kind, readings, [], now)
    with sending.services.store.writing(sending.fence) as unit:
        unit.add_events(sending.connection.account_id, arrivals)
    sending.services.wake("drain", sending.connection.account_id)
