"""A task for the owner where nobody touched a lead since it became an MQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.handoffs import Intent
from connector.domain.moves import PERSONS
from connector.domain.slots import Role
from connector.domain.steps import Actor
from connector.mapping.handoff import UntouchedTask, filled, quoted
from connector.mapping.table import Meaning
from connector.pipeline.reading import parse_date
from connector.pipeline.send import Sending, person_of, sift
from connector.ports import TaskDraft
from connector.stored import Changes as StoredChanges
from connector.stored import Pending, Profile, Purpose, State

if TYPE_CHECKING:
    from connector.store.unit import Unit

# Each takes a few calls: others wait no longer for it than for a batch of writes.
TASKS_AT_ONCE = 10


def want_tasks(sending: Sending, due: Sequence[Intent]) -> None:
    """Put tasks for leads that nobody touched, as far as we know, into the outbox."""
    now, connection = sending.services.now(), sending.connection
    enabled = sending.lookup().mapping.handoff.untouched_task.enabled
    changes = StoredChanges()
    with sending.services.store.writing(sending.fence) as unit:
        for one in due:
            profile = person_of(sending, unit, one.record)
            wanted = (
                enabled and profile is not None and not _is_touched(unit, sending, one, profile)
            )
            unit.handoffs.conclude(one.key, "wanted" if wanted else "touched")
            if wanted and profile is not None:
                fields = {"task": one.key}
                task = Pending(0, one.record, Purpose.TASK, fields, {}, profile.id, profile.slot)
                changes.pending.append(replace(task, due_at=now, created_at=now))
        unit.save(connection.account_id, changes, now)


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
    times = [parse_date(values.get(name, "")) for name in settings.activity]
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
