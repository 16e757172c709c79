"""One record for whoever is to get one: never a second, whatever was interrupted.

That it is wanted was entered long before the call, and that the call begins is committed before it
does. The CRM is asked by e-mail first, so that whoever comes after a lost answer finds the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.facts import ProfileId, RecordKey
from connector.domain.journeys import Alias
from connector.pipeline.erasure import graves
from connector.pipeline.send import Sending
from connector.ports import Event, Happening, Person, PersonDraft
from connector.stored import LIVE, Arrival, Note, Pending, Profile, State
from connector.stored import Changes as StoredChanges

if TYPE_CHECKING:
    from connector.store.creations import Wanted
    from connector.store.unit import Unit

# Each takes a call or two: others wait no longer for it than for a batch of writes.
AT_ONCE = 10
# Looked for by at most so many of a person's addresses.
MOST_ADDRESSES = 5
# Whoever is over the day's cap is looked at again so often, in case the cap was raised.
AGAIN = timedelta(hours=1)
MADE, FOUND = "made", "found"


@dataclass(frozen=True, slots=True)
class _Case:
    """Somebody who is to get a record now, and by which addresses they are known."""

    wanted: Wanted
    profile: Profile
    emails: Sequence[str]


def send_people(sending: Sending, rows: list[Pending]) -> None:
    """Make the records that are wanted, one by one; a refused one is parked by itself."""
    sending.later(rows[AT_ONCE:], "", 0.0)
    for row in rows[:AT_ONCE]:
        try:
            _send(sending, row)
        except (CrmDenied, CrmRefused) as error:
            sending.park([row], str(error))


def _send(sending: Sending, row: Pending) -> None:
    case = _look(sending, row, calls=False)
    if case is None:
        return
    found = sending.crm.find_person(case.emails)
    if found is None:
        # The last look at the slot, in the transaction after which the call begins.
        case = _look(sending, row, calls=True)
        if case is None:
            return
        found = sending.crm.create_person(_draft(sending, case))
    _conclude(sending, row, found, ours=found.made or case.wanted.called_at is not None)


def _look(sending: Sending, row: Pending, *, calls: bool) -> _Case | None:
    """Say who is to get a record now; `calls` commits that the call which makes it begins."""
    now = sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        wanted = unit.creations.wanted(row.record.record_id)
        if wanted is None:
            unit.settle([replace(row, state=State.DROPPED, reason="no longer wanted")], now)
            return None
        profile = unit.people.profile(sending.connection.account_id, wanted.profile_id)
        emails = _addresses(sending, unit, wanted.profile_id)
        reason = _refusal(sending, profile, emails)
        if not reason and wanted.called_at is None:
            reason = _has_record(sending, unit, wanted)
        if reason or profile is None:
            unit.creations.withdraw(wanted.key)
            unit.settle([replace(row, state=State.DROPPED, reason=reason)], now)
            return None
        if _is_full(sending, unit, wanted):
            again = replace(row, state=State.PENDING, reason="the day's cap is reached")
            unit.settle([replace(again, due_at=now + AGAIN)], now)
            return None
        if calls and wanted.called_at is None:
            unit.creations.call(wanted.key, now)
    return _Case(wanted, profile, emails)


def _addresses(sending: Sending, unit: Unit, profile_id: ProfileId) -> list[str]:
    """Return a profile's proven addresses, but those under which somebody was erased."""
    own = sending.connection.account_id
    known = unit.creations.addresses(own, profile_id)
    buried = graves(unit, own, [Alias("email", email) for email in known])
    return [email for email in known if Alias("email", email) not in buried][:MOST_ADDRESSES]


def _refusal(sending: Sending, profile: Profile | None, emails: Sequence[str]) -> str:
    """Say why somebody is to get no record after all, "" where they are."""
    if profile is None:
        return "the profile is gone"
    lookup = sending.lookup()
    creation = lookup.mapping.create
    if creation is None:
        return "switched off"
    if profile.slot not in creation.slots(lookup.pipeline.funnel):
        return "the profile has moved on"
    return "" if emails else "no proven address"


def _has_record(sending: Sending, unit: Unit, wanted: Wanted) -> str:
    has = unit.creations.has_record(sending.connection.id, wanted.profile_id)
    return "it has a record" if has else ""


def _is_full(sending: Sending, unit: Unit, wanted: Wanted) -> bool:
    """Say whether the day's records were made; one whose call began counts already."""
    creation = sending.lookup().mapping.create
    day = datetime.combine(sending.services.now().astimezone(UTC).date(), time(), UTC)
    made = unit.creations.number_called(sending.connection.id, day)
    return creation is not None and wanted.called_at is None and made >= creation.daily_cap


def _draft(sending: Sending, case: _Case) -> PersonDraft:
    """Return what a new record says: the address, and what the platform knows of the person."""
    with sending.services.store.reading() as unit:
        known = unit.journeys.visitors(sending.connection.account_id, [case.profile.id])
    told = known[case.profile.id].person if case.profile.id in known else {}
    names = {name: str(told.get(name, "")) for name in ("first_name", "last_name", "company")}
    return PersonDraft(case.emails[0], **names)


def _conclude(sending: Sending, row: Pending, found: Person, *, ours: bool) -> None:
    """Keep which record it is, and have it met, joined and read.

    Of whoever was erased meanwhile nothing may come back: the record is refused for good.
    """
    connection, now = sending.connection, sending.services.now()
    record = RecordKey(connection.id, found.kind, found.record_id)
    changes = StoredChanges()
    with sending.services.store.writing(sending.fence) as unit:
        kept = unit.creations.conclude(row.record.record_id, MADE if ours else FOUND, record)
        profile = unit.people.profile(connection.account_id, row.profile_id or "")
        if profile is None:
            changes.buried["record", "/".join(record)] = now
            changes.notes.append(Note("person_erased_while_made", "", now, None, record.record_id))
        elif kept:
            what = f"person_{MADE if ours else FOUND}"
            changes.notes.append(Note(what, "", now, profile.id, record.record_id))
        unit.save(connection.account_id, changes, now)
        if profile is not None:
            unit.add_events(connection.account_id, [_met(sending, record)])
        unit.settle([replace(row, state=State.SENT, reason="")], now)
    sending.services.wake("drain", connection.account_id)


def _met(sending: Sending, record: RecordKey) -> Arrival:
    """Return that a record is there, as an event of our own: it is read soon."""
    connection, now = sending.connection, sending.services.now()
    event = Event(
        f"own:{record.object}/{record.record_id}@{now.timestamp():.6f}",
        Happening.CREATED,
        connection.portal,
        record.object,
        record.record_id,
        now,
        "",
        {"ours": True},
        "",
        connection.app,
    )
    return Arrival(0, connection.id, event, now, LIVE)
