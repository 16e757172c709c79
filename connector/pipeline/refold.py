"""A profile's steps are folded again; what changed goes into the ledger and the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from connector.domain.facts import ProfileId, RecordKey, Stamp
from connector.domain.scores import UNSCORED
from connector.domain.steps import Move, Step, Story, fold
from connector.mapping.replay import Saying
from connector.mapping.table import Disposition
from connector.pipeline.answers import keep_answers
from connector.pipeline.entries import keep_entries
from connector.pipeline.people import Sayings, affected, assign, greet, note_stages, recount
from connector.pipeline.scene import Scene
from connector.stored import LedgerMove, OwnStep, Profile

# Given the records that were replayed, moves people and returns whom.
Judge = Callable[[Sayings], set[ProfileId]]


@dataclass(frozen=True, slots=True)
class Retold:
    """A profile whose story was told again, before and after."""

    before: Profile
    after: Profile
    story: Story
    sayings: dict[RecordKey, Saying]

    @property
    def moved(self) -> bool:
        """Say whether it stands in another slot now."""
        return self.before.slot is not self.after.slot


def settle(
    scene: Scene, extra: Iterable[ProfileId] = (), judge: Judge | None = None
) -> list[Retold]:
    """Bring every profile that the scene touched up to date.

    `judge` may move more of them, once the records have their profiles.
    """
    note_stages(scene)
    told = recount(scene, affected(scene))
    profiles = assign(scene, told) | set(extra)
    greet(scene)
    profiles |= judge(told) if judge else set()
    return [retell(scene, profile_id, told) for profile_id in sorted(profiles)]


def retell(scene: Scene, profile_id: ProfileId, known: Sayings | None = None) -> Retold:
    """Fold a profile's steps and keep its slot, its disposition, its success and its moves.

    `known` are records that were replayed already.
    """
    told = tell(scene, profile_id, known)
    scene.put_profile(told.after)
    if told.before.success_at != told.after.success_at:
        scene.changes.marked.add(profile_id)
    if (told.before.slot in UNSCORED) is not (told.after.slot in UNSCORED):
        scene.changes.rescore.add(profile_id)
    _ledger(scene, profile_id, told.story)
    keep_answers(scene, profile_id, told.story, told.sayings)
    keep_entries(scene, profile_id, told.story, told.sayings)
    return told


def tell(scene: Scene, profile_id: ProfileId, known: Sayings | None = None) -> Retold:
    """Fold a profile's steps as the scene has them now; only what its records say is kept."""
    known = known or {}
    keys = [record.key for record in scene.records_of(profile_id)]
    told = recount(scene, [key for key in keys if key not in known])
    told |= {key: known[key] for key in keys if key in known}
    steps = [step for _, taken in told.values() for step in taken]
    steps += [as_step(own) for own in scene.steps.get(profile_id, ())]
    story = fold(steps)
    before = scene.profiles[profile_id]
    sayings = {key: saying for key, (saying, _) in told.items()}
    after = replace(
        before,
        slot=story.standing.slot,
        slot_since=story.slot_since,
        disposition=_disposition(sayings),
        success_at=story.standing.success_at,
    )
    return Retold(before, after, story, sayings)


def as_step(own: OwnStep) -> Step:
    """Return a stored step as the fold takes it."""
    return Step(
        own.kind,
        Stamp(own.happened_at, own.id),
        own.id,
        own.actor,
        own.funnel,
        slot=own.slot,
        start=own.start,
        reason=own.reason,
        silent=own.silent,
    )


def _disposition(sayings: dict[RecordKey, Saying]) -> Disposition | None:
    """Return the newest disposition among the records that are alive."""
    dated = [
        (saying.disposed_at, key, saying.disposition)
        for key, saying in sayings.items()
        if saying.alive and saying.disposition and saying.disposed_at
    ]
    return max(dated)[2] if dated else None


def _ledger(scene: Scene, profile_id: ProfileId, story: Story) -> None:
    """Keep the moves; those that a late event made untrue are superseded, not forgotten."""
    stored = {
        (move.step_key, move.start, move.goal, move.occurred_at): move
        for move in scene.crowd.moves.get(profile_id, ())
    }
    for position, move in enumerate(story.moves):
        known = stored.pop((move.step.key, move.start, move.goal, move.when), None)
        if known is None or known.position != position:
            scene.changes.moves.append(_entry(scene, profile_id, position, move, known))
    scene.changes.superseded += [move.id for move in stored.values()]


def _entry(
    scene: Scene, profile_id: ProfileId, position: int, move: Move, known: LedgerMove | None
) -> LedgerMove:
    if known is not None:
        return replace(known, position=position)
    return LedgerMove(
        0,
        profile_id,
        position,
        move.start,
        move.goal,
        move.step.actor,
        move.step.reason,
        _batch_of(scene, profile_id, move.step),
        move.step.key,
        move.when,
        scene.now,
    )


def _batch_of(scene: Scene, profile_id: ProfileId, step: Step) -> str:
    """Return the batch of a move: one per cause, so that what came together can be undone so."""
    own = next((own for own in scene.steps.get(profile_id, ()) if own.id == step.key), None)
    if own is not None:
        return own.batch_id
    if step.silent and scene.bulk_batch:
        return scene.bulk()
    return scene.batch((step.stamp.when, step.stamp.event_id), "crm_event", step.actor, step.reason)


def final_move(retold: Retold) -> Move | None:
    """Return the move that led to where the profile stands, if it was made just now."""
    moved = retold.moved and retold.after.slot is not None
    return retold.story.moves[-1] if moved and retold.story.moves else None
