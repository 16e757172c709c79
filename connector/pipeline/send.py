"""Writes to a CRM: our own fields, and opt-outs. What was checked is committed before each call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connector.domain.facts import ProfileId, RecordKey
from connector.domain.scores import Score
from connector.domain.slots import Slot
from connector.mapping.lookup import Lookup
from connector.pipeline.own_fields import difference, own_fields
from connector.pipeline.services import Services
from connector.ports import Crm, Fate, Outcome, Write
from connector.stored import (
    LIVE,
    UNKNOWN,
    Changes,
    Connection,
    Note,
    Pending,
    Profile,
    Purpose,
    Record,
    State,
)

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit

# Seconds until a write that failed is tried again, by attempt.
RETRY = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
MOST_ATTEMPTS = 20
# What may still be written once a profile is in slot 10 (DESIGN 5.5).
ALLOWED_WHEN_SUPPRESSED = frozenset({Purpose.OWN, Purpose.OPT_OUT, Purpose.LEVER, Purpose.ERASE})

# What is only wanted as long as the profile stands where it stood.
FOR_ONE_SLOT = frozenset({Purpose.STAGE, Purpose.STATUS})


@dataclass(frozen=True, slots=True)
class Sending:
    """One holder's turn at a connection."""

    services: Services
    connection: Connection
    fence: Fence
    crm: Crm

    def lookup(self) -> Lookup:
        """Return the newest mapping of the connection."""
        with self.services.store.reading() as unit:
            versions = unit.lookups(self.connection.account_id)[self.connection.id]
        return versions[max(versions)]

    def settle(self, rows: Iterable[Pending]) -> None:
        """Store what became of writes."""
        with self.services.store.writing(self.fence) as unit:
            unit.settle(list(rows), self.services.now())

    def park(self, rows: Iterable[Pending], reason: str) -> None:
        """Put writes aside that will not succeed as they are; `replay` tries them again."""
        self.settle(
            replace(row, state=State.PARKED, reason=reason, attempts=row.attempts + 1)
            for row in rows
        )

    def later(self, rows: Iterable[Pending], reason: str, wait: float | None = None) -> None:
        """Put writes back in line for another attempt."""
        self.settle(self.again(row, reason, wait) for row in rows)

    def again(self, row: Pending, reason: str, wait: float | None = None) -> Pending:
        """Return a write as it waits for its next attempt, or parked after too many."""
        attempts = row.attempts + (wait != 0.0)
        if attempts >= MOST_ATTEMPTS:
            return replace(row, state=State.PARKED, reason=reason, attempts=attempts)
        delay = RETRY[min(attempts, len(RETRY)) - 1] if wait is None else wait
        due = self.services.now() + timedelta(seconds=delay)
        return replace(row, state=State.PENDING, reason=reason, attempts=attempts, due_at=due)


def profiles_of(unit: Unit, connection: Connection, rows: Iterable[Pending]) -> Profiles:
    """Return the profiles behind writes, as they stand in this transaction."""
    account_id, people = connection.account_id, unit.people
    known = unit.visits.profiles(account_id, {row.profile_id for row in rows if row.profile_id})
    whole = {
        one: people.profile(account_id, one) if profile.merged_into else profile
        for one, profile in known.items()
    }
    return {one: profile for one, profile in whole.items() if profile}


Profiles = Mapping[ProfileId, Profile]


def person_of(sending: Sending, unit: Unit, key: RecordKey) -> Profile | None:
    """Return whom a record is about, None where it is gone."""
    record = unit.records([key]).get(key)
    if record is None or not record.alive or record.merged_into or not record.profile_id:
        return None
    return unit.people.profile(sending.connection.account_id, record.profile_id)


def refusal(row: Pending, profile: Profile | None, record: Record | None) -> str:
    """Say why a write is no longer wanted, "" where it is: checked as it is about to go."""
    if row.purpose is Purpose.ERASE:
        return ""
    if profile is None or record is None:
        return "the profile is gone"
    suppressed = profile.slot is Slot.DO_NOT_CONTACT
    reasons = {
        "the record is gone": not record.alive or bool(record.merged_into),
        "opted out": suppressed and row.purpose not in ALLOWED_WHEN_SUPPRESSED,
        "the profile has moved on": row.purpose in FOR_ONE_SLOT and profile.slot is not row.slot,
        "no longer opted out": row.purpose is Purpose.OPT_OUT and not suppressed,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def sift(
    sending: Sending, unit: Unit, rows: Sequence[Pending]
) -> tuple[list[Pending], dict[RecordKey, Record], Profiles]:
    """Drop what is no longer wanted, in the transaction that commits our intent to send."""
    profiles = profiles_of(unit, sending.connection, rows)
    records = unit.records([row.record for row in rows])
    wanted, dropped = [], []
    for row in rows:
        profile = profiles.get(row.profile_id) if row.profile_id else None
        reason = refusal(row, profile, records.get(row.record))
        if reason:
            dropped.append(replace(row, state=State.DROPPED, reason=reason))
        else:
            wanted.append(row)
    unit.settle(dropped, sending.services.now())
    return wanted, records, profiles


def is_wanted(sending: Sending, row: Pending) -> bool:
    """Say whether one write is still wanted; it is dropped where not."""
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, [row])
    return bool(wanted)


def note(sending: Sending, unit: Unit, row: Pending, what: str, detail: str) -> None:
    """Write an audit entry about a write, unless its person was erased while we called."""
    account_id, now = sending.connection.account_id, sending.services.now()
    if row.profile_id and unit.people.profile(account_id, row.profile_id):
        entry = Note(what, detail, now, row.profile_id, row.record.record_id)
        unit.save(account_id, Changes(notes=[entry]), now)


def send_own(sending: Sending, rows: list[Pending]) -> None:
    """Write our own read-out fields: what they hold now, never what they held when wanted."""
    now = sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        wanted, records, profiles = sift(sending, unit, rows)
        scores = unit.scores.of(sending.connection.account_id, list(profiles))
        fresh = [_current(sending, row, records, profiles, scores) for row in wanted]
        same = [replace(row, state=State.SENT) for row in fresh if not row.fields]
        unit.settle(same, now)
    todo = [row for row in fresh if row.fields]
    if not todo:
        return
    writes = [Write(row.record.record_id, row.fields) for row in todo]
    urgent = any(row.slot is Slot.DO_NOT_CONTACT for row in todo)
    outcomes = sending.crm.write(todo[0].record.object, writes, urgent=urgent)
    with sending.services.store.writing(sending.fence) as unit:
        done = {
            row.record: row.fields
            for row, outcome in _pairs(todo, outcomes)
            if outcome.fate is Fate.DONE and row.purpose is Purpose.OWN
        }
        unit.pushed(done, {key for key in done if UNKNOWN in records[key].pushed})
        later = [row.record for row, one in _pairs(todo, outcomes) if one.fate is Fate.LATER]
        unit.doubt(later, sending.services.now())
        unit.rewrite(_overwritten(todo, outcomes), sending.services.now())
        after = [judged(sending, r, o) for r, o in _pairs(todo, outcomes)]
        unit.settle(_overtaken(sending, unit, after), sending.services.now())
        unit.ask(_vanished(todo, outcomes), sending.services.now(), LIVE)


def _pairs(
    rows: Sequence[Pending], outcomes: Sequence[Outcome]
) -> Iterable[tuple[Pending, Outcome]]:
    return zip(rows, outcomes, strict=True)


def _overtaken(sending: Sending, unit: Unit, rows: Sequence[Pending]) -> list[Pending]:
    """Put back in line what was written while the profile changed again."""
    profiles = profiles_of(unit, sending.connection, rows)
    records = unit.records([row.record for row in rows])
    scores = unit.scores.of(sending.connection.account_id, list(profiles))
    told = []
    for row in rows:
        known = row.profile_id in profiles and row.record in records
        if known and row.state is State.SENT and row.purpose is Purpose.OWN:
            again = _current(sending, row, records, profiles, scores)
            told.append(replace(again, state=State.PENDING, due_at=None) if again.fields else row)
        else:
            told.append(row)
    return told


def _current(
    sending: Sending,
    row: Pending,
    records: Mapping[RecordKey, Record],
    profiles: Profiles,
    scores: Mapping[ProfileId, Score],
) -> Pending:
    if row.purpose is Purpose.ERASE or row.profile_id is None:
        return row
    own = profiles[row.profile_id], sending.connection.system, scores.get(row.profile_id)
    values = own_fields(*own)
    pushed = records[row.record].pushed
    # An unknown outcome was left behind: everything is written again, blanks included.
    fields = values if UNKNOWN in pushed else difference(values, pushed)
    return replace(row, fields=fields, slot=profiles[row.profile_id].slot)


def _overwritten(rows: Sequence[Pending], outcomes: Sequence[Outcome]) -> list[RecordKey]:
    """Return the records that were written instead: others had been merged into them."""
    return [
        row.record._replace(record_id=outcome.current_id)
        for row, outcome in _pairs(rows, outcomes)
        if outcome.current_id not in {"", outcome.record_id}
    ]


def _vanished(rows: Sequence[Pending], outcomes: Sequence[Outcome]) -> list[RecordKey]:
    """Return the records that are gone or became others: they are read, to learn what they are."""
    return [
        row.record
        for row, outcome in _pairs(rows, outcomes)
        if outcome.fate is Fate.GONE or outcome.current_id not in {"", outcome.record_id}
    ]


def judged(sending: Sending, row: Pending, outcome: Outcome) -> Pending:
    """Return a write's row after its outcome."""
    if outcome.fate is Fate.DONE:
        return replace(row, state=State.SENT, reason="", attempts=row.attempts + 1)
    if outcome.fate is Fate.GONE:
        return replace(row, state=State.DROPPED, reason="the record is gone")
    if outcome.fate is Fate.REFUSED:
        attempts = row.attempts + 1
        return replace(row, state=State.PARKED, reason=outcome.reason, attempts=attempts)
    return sending.again(row, outcome.reason, outcome.retry_in)


def send_opt_outs(sending: Sending, rows: list[Pending]) -> None:
    """Push opt-outs on: read first, because an opt-out through the API can't be taken back."""
    with sending.services.store.writing(sending.fence) as unit:
        wanted, records, _ = sift(sending, unit, rows)
    emails = {row.id: records[row.record].email for row in wanted}
    if not emails:
        return
    already = sending.crm.opted_out(sorted(set(emails.values())))
    todo = sorted({email for email in emails.values() if email and not already.get(email)})
    if todo:
        sending.crm.opt_out(todo)
    sending.settle(replace(row, state=State.SENT) for row in wanted)


def when_written(outcome: Outcome, now: datetime) -> datetime:
    """Date a write by the CRM's own clock where it tells."""
    return outcome.stamp or now
