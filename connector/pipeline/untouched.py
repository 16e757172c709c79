"""A task for the owner where nobody touched a lead since it became an MQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.handoffs import WHILE_OFF, Intent
from connector.domain.moves import PERSONS
from connector.domain.slots import Role
from connector.domain.steps import Actor
from connector.mapping.handoff import filled, quoted
from connector.mapping.lookup import Lookup
from connector.mapping.table import Meaning
from connector.pipeline.reading import parse_date
from connector.pipeline.send import Sending, person_of, sift
from connector.ports import TaskDraft
from connector.stored import Changes as StoredChanges
from connector.stored import LedgerAnswer, Pending, Profile, Purpose, State

if TYPE_CHECKING:
    from datetime import datetime

    from connector.store.unit import Unit

# Each takes a few calls: others wait no longer for it than for a batch of writes.
TASKS_AT_ONCE = 10


def want_tasks(sending: Sending, lookup: Lookup, due: Sequence[Intent]) -> None:
    """Put tasks for leads that nobody touched, as far as we know, into the outbox."""
    now = sending.services.now()
    changes = StoredChanges()
    with sending.services.store.writing(sending.fence) as unit:
        for one in due:
            profile = person_of(sending, unit, one.record)
            needless = _needless(sending, unit, lookup, one, profile)
            unit.handoffs.conclude(one.key, "dropped" if needless else "wanted", needless)
            if profile is not None and not needless:
                fields = {"task": one.key}
                task = Pending(0, one.record, Purpose.TASK, fields, {}, profile.id, profile.slot)
                changes.pending.append(replace(task, due_at=now, created_at=now))
        unit.save(sending.connection.account_id, changes, now)


def _needless(
    sending: Sending, unit: Unit, lookup: Lookup, one: Intent, profile: Profile | None
) -> str:
    """Say why a lead needs no task, "" where it does."""
    if profile is None:
        return "the record is gone"
    if profile.slot is not lookup.address(Role.MQL):
        return "it is no MQL any more"
    account_id = sending.connection.account_id
    said = unit.people.answers(account_id, profile.id)
    moved = unit.people.moves(account_id, profile.id)
    if any(_is_touch(lookup, one, answer) for answer in said):
        return "somebody answered"
    by_hand = (move.occurred_at for move in moved if Actor(move.actor) in PERSONS)
    return "somebody moved it" if any(when > one.answers for when in by_hand) else ""


def _is_touch(lookup: Lookup, one: Intent, answer: LedgerAnswer) -> bool:
    """Say whether sales said something since: that a lead is new may be the CRM's own doing."""
    if answer.actor is not Actor.CRM or answer.occurred_at <= one.answers:
        return False
    return lookup.is_touch(answer.lead_status, answer.disposition, answer.record.object)


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
    lookup = sending.lookup()
    one = _intent(sending, row, lookup)
    if one is None:
        return
    kind, settings = row.record.object, lookup.mapping.handoff.untouched_task
    owner = lookup.mapping.name_of(kind, Meaning.OWNER)
    names = sorted({*settings.activity, *quoted(settings.subject), owner} - {""})
    readings = sending.crm.read(kind, [row.record.record_id], names, [])
    if not readings:
        _drop(sending, row, "the record is gone")
        return
    values = readings[0].fields
    times = [parse_date(values.get(name, "")) for name in settings.activity]
    if any(when and when > one.answers for when in times):
        _drop(sending, row, "somebody was active")
        return
    # The last look at the slot, in the transaction after which the call begins.
    if _intent(sending, row, lookup) is None:
        return
    draft = TaskDraft(
        kind,
        row.record.record_id,
        filled(settings.subject, values, settings.subject.partition("{")[0].strip() or "Lead"),
        sending.services.now(),
        values.get(owner, ""),
    )
    made = sending.crm.add_task(draft, one.key)
    with sending.services.store.writing(sending.fence) as unit:
        unit.handoffs.conclude(one.key, "made", made)
        unit.settle([replace(row, state=State.SENT)], sending.services.now())


def _intent(sending: Sending, row: Pending, lookup: Lookup) -> Intent | None:
    """Return what a task is for, None where nobody needs it any more, or not for now."""
    now, is_off = sending.services.now(), not lookup.mapping.handoff.untouched_task.enabled
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, people = sift(sending, unit, [row])
        one = unit.handoffs.find(row.fields["task"])
        if not wanted or one is None or row.profile_id is None:
            return None
        needless = _needless(sending, unit, lookup, one, people[row.profile_id])
        if needless:
            _settle(unit, row, needless, now)
        elif is_off:
            unit.handoffs.postpone(one.key, now + WHILE_OFF)
            unit.settle([replace(row, state=State.DROPPED, reason="switched off")], now)
    return None if needless or is_off else one


def _drop(sending: Sending, row: Pending, reason: str) -> None:
    with sending.services.store.writing(sending.fence) as unit:
        _settle(unit, row, reason, sending.services.now())


def _settle(unit: Unit, row: Pending, reason: str, now: datetime) -> None:
    unit.handoffs.conclude(row.fields["task"], "dropped", reason)
    unit.settle([replace(row, state=State.DROPPED, reason=reason)], now)
