"""How a unit of work begins and ends: a scene is opened, the brake looked at, writers woken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connector.domain.facts import AccountId, RecordKey
from connector.domain.systems import PLATFORM
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.wishes import BRAKED, brake, hour_before

if TYPE_CHECKING:
    from connector.store.unit import Unit


def open_scene(  # noqa: PLR0913
    services: Services,
    unit: Unit,
    account_id: AccountId,
    keys: set[RecordKey],
    *,
    emails: set[str] | frozenset[str] = frozenset(),
    profiles: Sequence[Any] = (),
    follow: Collection[RecordKey] = (),
    now: datetime,
) -> Scene:
    """Load a working copy of some records and profiles with all that hangs on them.

    `follow` are the deals and companies whose people may have to move.
    """
    lookups = unit.lookups(account_id)
    crowd = unit.crowd(account_id, keys, emails, profiles, follow, now)
    return Scene(
        crowd,
        lookups,
        {one.id: one for one in unit.connections(account_id)},
        pipeline=unit.account(account_id).pipeline,
        now=now,
        new_id=services.new_id,
    )


def apply_brake(services: Services, scene: Scene, unit: Unit, account_id: AccountId) -> None:
    """Hold what one cause wants too much of."""
    causes = sorted({one.cause for one in scene.changes.pending if one.purpose in BRAKED})
    if causes:
        already = unit.counted(account_id, causes, hour_before(scene.now))
        brake(scene, already, unit.open_holds(account_id), services.brake_per_hour)


def wake_others(services: Services, account_id: AccountId, scene: Scene) -> None:
    """Wake whoever goes on: who talks to the CRMs, who learns, who scores."""
    _wake_delivery(services, scene)
    if scene.changes.marked:
        services.wake("train", account_id)
    if scene.changes.rescore:
        services.wake("drain", account_id)


def _wake_delivery(services: Services, scene: Scene) -> None:
    """Wake whoever writes to and reads from the CRMs that have something waiting now."""
    asked = {key.connection_id for key, one in scene.changes.records.items() if one.ask_at}
    if scene.changes.notices:
        asked |= {one.id for one in scene.connections.values() if one.system == PLATFORM}
    for connection_id in sorted(
        asked | {one.record.connection_id for one in scene.changes.pending}
    ):
        services.wake("deliver", connection_id)
