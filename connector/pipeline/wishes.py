"""What a change of a profile wants written to its CRM records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connector.domain.facts import Fact, RecordKey
from connector.domain.notices import Told
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Move
from connector.domain.systems import PLATFORM
from connector.mapping.plan import plan
from connector.mapping.replay import Saying
from connector.mapping.table import Meaning
from connector.pipeline.own_fields import difference, own_fields
from connector.pipeline.refold import Retold, final_move
from connector.pipeline.scene import Scene
from connector.stored import (
    BULK,
    LIVE,
    URGENT,
    Pending,
    Profile,
    Purpose,
    Record,
    State,
    Writing,
)

# What the brake counts the moves under that reps make by the lever.
LEVER = "lever"
# The causes of writes that a person wanted, by any way.
PERSONS = (LEVER, str(Actor.PERSON))
# A bulk write may wait this long for others, so that batches are full.
LINGER = timedelta(seconds=1)


def wish(scene: Scene, retold: Iterable[Retold]) -> None:
    """Put into the outbox what the profiles' records should hold now."""
    for one in retold:
        move = final_move(one)
        bulk = _is_bulk(move) or scene.lane(one.sayings) == BULK
        if move is not None and _has_platform(scene):
            scene.changes.notices.append(_told(scene, one, move))
        for key, saying in one.sayings.items():
            record = scene.records[key]
            if record.alive and not record.merged_into:
                _want_own(scene, one.after, record, bulk=bulk)
                _want_lever(scene, one.after, record, saying)
                heard = move or _unheard(scene, one, key)
                if heard is not None:
                    _want_stage(scene, one.after, record, saying, heard)
                if move is not None:
                    _want_opt_out(scene, one.after, record, move)


def _unheard(scene: Scene, one: Retold, key: RecordKey) -> Move | None:
    """Return the move that led to where a profile stands, for a record that was made after it."""
    return one.story.moves[-1] if key in scene.newcomers and one.story.moves else None


def _is_bulk(move: Move | None) -> bool:
    return move is not None and move.step.silent


def _has_platform(scene: Scene) -> bool:
    return any(one.system == PLATFORM for one in scene.connections.values())


def _told(scene: Scene, one: Retold, move: Move) -> Told:
    """Return what the platform is told: from where the profile stood to where it stands."""
    return Told(
        scene.new_id("msg"),
        one.after.id,
        one.before.slot,
        move.goal,
        move.step.actor,
        move.step.key,
        move.when,
        move.step.silent,
    )


def _want_own(scene: Scene, profile: Profile, record: Record, *, bulk: bool) -> None:
    """Want our own fields brought up to date; a waiting write is replaced, or dropped."""
    waiting = scene.waiting(record.key, Purpose.OWN)
    wanted = _own_difference(scene, profile, record)
    if waiting and dict(waiting.fields) == dict(wanted):
        return
    if not wanted:
        scene.changes.unwanted += [waiting.id] if waiting else []
        return
    lane = BULK if bulk else LIVE
    if profile.slot is Slot.DO_NOT_CONTACT:
        lane = URGENT
    if waiting and waiting.lane < lane:
        lane = waiting.lane
    due = scene.now + LINGER if lane == BULK else scene.now
    base = waiting or Pending(0, record.key, Purpose.OWN, {}, created_at=scene.now)
    scene.want(
        replace(
            base,
            fields=wanted,
            profile_id=profile.id,
            slot=profile.slot,
            lane=lane,
            state=State.PENDING,
            reason="",
            attempts=0,
            due_at=due,
        )
    )


def _own_difference(scene: Scene, profile: Profile, record: Record) -> dict[str, str]:
    system = scene.connections[record.key.connection_id].system
    wanted = own_fields(profile, system, scene.scores.get(profile.id))
    return difference(wanted, record.pushed) if profile.slot else {}


def _want_lever(scene: Scene, profile: Profile, record: Record, saying: Saying) -> None:
    """Want the rep's lever blanked once it was pulled."""
    fact = saying.held.get(Meaning.LEVER)
    if fact is None or not fact.value or scene.waiting(record.key, Purpose.LEVER):
        return
    under_way = scene.is_sending(record.key, Purpose.LEVER)
    if any(_is_blanked(row, fact, under_way=under_way) for row in scene.writings(record.key)):
        return
    lever = Pending(
        0,
        record.key,
        Purpose.LEVER,
        {fact.field: ""},
        {fact.field: fact.value},
        profile.id,
        due_at=scene.now,
    )
    scene.want(lever)


def _is_blanked(row: Writing, fact: Fact, *, under_way: bool) -> bool:
    """Say whether a write of ours has blanked that or is about to, though its echo is to come."""
    seen = row.seen_at is not None and fact.when <= row.seen_at
    done = row.written_at is not None or under_way
    return row.field == fact.field and not row.value and done and seen


def _want_stage(scene: Scene, profile: Profile, record: Record, saying: Saying, move: Move) -> None:
    """Want lifecycle stage and lead status written, where a CRM did not say so itself."""
    if not _may_write_stage(record.key, move) or profile.slot is Slot.DO_NOT_CONTACT:
        return
    lookup = scene.lookup(record.key.connection_id)
    kind = record.key.object
    planned = plan(move.goal, saying.words(), kind, lookup)
    for meaning, reason in planned.skipped.items():
        scene.note("write_skipped", f"{meaning}: {reason}", profile.id, record.key.record_id)
    if not planned.writes:
        _drop(scene, record.key, Purpose.STAGE)
        return
    names = {meaning: lookup.mapping.name_of(kind, meaning) for meaning in planned.writes}
    waiting = scene.waiting(record.key, Purpose.STAGE)
    scene.want(
        Pending(
            waiting.id if waiting else 0,
            record.key,
            Purpose.STAGE,
            {names[meaning]: value for meaning, value in planned.writes.items()},
            {names[meaning]: saying.value(meaning) for meaning in planned.writes},
            profile.id,
            move.goal,
            cause_of(move, scene),
            due_at=scene.now,
            created_at=scene.now,
            wanted_at=move.when,
        )
    )


def _may_write_stage(key: RecordKey, move: Move) -> bool:
    """Say whether this move may write to this CRM: not silent, not its own word, not the system."""
    step = move.step
    if step.silent or step.actor in {Actor.SYSTEM, Actor.IMPORT}:
        return False
    if step.actor is Actor.CRM:
        return step.record is not None and step.record.connection_id != key.connection_id
    return True


def _drop(scene: Scene, key: RecordKey, purpose: Purpose) -> None:
    waiting = scene.waiting(key, purpose)
    if waiting:
        scene.changes.unwanted.append(waiting.id)


def _want_opt_out(scene: Scene, profile: Profile, record: Record, move: Move) -> None:
    """Want an opt-out pushed on where that is switched on; never back to where it came from."""
    mapping = scene.lookup(record.key.connection_id).mapping
    if profile.slot is not Slot.DO_NOT_CONTACT or not mapping.push_opt_out or not record.email:
        return
    own = (
        move.step.record is not None and move.step.record.connection_id == record.key.connection_id
    )
    if move.step.silent or (move.step.actor is Actor.CRM and own):
        return
    scene.want(
        Pending(
            0,
            record.key,
            Purpose.OPT_OUT,
            {},
            profile_id=profile.id,
            slot=profile.slot,
            cause=f"opt_out:{cause_of(move, scene)}",
            lane=URGENT,
            due_at=scene.now,
            created_at=scene.now,
        )
    )


def cause_of(move: Move, scene: Scene) -> str:
    """Name what the brake counts a write under: a rule, a person's way in, a CRM."""
    step = move.step
    if step.record is not None:
        way = LEVER if step.actor is Actor.PERSON else step.actor
        return f"{way}:{step.record.connection_id}"
    own = (own for owns in scene.steps.values() for own in owns if own.id == step.key)
    return next((one.cause for one in own), str(step.actor))


def brake(scene: Scene, already: Mapping[str, int], held: Mapping[str, str], limit: int) -> None:
    """Hold the writes of any cause that would make more than `limit` of them within the hour.

    `already` counts what each cause wrote or wants to, `held` names its open hold.
    """
    counted = {(one.id, one.cause) for one in scene.crowd.pending.values()}
    braked = [one for one in scene.changes.pending if one.purpose in BRAKED]
    fresh = Counter(one.cause for one in braked if (one.id, one.cause) not in counted)
    for cause in sorted({one.cause for one in braked}):
        cap = OPT_OUTS_AT_ONCE if cause.startswith("opt_out:") else limit
        if cause in held or already.get(cause, 0) + fresh[cause] > cap:
            scene.changes.held[cause] = held.get(cause) or scene.new_id("hold")


BRAKED = frozenset(
    {
        *(Purpose.STAGE, Purpose.OPT_OUT, Purpose.STATUS),
        *(Purpose.OWNER, Purpose.DEAL, Purpose.CREATE),
    }
)
OPT_OUTS_AT_ONCE = 100


def hour_before(now: datetime) -> datetime:
    """Return since when the brake counts."""
    return now - timedelta(hours=1)
