"""Bad timing whose day has come: the system puts the profile back to slot 3, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.facts import ProfileId
from connector.domain.handoffs import Intent
from connector.domain.moves import Go, judge
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.handoff import Recycle
from connector.mapping.lookup import Lookup
from connector.mapping.table import Disposition
from connector.pipeline.moving import step
from connector.pipeline.reading import parse_date
from connector.pipeline.scene import Scene
from connector.pipeline.send import Sending, person_of
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, look, retold
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.leases import Fence

AT_ONCE = 50
# How often a date that the CRM holds is looked at again: somebody may change it.
AGAIN = timedelta(days=1)
NOON = timedelta(hours=12)
# An intent whose day has come; the account's own turn takes the step.
RIPE = "ripe"


def recycle(services: Services, connection: Connection) -> int:
    """Take the steps of what is ripe at a connection; return how many profiles moved.

    Where the account is being worked on, the clock comes again.
    """
    with services.store.reading() as unit:
        ripe = unit.handoffs.in_state(connection.id, RIPE, AT_ONCE)
    if not ripe:
        return 0
    fence = services.store.take(f"account:{connection.account_id}")
    if fence is None:
        return 0
    try:
        return _recycle(services, connection, fence, ripe)
    finally:
        services.store.drop(fence)


def _recycle(
    services: Services, connection: Connection, fence: Fence, ripe: Sequence[Intent]
) -> int:
    scene = look(services, connection.account_id, keys=[one.record for one in ripe])
    moved = [profile for one in ripe if (profile := _shift(scene, one))]
    if moved:
        told = retold(scene, sorted(set(moved)))
        conclude(services, connection.account_id, fence, scene, told)
    with services.store.writing(fence) as unit:
        for one in ripe:
            unit.handoffs.conclude(one.key, "done")
    return len(moved)


def _shift(scene: Scene, one: Intent) -> ProfileId | None:
    """Take the system's step, unless somebody said something else since; it bears the key."""
    record = scene.records.get(one.record)
    profile = scene.profiles.get(record.profile_id) if record and record.profile_id else None
    if profile is None or profile.disposition is not Disposition.BAD_TIMING:
        return None
    known = {own.id for own in scene.steps.get(profile.id, ())}
    verdict = judge(profile.slot, Slot.QUALIFIED, Actor.SYSTEM, scene.pipeline)
    if one.key in known or not isinstance(verdict, Go) or not _still_answers(scene, one):
        return None
    batch = scene.batch(("recycle",), "recycle", Actor.SYSTEM, "recycle")
    own = step(
        scene,
        profile,
        Kind.SHIFT,
        Slot.QUALIFIED,
        reason="recycle",
        batch_id=batch,
        cause="system:recycle",
    )
    scene.take(replace(own, id=one.key, actor=Actor.SYSTEM, start=profile.slot))
    return profile.id


def _still_answers(scene: Scene, one: Intent) -> bool:
    """Say whether the record's last word is still the bad timing that was waited for."""
    said = scene.crowd.answers.get(one.record, ())
    return bool(said) and said[-1].occurred_at == one.answers


def look_at_timings(sending: Sending, lookup: Lookup, due: Sequence[Intent]) -> None:
    """Mark bad timings whose day has come as ripe, and look at the others again later."""
    recycle = lookup.mapping.handoff.recycle
    left = []
    with sending.services.store.writing(sending.fence) as unit:
        for one in due:
            profile = person_of(sending, unit, one.record)
            if profile is None:
                unit.handoffs.conclude(one.key, "dropped", "the record is gone")
            elif profile.slot is Slot.DO_NOT_CONTACT:
                unit.handoffs.conclude(one.key, "dropped", "opted out")
            else:
                left.append(one)
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
        found |= {one.asked_id: parse_date(one.fields.get(recycle.field, "")) for one in readings}
    return found


def comes_on(answered: datetime, told: datetime | None, recycle: Recycle) -> datetime | None:
    """Return when a bad timing is over: the CRM's date, unless it is older than the answer.

    A day without a time begins at noon UTC, when it is that day from the date line on: nobody is
    called a day early. Without one so many days after the answer; None where neither says.
    """
    if told is not None and told.date() >= answered.date():
        return told + NOON if told.astimezone(UTC).time() == time() else told
    days = recycle.after_days
    return None if days is None else answered + timedelta(days=days)
