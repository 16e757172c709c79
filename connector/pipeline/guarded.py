"""Writes to fields that people edit too: read first, written only over what we saw, read back.

A human's edit that turns up between our read and our write is found by the read-back, or by its
webhook, and put back (connector.pipeline.inbound).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.facts import RecordKey
from connector.domain.slots import Slot
from connector.pipeline.inbound import FRESH, GUARDED
from connector.pipeline.reads import arrivals_of, dated_fields
from connector.pipeline.send import Sending, judged, note, profiles_of, sift, when_written
from connector.pipeline.wishes import LEVER, PERSONS
from connector.ports import Event, Fate, Happening, Outcome, Reading, Write
from connector.stored import LIVE, URGENT, Arrival, Pending, Purpose, State, Writing

if TYPE_CHECKING:
    from connector.store.unit import Unit


@dataclass(frozen=True, slots=True)
class _Checked:
    """A write after the pre-read: what may be written, and what stands as theirs."""

    row: Pending
    writes: Mapping[str, str]
    theirs: tuple[str, ...]
    held: Mapping[str, str]
    since: Mapping[str, datetime | None] = field(default_factory=dict)


def send_guarded(sending: Sending, rows: list[Pending]) -> None:
    """Write lifecycle stage, lead status, put-backs and lever blanks, three-way."""
    kind = rows[0].record.object
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, rows)
        levers = [_to_blank(unit, row) for row in wanted if row.purpose is Purpose.LEVER]
    if not wanted:
        return
    read_at = sending.services.now()
    checked = levers or _pre_read(sending, kind, wanted)
    todo, writings = _intend(sending, [one for one in checked if one.writes], read_at)
    _leave(sending, [one for one in checked if not one.writes])
    if not todo:
        return
    outcomes = sending.crm.write(kind, [Write(c.row.record.record_id, c.writes) for c in todo])
    for one, outcome in zip(todo, outcomes, strict=True):
        _finish(sending, one, outcome, writings)
    _read_back(sending, kind, [c.row for c in todo])


def _to_blank(unit: Unit, row: Pending) -> _Checked:
    """Say whether a lever is to be blanked: not where a write of ours was after the last pull.

    A field of ours is not read first: a pull that we blank unseen comes by its webhook.
    """
    (name,) = row.fields
    last, pull = unit.last_written(row.record, name), unit.people.newest(row.record, name)
    is_blank = last and last.written_at and pull and pull.when < last.written_at
    return _Checked(row, {} if is_blank else row.fields, (), row.seen)


def _pre_read(sending: Sending, kind: str, rows: Sequence[Pending]) -> list[_Checked]:
    names = sorted({name for row in rows for name in row.fields})
    ids = [row.record.record_id for row in rows]
    dated = [name for name in dated_fields(sending.lookup(), kind) if name in names]
    readings = {one.asked_id: one for one in sending.crm.read(kind, ids, names, dated)}
    with sending.services.store.writing(sending.fence) as unit:
        checked = [
            _check(row, readings.get(row.record.record_id), _known_words(unit, row)) for row in rows
        ]
        # What the CRM holds is not what we last saw, or the record is gone: learn what happened.
        changed = [one.row.record for one in checked if one.theirs or not one.writes]
        unit.ask(changed, sending.services.now(), LIVE)
    return checked


def _known_words(unit: Unit, row: Pending) -> dict[str, set[str]]:
    """Return the values that count as seen: when the write was wanted, or learned of since.

    What we wrote ourselves since we last heard of a field, or heard of last as our own, and what
    the CRM was given before a person wanted the write, is no edit in between. A rule that did not
    know of it yields.
    """
    found: dict[str, set[str]] = {}
    if row.purpose is Purpose.OWNER:
        return {name: {""} for name in row.fields}
    for name in row.fields:
        known = found.setdefault(name, {row.seen.get(name, "")})
        last = unit.last_written(row.record, name)
        newest = unit.people.newest(row.record, name)
        if last and (newest is None or newest.when <= (last.written_at or last.intent_at)):
            known.add(last.value)
        wanted_at = row.wanted_at if row.cause.startswith(PERSONS) else None
        if newest and (newest.ours or (wanted_at and newest.when <= wanted_at)):
            known.add(newest.value)
    return found


def _since(reading: Reading, name: str) -> datetime | None:
    """Return since when the CRM says that it holds its value, None where it does not tell."""
    past = reading.history.get(name, ())
    return past[-1].when if past and past[-1].value == reading.fields.get(name, "") else None


def _is_one_save(row: Pending, since: datetime | None) -> bool:
    """Say whether the CRM was given its value in the very save that pulled the lever."""
    return row.cause.startswith(LEVER) and since is not None and since == row.wanted_at


def _check(row: Pending, reading: Reading | None, known: Mapping[str, set[str]]) -> _Checked:
    """Compare what the CRM holds with what we last saw: only what is unchanged may be written."""
    if reading is None or reading.record_id != reading.asked_id:
        return _Checked(row, {}, (), {})
    held = {name: reading.fields.get(name, "") for name in row.fields}
    since = {name: _since(reading, name) for name in row.fields}
    changed = {name: value for name, value in row.fields.items() if held[name] != value}
    writes = {
        name: value
        for name, value in changed.items()
        if held[name] in known[name] or _is_one_save(row, since[name])
    }
    return _Checked(row, writes, tuple(name for name in changed if name not in writes), held, since)


def _intend(
    sending: Sending, checked: Sequence[_Checked], read_at: datetime
) -> tuple[list[_Checked], dict[tuple[RecordKey, str], Writing]]:
    """Commit what we are about to write, in the transaction that checks the slot once more."""
    if sending.services.now() - read_at > FRESH:
        sending.later([one.row for one in checked], "the read was too old")
        return [], {}
    now = sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, [one.row for one in checked])
        kept = {row.id for row in wanted}
        todo = [one for one in checked if one.row.id in kept]
        writings = {
            (one.row.record, name): _writing(unit, one, name, now)
            for one in todo
            for name in one.writes
        }
        unit.intend(sending.connection.account_id, list(writings.values()))
    return todo, writings


def _writing(unit: Unit, one: _Checked, name: str, now: datetime) -> Writing:
    held = one.held[name]
    since = one.since.get(name) or unit.people.clock(one.row.record, name, held)
    return Writing(0, one.row.record, name, one.writes[name], held, since, now, cause=one.row.cause)


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
    with sending.services.store.writing(sending.fence) as unit:
        note(sending, unit, row, "write_skipped", detail)


def _finish(
    sending: Sending,
    one: _Checked,
    outcome: Outcome,
    writings: Mapping[tuple[RecordKey, str], Writing],
) -> None:
    """Settle one write; a value that the CRM silently kept is set by clearing it first."""
    row = judged(sending, one.row, outcome)
    if outcome.fate is Fate.DONE:
        kept = _kept(one, outcome)
        if kept and _may_go_back(sending, one, kept, outcome):
            outcome = _clear_then_set(sending, one, kept, outcome)
            row, kept = judged(sending, one.row, outcome), _kept(one, outcome)
        if kept and row.state is State.SENT:
            row = replace(row, state=State.DROPPED, reason=f"would regress: {', '.join(kept)}")
            _note(sending, one.row, row.reason)
        _record(sending, one, outcome, kept, writings)
    sending.settle([row])


def _kept(one: _Checked, outcome: Outcome) -> list[str]:
    """Return the fields that do not hold what we wrote."""
    if outcome.fate is not Fate.DONE:
        return list(one.writes)
    return [name for name, value in one.writes.items() if outcome.now.get(name, value) != value]


def _may_go_back(sending: Sending, one: _Checked, kept: Sequence[str], outcome: Outcome) -> bool:
    """Say whether we may clear: what the CRM kept is what we saw, and no edit made since."""
    if any(outcome.now.get(name, "") != one.held[name] for name in kept):
        return False
    return one.row.purpose is Purpose.RESTORE or sending.lookup().mapping.allow_backward


def _clear_then_set(
    sending: Sending, one: _Checked, names: Sequence[str], before: Outcome
) -> Outcome:
    """Go back where the CRM only goes forward, journalled so that no record is left blank."""
    outcome = before
    for name in names:
        key = one.row.record
        entry = {"field": name, "value": one.writes[name], "before": one.held[name]}
        with sending.services.store.writing(sending.fence) as unit:
            wanted, _, _ = sift(sending, unit, [one.row])
            if not wanted:
                return before
            now = sending.services.now()
            number = unit.open_journal(
                sending.connection.account_id, {**key._asdict(), **entry}, now
            )
            clearing = Writing(0, key, name, "", one.held[name], None, now, cause=one.row.cause)
            unit.intend(sending.connection.account_id, [clearing])
        outcome = _set_again(sending, key, entry, number)
        if outcome.fate is not Fate.DONE:
            break
    return replace(outcome, now={**before.now, **outcome.now})


def _set_again(sending: Sending, key: RecordKey, entry: Mapping[str, str], number: int) -> Outcome:
    name = entry["field"]
    (outcome,) = sending.crm.write(key.object, [Write(key.record_id, {name: ""})])
    if outcome.fate is Fate.DONE:
        outcome = _refill(sending, key, name, entry["value"], entry["before"])
    if outcome.fate is not Fate.LATER:
        with sending.services.store.writing(sending.fence) as unit:
            unit.close_journal(number)
    return outcome


def _refill(sending: Sending, key: RecordKey, name: str, ours: str, before: str) -> Outcome:
    """Set a field that we cleared, known as ours, to the first value that the CRM takes.

    Whoever came to slot 10 meanwhile gets back what people had set: our call is undone.
    """
    for value in (before, ours) if _opted_out(sending, key) else (ours, before):
        intent = Writing(0, key, name, value, "", None, sending.services.now(), cause="journal")
        with sending.services.store.writing(sending.fence) as unit:
            unit.intend(sending.connection.account_id, [intent])
        (outcome,) = sending.crm.write(key.object, [Write(key.record_id, {name: value})])
        if outcome.fate is not Fate.REFUSED:
            break
    return outcome


def _opted_out(sending: Sending, key: RecordKey) -> bool:
    with sending.services.store.reading() as unit:
        record = unit.records([key]).get(key)
        known = record.profile_id if record else None
        profile = unit.people.profile(sending.connection.account_id, known) if known else None
    return profile is not None and profile.slot is Slot.DO_NOT_CONTACT


def finish_journal(sending: Sending) -> None:
    """Set what an interrupted clear-then-set left blank; a value set meanwhile stands."""
    with sending.services.store.reading() as unit:
        entries = unit.journal(sending.connection.id)
    for entry in entries:
        key = RecordKey(sending.connection.id, entry.object, entry.record_id)
        readings = sending.crm.read(entry.object, [entry.record_id], [entry.field], [])
        held = readings[0].fields.get(entry.field, "") if readings else None
        if held == "":
            outcome = _refill(sending, key, entry.field, entry.value, entry.before)
            if outcome.fate is Fate.LATER:
                continue
        with sending.services.store.writing(sending.fence) as unit:
            unit.close_journal(entry.id)
            unit.ask([key], sending.services.now(), LIVE)


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
            if name not in kept:
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
    guarded = {lookup.mapping.name_of(kind, m) for m in GUARDED}
    names = sorted({name for row in rows for name in row.fields if name in guarded})
    ids = _still_open(sending, rows) if names else []
    if not ids:
        return
    dated = [name for name in dated_fields(lookup, kind) if name in guarded]
    dated += sorted(set(names) - set(dated))
    readings = sending.crm.read(kind, ids, lookup.mapping.names(kind), dated)
    now = sending.services.now()
    arrivals = arrivals_of(sending.connection, kind, readings, now)
    with sending.services.store.writing(sending.fence) as unit:
        unit.add_events(sending.connection.account_id, arrivals)
    sending.services.wake("drain", sending.connection.account_id)


def _still_open(sending: Sending, rows: Sequence[Pending]) -> list[str]:
    """Return the records that may be read: nobody asks about a person in slot 10."""
    with sending.services.store.writing(sending.fence) as unit:
        people = profiles_of(unit, sending.connection, rows)
    slots = {one: profile.slot for one, profile in people.items()}
    return sorted(
        {
            row.record.record_id
            for row in rows
            if row.profile_id in slots and slots[row.profile_id] is not Slot.DO_NOT_CONTACT
        }
    )
