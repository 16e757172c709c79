"""A batch is undone: a person's move of each profile to the slot before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector.domain.errors import NotFound
from connector.domain.facts import AccountId, ProfileId
from connector.domain.moves import Stay, judge
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.pipeline.moving import step
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import AT_ONCE, conclude, leased, look, pieces, retold
from connector.stored import Profile


@dataclass(frozen=True, slots=True)
class _Trail:
    """What a batch did to one profile: where it came from, and its last move or slot there."""

    start: Slot | None
    last: int = 0
    after: Slot | None = None


def undo(
    services: Services, account_id: AccountId, batch_id: str, *, dry_run: bool
) -> dict[str, Any]:
    """Put back what a batch moved; what has moved since is skipped and listed.

    Returns the new batch (None if nobody moved), who moves, and who does not with why.
    Raises NotFound.
    """
    trails = _trails(services, account_id, batch_id)
    made = services.new_id("bat")
    moved: list[str] = []
    skipped: list[dict[str, str]] = []
    for some in pieces(sorted(trails), AT_ONCE):
        with leased(services, account_id) as fence:
            scene = look(services, account_id, some)
            ways = {one: _way_back(scene, one, trails[one]) for one in some}
            back = {one: way for one, way in ways.items() if isinstance(way, Slot)}
            skipped += [
                {"profile_id": one, "why": way} for one, way in ways.items() if isinstance(way, str)
            ]
            if back and not dry_run:
                _put_back(scene, back, made, batch_id)
                conclude(services, account_id, fence, scene, retold(scene, back))
        moved += back
    if moved and not dry_run:
        with services.store.writing() as unit:
            unit.people.undone(batch_id, services.now())
    return {"batch_id": made if moved and not dry_run else None, "moved": moved, "skipped": skipped}


def _trails(services: Services, account_id: AccountId, batch_id: str) -> dict[ProfileId, _Trail]:
    with services.store.reading() as unit:
        batch = unit.people.batch(batch_id)
        if batch is None or batch.account_id != account_id:
            raise NotFound(f"there is no batch {batch_id}")
        effects = unit.people.effects(account_id, batch_id)
        moves = unit.people.batch_moves(account_id, batch_id)
    if effects or batch.cause == "mapping":
        return {ProfileId(row.profile_id): _whole(row.before, row.after) for row in effects}
    trails: dict[ProfileId, _Trail] = {}
    for row in moves:
        start = None if row.start is None else Slot(row.start)
        first = trails.get(ProfileId(row.profile_id))
        trails[ProfileId(row.profile_id)] = _Trail(first.start if first else start, row.id)
    return trails


def _whole(before: int | None, after: int) -> _Trail:
    return _Trail(None if before is None else Slot(before), after=Slot(after))


def _way_back(scene: Scene, profile_id: ProfileId, trail: _Trail) -> Slot | str:
    """Return the slot to go back to, or why not."""
    profile = scene.profiles.get(profile_id)
    if profile is None or not _stands(scene, profile, trail):
        return "it has moved since"
    if trail.start is None:
        return "it was its first slot"
    verdict = judge(profile.slot, trail.start, Actor.PERSON, scene.pipeline)
    return verdict.reason if isinstance(verdict, Stay) else trail.start


def _stands(scene: Scene, profile: Profile, trail: _Trail) -> bool:
    """Say whether a profile still stands where the batch left it."""
    if trail.after is not None:
        return profile.slot is trail.after
    moves = scene.crowd.moves.get(profile.id, ())
    newest = max(moves, key=lambda one: one.position, default=None)
    return newest is not None and newest.id == trail.last


def _put_back(scene: Scene, back: Mapping[ProfileId, Slot], made: str, undone: str) -> None:
    scene.name_batch(("undo",), made, "undo", Actor.PERSON, f"undo of {undone}")
    for profile_id, goal in back.items():
        own = step(
            scene,
            scene.profiles[profile_id],
            Kind.PUT,
            goal,
            reason="undo",
            batch_id=made,
            cause=f"person:undo:{undone}",
        )
        scene.take(replace(own, unmuting=True))
