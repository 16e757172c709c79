"""Bad timing whose day has come: the system puts the profile back to slot 3, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.domain.facts import ProfileId
from connector.domain.handoffs import Intent
from connector.domain.moves import Go, judge
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.table import Disposition
from connector.pipeline.clocked import AT_ONCE, RIPE
from connector.pipeline.moving import step
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, look, retold
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.leases import Fence


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
