"""Whom a CRM is to get a record of: whoever came far enough, proven, and has none there.

Only what happens live counts; whoever was imported waits until they do something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.domain.facts import ProfileId, RecordKey
from connector.domain.systems import CRMS
from connector.pipeline.opening import apply_brake
from connector.pipeline.refold import Retold, final_move
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.wishes import cause_of
from connector.stored import Changes, Connection, Pending, Purpose

if TYPE_CHECKING:
    from connector.mapping.creation import Creation
    from connector.store.unit import Unit

# What stands for the object until the CRM has named one.
PERSON = "person"
VISIT = "visit"


def want_records(services: Services, scene: Scene, unit: Unit, told: Iterable[Retold]) -> set[str]:
    """Enter, in the transaction that stored where people stand, who gets a record; say where.

    To be asked last: whose addresses are proven shows in what was stored.
    """
    switches = list(_switches(scene))
    people = _stirred(scene, told) if switches else {}
    if not people:
        return set()
    stored, scene.changes = scene.changes, Changes()
    for connection, creation in switches:
        slots = creation.slots(scene.pipeline.funnel)
        for one in unit.creations.lacking(connection, slots, people):
            _want(scene, unit, connection, one, people[one])
    wanted = scene.changes.pending
    if wanted:
        apply_brake(services, scene, unit, connection.account_id)
        unit.save(connection.account_id, scene.changes, scene.now)
    scene.changes = stored
    return {one.record.connection_id for one in wanted}


def _switches(scene: Scene) -> Iterator[tuple[Connection, Creation]]:
    """Yield the connections where creation is switched on."""
    for connection_id, connection in sorted(scene.connections.items()):
        if connection.system in CRMS and connection_id in scene.lookups:
            creation = scene.lookup(connection_id).mapping.create
            if creation is not None:
                yield connection, creation


def _stirred(scene: Scene, told: Iterable[Retold]) -> dict[ProfileId, str]:
    """Return to whom something happened live just now, with what the brake counts it under."""
    found = dict.fromkeys(scene.stirred, VISIT)
    for one in told:
        move = final_move(one)
        if move is not None and not move.step.silent:
            found[one.after.id] = cause_of(move, scene)
    return found


def _want(
    scene: Scene, unit: Unit, connection: Connection, profile_id: ProfileId, cause: str
) -> None:
    key = scene.new_id("new")
    if unit.creations.enter(connection, key, profile_id, scene.now):
        record = RecordKey(connection.id, PERSON, key)
        wanted = Pending(0, record, Purpose.CREATE, {}, {}, profile_id, cause=cause)
        scene.want(replace(wanted, due_at=scene.now, created_at=scene.now))
