"""Who is who: records with one address are one person, the older profile's id survives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from connector.domain.facts import ProfileId, RecordKey, is_fresh
from connector.domain.slots import Slot
from connector.domain.steps import Kind, Step
from connector.mapping.replay import ALIVE, Saying, replay
from connector.mapping.table import PEOPLE, Meaning
from connector.pipeline.scene import Scene
from connector.stored import Profile, Record

Sayings = Mapping[RecordKey, tuple[Saying, list[Step]]]
_QUIET = frozenset({Kind.ALIVE, Kind.GONE, Kind.KNOWN})


def affected(scene: Scene) -> set[RecordKey]:
    """Return the people's records whose story may have changed, deals and companies followed."""
    keys = set(scene.touched)
    for key in scene.touched:
        if key.object not in PEOPLE:
            keys |= scene.peers(key)
    return {key for key in keys if key.object in PEOPLE and key in scene.records}


def recount(scene: Scene, keys: Iterable[RecordKey]) -> dict[RecordKey, tuple[Saying, list[Step]]]:
    """Replay records and keep what they say now in their rows."""
    sayings = {}
    for key in keys:
        saying, steps = replay(scene.history(key), scene.lookups[key.connection_id])
        sayings[key] = (saying, steps)
        scene.put(
            replace(
                scene.record(key),
                email=saying.value(Meaning.EMAIL),
                lifecycle=saying.value(Meaning.LIFECYCLE),
                lead_status=saying.value(Meaning.LEAD_STATUS),
                owner=saying.value(Meaning.OWNER),
                alive=saying.alive,
                claim=saying.claim,
            )
        )
    return sayings


def note_stages(scene: Scene) -> None:
    """Keep in their rows what touched companies and deals say; they are nobody's profile."""
    for key in scene.touched:
        if key.object in PEOPLE or key not in scene.records:
            continue
        mapping = scene.lookup(key.connection_id).mapping
        newest = {f.field: f.value for f in sorted(scene.known(key), key=lambda f: f.stamp)}
        stage = Meaning.DEAL_STAGE if key.object == "deal" else Meaning.LIFECYCLE
        scene.put(
            replace(
                scene.records[key],
                lifecycle=newest.get(mapping.name_of(key.object, stage), ""),
                lead_status=newest.get(mapping.name_of(key.object, Meaning.LEAD_STATUS), ""),
                alive=newest.get(ALIVE, "yes") == "yes",
            )
        )


def assign(scene: Scene, sayings: Sayings) -> set[ProfileId]:
    """Give every record that says something a profile; join those that are one person.

    Returns the profiles to fold again.
    """
    for group in _groups(scene, sayings):
        profiles = {record.profile_id for record in group if record.profile_id}
        profiles |= {own for record in group if (own := _visitor(scene, record))}
        if profiles or any(_speaks(sayings.get(record.key)) for record in group):
            survivor = _survivor(scene, profiles)
            _join(scene, group, survivor)
            for loser in sorted(profiles - {survivor} - scene.changes.rehomed.keys()):
                rehome(scene, loser, survivor)
    found = {scene.records[key].profile_id for key in sayings}
    return {profile_id for profile_id in found if profile_id}


def greet(scene: Scene) -> None:
    """Note which records that we had made are read as their people's now: they catch up."""
    for key, made in scene.crowd.made.items():
        record = scene.records.get(key)
        if record is not None and record.read_at is not None and record.profile_id is not None:
            scene.changes.joined.append(key)
            if made.ours:
                scene.newcomers.add(key)
    scene.newcomers |= {key for key in scene.touched if _has_turned_up(scene, key)}


def _has_turned_up(scene: Scene, key: RecordKey) -> bool:
    """Say whether a record is read for the first time, as a CRM's first of somebody moved lately.

    A form makes a visitor an MQL a moment before it makes the contact.
    """
    record, before = scene.records.get(key), scene.crowd.records.get(key)
    if record is None or record.read_at is None or record.profile_id is None:
        return False
    since = scene.profiles[record.profile_id].slot_since
    if (before and before.read_at) or since is None or not is_fresh(since, scene.now):
        return False
    own = (one for one in scene.records_of(record.profile_id) if one.key != key)
    is_first = not any(one.read_at and one.key.connection_id == key.connection_id for one in own)
    return is_first and any(fact.record == key and not fact.silent for fact in scene.changes.facts)


def _speaks(told: tuple[Saying, list[Step]] | None) -> bool:
    return told is not None and any(step.kind not in _QUIET for step in told[1])


def _groups(scene: Scene, sayings: Sayings) -> list[list[Record]]:
    """Group records that share an address, a profile or a merge."""
    parents: dict[RecordKey, RecordKey] = {}

    def root(key: RecordKey) -> RecordKey:
        while parents.get(key, key) != key:
            key = parents[key]
        return key

    people = [record for record in scene.records.values() if record.key.object in PEOPLE]
    firsts: dict[object, RecordKey] = {}
    for record in people:
        for bond in _bonds(scene, record):
            first = firsts.setdefault(bond, record.key)
            parents[root(record.key)] = root(first)
    groups: dict[RecordKey, list[Record]] = defaultdict(list)
    for record in people:
        groups[root(record.key)].append(record)
    return [group for group in groups.values() if any(record.key in sayings for record in group)]


def _visitor(scene: Scene, record: Record) -> ProfileId | None:
    """Return the profile of the visitor who came by a record's address, or whom it was made for.

    An address that was only typed leads to nobody who has records already; the crowd leaves out
    what was typed by whoever has proven another.
    """
    made, name = scene.crowd.made.get(record.key), scene.crowd.names.get(record.email)
    if made is not None and made.profile_id in scene.profiles:
        return _now(scene, made.profile_id)
    if name is None or name.profile_id not in scene.profiles:
        return None
    found = _now(scene, name.profile_id)
    return found if name.verified or _may_bring_along(scene, found) else None


def _may_bring_along(scene: Scene, profile_id: ProfileId) -> bool:
    """Say whether an address that was only typed may lead to a profile.

    Who sent an opt-out under it may be anybody; it is theirs alone, unless a person said so too.
    """
    steps = scene.steps.get(profile_id, ())
    is_out = scene.profiles[profile_id].slot is Slot.DO_NOT_CONTACT
    by_hand = any(one.kind is Kind.PUT and one.slot is Slot.DO_NOT_CONTACT for one in steps)
    return not scene.records_of(profile_id) and (by_hand or not is_out)


def _now(scene: Scene, profile_id: ProfileId) -> ProfileId:
    while profile_id in scene.changes.rehomed:
        profile_id = scene.changes.rehomed[profile_id]
    return profile_id


def _bonds(scene: Scene, record: Record) -> list[object]:
    """Name what ties a record to others: its address, its profile, the record it became."""
    bonds: list[object] = []
    name = scene.crowd.names.get(record.email)
    if name is not None and name.verified:
        bonds.append(("profile", name.profile_id))
    if record.key in scene.crowd.made:
        bonds.append(("profile", scene.crowd.made[record.key].profile_id))
    if record.email:
        bonds.append(("email", record.email))
    if record.profile_id:
        bonds.append(("profile", record.profile_id))
    became = record.merged_into or record.key.record_id
    bonds.append(("record", record.key.connection_id, record.key.object, became))
    bonds.append(("record", *record.key))
    return bonds


def _survivor(scene: Scene, profiles: Iterable[ProfileId]) -> ProfileId:
    known = [scene.profiles[profile_id] for profile_id in profiles]
    if known:
        oldest = min(known, key=lambda profile: (profile.created_at or scene.now, profile.id))
        return oldest.id
    made = ProfileId(scene.new_id("prf"))
    scene.put_profile(Profile(made, created_at=scene.now))
    return made


def _join(scene: Scene, group: Iterable[Record], survivor: ProfileId) -> None:
    for record in group:
        loser = record.profile_id
        scene.put(replace(scene.records[record.key], profile_id=survivor))
        if loser and loser != survivor and loser not in scene.changes.rehomed:
            rehome(scene, loser, survivor)


def rehome(scene: Scene, loser: ProfileId, survivor: ProfileId) -> None:
    """Move a profile's steps to the one that survives; asking for it answers with that one."""
    scene.changes.rehomed[loser] = survivor
    steps = [replace(step, profile_id=survivor) for step in scene.steps.pop(loser, [])]
    scene.steps[survivor] += steps
    scene.put_profile(replace(scene.profiles[loser], merged_into=survivor, slot=None))
    scene.changes.superseded += [move.id for move in scene.crowd.moves.get(loser, ())]
    scene.changes.unentered += scene.crowd.entries.get(loser, ())
    scene.note("profiles_joined", loser, survivor)
