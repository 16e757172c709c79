"""Erasure: what we know of a person goes, a tombstone stays so that nothing brings it back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.facts import AccountId, ProfileId, RecordKey
from connector.domain.journeys import Alias
from connector.pipeline.own_fields import blank_fields
from connector.pipeline.scene import Scene
from connector.stored import URGENT, Pending, Profile, Purpose

if TYPE_CHECKING:
    from connector.store.unit import Unit


def erase(
    scene: Scene,
    unit: Unit,
    account_id: AccountId,
    profiles: Iterable[ProfileId],
    gone: Collection[RecordKey] = (),
) -> None:
    """Forget profiles: bury their records and names, blank our fields where records remain.

    `gone` are the records that the CRM has deleted itself.
    """
    ids = sorted(profiles)
    names = unit.visits.names_of(account_id, [*ids, *_lost(scene, ids)])
    bury(scene, unit, account_id, [name for own in names.values() for name in own])
    for profile_id in ids:
        held = {one.email for one in scene.records_of(profile_id) if one.email}
        bury(scene, unit, account_id, [Alias("email", email) for email in sorted(held)])
        _erase(scene, profile_id, gone)


def bury(scene: Scene, unit: Unit, account_id: AccountId, names: Iterable[Alias]) -> None:
    """Set tombstones for names, and have parked bodies searched for them."""
    sealed = unit.seals(account_id, [word(name) for name in names])
    for name in names:
        scene.changes.buried[name.kind, sealed[word(name)]] = scene.now
        for connection_id in scene.connections:
            # Of no record: what a visitor is called in a body of whichever sender.
            nobody = name.value if name.kind != "email" else ""
            key = RecordKey(connection_id, "visitor", nobody)
            scene.unnamed.setdefault(key, set()).update([name.value] if not nobody else [])


def word(name: Alias) -> str:
    """Return what is hashed of a name; addresses as they always were."""
    return name.value if name.kind == "email" else f"{name.kind}:{name.value}"


def graves(unit: Unit, account_id: AccountId, names: Collection[Alias]) -> Mapping[Alias, datetime]:
    """Return when which of these names were erased; where nobody was, no name is hashed."""
    if not unit.people.has_graves(account_id):
        return {}
    sealed = {seal: told for told, seal in unit.seals(account_id, [*map(word, names)]).items()}
    found = {sealed[key]: when for key, when in unit.buried(account_id, [*sealed]).items()}
    return {name: found[word(name)] for name in names if word(name) in found}


def _lost(scene: Scene, ids: Collection[ProfileId]) -> list[ProfileId]:
    """Return the profiles that are joined into these right now."""
    return [loser for loser, into in scene.changes.rehomed.items() if into in ids]


def _erase(scene: Scene, profile_id: ProfileId, gone: Collection[RecordKey]) -> None:
    for record in scene.records_of(profile_id):
        scene.changes.buried["record", "/".join(record.key)] = scene.now
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
    if profile_id in scene.profiles and scene.profiles[profile_id].success_at:
        scene.changes.marked.add(profile_id)


def owner(scene: Scene, key: RecordKey) -> ProfileId:
    """Return the profile behind a record, one made for the purpose if there is none."""
    record = scene.record(key)
    if record.profile_id:
        return record.profile_id
    made = ProfileId(scene.new_id("prf"))
    scene.put_profile(Profile(made, created_at=scene.now))
    scene.put(replace(record, profile_id=made))
    return made
