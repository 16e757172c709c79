"""What the clock comes for: leads that nobody touched, and bad timing whose day has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.facts import ProfileId
from connector.domain.handoffs import Intent, Part
from connector.domain.moves import PERSONS
from connector.domain.slots import Role, Slot
from connector.domain.steps import Actor
from connector.mapping.handoff import Recycle, UntouchedTask, filled, quoted
from connector.mapping.table import Meaning
from connector.pipeline.send import Sending, sift
from connector.ports import TaskDraft
from connector.stored import Changes as StoredChanges
from connector.stored import Pending, Profile, Purpose, Record, State

if TYPE_CHECKING:
    from connector.store.unit import Unit

AT_ONCE = 50
# Each takes a few calls: others wait no longer for it than for a batch of writes.
TASKS_AT_ONCE = 10
# How often a date that the CRM holds is looked at again: somebody may change it.
AGAIN = timedelta(days=1)
# An intent whose day has come; the account's own turn takes the step.
RIPE = "ripe"


def hand_next(sending: Sending) -> bool:
    """See to what is due at a connection; say whether there was anything."""
    with sending.services.store.reading() as unit:
        due = unit.handoffs.due(sending.connection.id, sending.services.now(), AT_ONCE)
    tasks = [one for one in due if one.part is Part.TASK]
    timings = [one for one in due if one.part is Part.RECYCLE]
    if tasks:
        _want_tasks(sending, tasks)
    if timings:
        _look_at_timings(sending, timings)
    return bool(due)


def _want_tasks(sending: Sending, due: Sequence[Intent]) -> None:
    """Put tasks for leads that nobody touched, as far as we know, into the outbox."""
    now, connection = sending.services.now(), sending.connection
    enabled = sending.lookup().mapping.handoff.untouched_task.enabled
    changes = StoredChanges()
    with sending.services.store.writing(sending.fence) as unit:
        for one in due:
            profile = _person(unit, sending, one)
            wanted = (
                enabled and profile is not None and not _is_touched(unit, sending, one, profile)
            )
            unit.handoffs.conclude(one.key, "wanted" if wanted else "touched")
            if wanted and profile is not None:
                fields = {"task": one.key}
                task = Pending(0, one.record, Purpose.TASK, fields, {}, profile.id, profile.slot)
                changes.pending.append(replace(task, due_at=now, created_at=now))
        unit.save(connection.account_id, changes, now)


def _person(unit: Unit, sending: Sending, one: Intent) -> Profile | None:
    """Return whom a record is about, None where it is gone."""
    record: Record | None = unit.records([one.record]).get(one.record)
    if record is None or not record.alive or record.merged_into or not record.profile_id:
        return None
    return unit.people.profile(sending.connection.account_id, record.profile_id)


def _is_touched(unit: Unit, sending: Sending, one: Intent, profile: Profile) -> bool:
    """Say whether somebody did something since: a lead status, a move; or it is no MQL any more."""
    account_id = sending.connection.account_id
    if profile.slot is not sending.lookup().address(Role.MQL):
        return True
    said = unit.people.answers(account_id, profile.id)
    moved = unit.people.moves(account_id, profile.id)
    return any(a.actor is Actor.CRM and a.occurred_at > one.answers for a in said) or any(
        Actor(move.actor) in PERSONS and move.occurred_at > one.answers for move in moved
    )


def send_tasks(sending: Sending, rows: list[Pending]) -> None:
    """Add the tasks that are wanted, one by one; a refused one is parked by itself."""
    sending.later(rows[TASKS_AT_ONCE:], "", 0.0)
    for row in rows[:TASKS_AT_ONCE]:
        try:
            _send_task(sending, row)
        except (CrmDenied, CrmRefused) as error:
            sending.park([row], str(error))


def _send_task(sending: Sending, row: Pending) -> None:
    """Look into the CRM for what was done there, then add the task."""
    settings = sending.lookup().mapping.handoff.untouched_task
    if not _is_wanted(sending, row):
        return
    key, kind = row.fields["task"], row.record.object
    names = _names(sending, kind, settings)
    readings = sending.crm.read(kind, [row.record.record_id], names, [])
    values = readings[0].fields if readings else {}
    with sending.services.store.reading() as unit:
        entered = unit.handoffs.answered(key)
    times = [moment(values.get(name, "")) for name in settings.activity]
    active = entered is not None and any(when and when > entered for when in times)
    if not readings or active or not settings.enabled:
        sending.settle([replace(row, state=State.DROPPED, reason="touched meanwhile")])
        return
    if not _is_wanted(sending, row):
        return
    mapping = sending.lookup().mapping
    draft = TaskDraft(
        kind,
        row.record.record_id,
        filled(settings.subject, values, settings.subject.partition("{")[0].strip() or "Lead"),
        sending.services.now(),
        values.get(mapping.name_of(kind, Meaning.OWNER), ""),
    )
    made = sending.crm.add_task(draft, key)
    with sending.services.store.writing(sending.fence) as unit:
        unit.handoffs.conclude(key, "made", made)
        unit.settle([replace(row, state=State.SENT)], sending.services.now())


def _names(sending: Sending, kind: str, settings: UntouchedTask) -> list[str]:
    owner = sending.lookup().mapping.name_of(kind, Meaning.OWNER)
    return sorted({*settings.activity, *quoted(settings.subject), owner} - {""})


def _is_wanted(sending: Sending, row: Pending) -> bool:
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, [row])
    return bool(wanted)


def _look_at_timings(sending: Sending, due: Sequence[Intent]) -> None:
    """Mark bad timings whose day has come as ripe, and look at the others again later."""
    recycle = sending.lookup().mapping.handoff.recycle
    people: dict[str, ProfileId] = {}
    with sending.services.store.writing(sending.fence) as unit:
        for one in due:
            profile = _person(unit, sending, one)
            if profile is None or profile.slot is Slot.DO_NOT_CONTACT or not recycle.enabled:
                unit.handoffs.conclude(one.key, "dropped")
            else:
                people[one.key] = profile.id
    left = [one for one in due if one.key in people]
    told = _told(sending, left, recycle) if recycle.field else {}
    with sending.services.store.writing(sending.fence) as unit:
        for one in left:
            day = comes_on(one.answers, told.get(one.record.record_id), recycle)
            now = sending.services.now()
            if day is not None and day <= now:
                unit.handoffs.conclude(one.key, RIPE)
            else:
                unit.handoffs.postpone(one.key, min(day or now + AGAIN, now + AGAIN))


def _told(sending: Sending, due: Sequence[Intent], recycle: Recycle) -> dict[str, datetime | None]:
    """Return the dates that the CRM holds; a field that it won't tell of holds none."""
    found: dict[str, datetime | None] = {}
    for kind in sorted({one.record.object for one in due}):
        ids = [one.record.record_id for one in due if one.record.object == kind]
        try:
            readings = sending.crm.read(kind, ids, [recycle.field], [])
        except (CrmDenied, CrmRefused):
            continue
        found |= {one.asked_id: moment(one.fields.get(recycle.field, "")) for one in readings}
    return found


def comes_on(answered: datetime, told: datetime | None, recycle: Recycle) -> datetime | None:
    """Return when a bad timing is over: the CRM's date, unless it is older than the answer.

    Without one so many days after the answer; None where neither says.
    """
    if told is not None and told.date() >= answered.date():
        return told
    days = recycle.after_days
    return None if days is None else answered + timedelta(days=days)


def moment(value: str) -> datetime | None:
    """Return a CRM's date or time, from ISO text or epoch milliseconds; None where it is none."""
    try:
        if value.isascii() and value.isdigit():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        if len(value) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(value), time(), UTC)
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
