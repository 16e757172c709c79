"""Erasure: what we know of a person goes, a tombstone stays so that nothing brings it back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from connector.domain.facts import ProfileId, RecordKey
from connector.pipeline.own_fields import blank_fields
from connector.pipeline.scene import Scene
from connector.stored import URGENT, Pending, Profile, Purpose


def erase(
    scene: Scene, profile_id: ProfileId, seal: Callable[[str], str], gone: Collection[RecordKey]
) -> None:
    """Forget a profile: bury its records and addresses, blank our fields where they remain.

    `gone` are the records that the CRM has deleted itself.
    """
    for record in scene.records_of(profile_id):
        scene.changes.buried["record", "/".join(record.key)] = scene.now
        if record.email:
            scene.changes.buried["email", seal(record.email)] = scene.now
        held = {fact.value.strip() for fact in scene.known(record.key) if "@" in fact.value}
        scene.unnamed[record.key] = held | {record.email}
        if record.key not in gone and record.alive and not record.merged_into and record.pushed:
            system = scene.connections[record.key.connection_id].system
            blank = blank_fields(system)
            scene.want(
                Pending(
                    0,
                    record.key,
                    Purpose.ERASE,
                    blank,
                    lane=URGENT,
                    due_at=scene.now,
                    created_at=scene.now,
                )
            )
    scene.changes.erased.append(profile_id)


def owner(scene: Scene, key: RecordKey) -> ProfileId:
    """Return the profile behind a record, one made for the purpose if there is none."""
    record = scene.record(key)
    if record.profile_id:
        return record.profile_id
    made = ProfileId(scene.new_id("prf"))
    scene.put_profile(Profile(made, created_at=scene.now))
    scene.put(replace(record, profile_id=made))
    return made
