"""What people do to profiles by the API, the console or the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connector.domain.errors import MoveRefused, NotFound
from connector.domain.facts import AccountId, ProfileId
from connector.domain.moves import Stay, judge
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.pipeline.erasure import erase as bury
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look, retold
from connector.stored import OwnStep, Profile

if TYPE_CHECKING:
    from connector.store.unit import Unit

AT_ONCE = 200
_TICK = timedelta(microseconds=1)


def move(
    services: Services, account_id: AccountId, profile_id: str, goal: Slot, reason: str
) -> bool:
    """Put a profile into a slot as a person; False where it is there already.

    Raises MoveRefused with the reason, NotFound.
    """
    with leased(services, account_id) as fence:
        profile = find(services, account_id, profile_id)
        scene = look(services, account_id, [profile.id])
        verdict = judge(profile.slot, goal, Actor.PERSON, scene.pipeline)
        if isinstance(verdict, Stay):
            if verdict.allowed:
                return False
            raise MoveRefused(verdict.reason)
        batch_id = scene.batch(("move",), "move", Actor.PERSON, reason)
        scene.take(step(scene, profile, Kind.PUT, goal, reason=reason, batch_id=batch_id))
        conclude(services, account_id, fence, scene, retold(scene, [profile.id]))
    return True


def step(  # noqa: PLR0913 - the parts of a step
    scene: Scene,
    profile: Profile,
    kind: Kind,
    slot: Slot | None,
    *,
    reason: str,
    batch_id: str,
    cause: str = "person:move",
) -> OwnStep:
    """Return a person's step, dated so that it comes after everything known."""
    when = scene.now
    if profile.slot_since is not None and profile.slot_since >= when:
        when = profile.slot_since + _TICK
    return OwnStep(
        scene.new_id("stp"),
        profile.id,
        kind,
        Actor.PERSON,
        when,
        scene.now,
        scene.pipeline.funnel,
        slot,
        reason=reason,
        cause=cause,
        batch_id=batch_id,
    )


def find(services: Services, account_id: AccountId, profile_id: str) -> Profile:
    """Return a profile; one that was joined answers with the survivor. Raises NotFound."""
    with services.store.reading() as unit:
        profile = unit.people.profile(account_id, profile_id)
    if profile is None or profile.slot is None:
        raise NotFound(f"there is no profile {profile_id}")
    return profile


def reconsent(
    services: Services, account_id: AccountId, profile_ids: Sequence[str], reason: str
) -> dict[str, Any]:
    """Lead profiles out of slot 10 on a documented re-consent; it also lifts tombstones."""
    return _each(services, account_id, profile_ids, reason, "reconsent")


def _each(
    services: Services,
    account_id: AccountId,
    profile_ids: Sequence[str],
    reason: str,
    cause: str,
) -> dict[str, Any]:
    moved: list[str] = []
    skipped: list[dict[str, str]] = []
    batch_id = services.new_id("bat")
    for start in range(0, len(profile_ids), AT_ONCE):
        some = profile_ids[start : start + AT_ONCE]
        with leased(services, account_id) as fence:
            scene = look(services, account_id, [ProfileId(one) for one in some])
            scene.name_batch((cause,), batch_id, cause, Actor.PERSON, reason)
            ready = [one for one in some if _is_suppressed(scene, one, skipped)]
            for one in ready:
                profile = scene.profiles[ProfileId(one)]
                scene.take(
                    step(
                        scene,
                        profile,
                        Kind.RECONSENT,
                        None,
                        reason=reason,
                        batch_id=batch_id,
                        cause=f"person:{cause}",
                    )
                )
                scene.note("reconsent", "", profile.id)
            conclude(
                services, account_id, fence, scene, retold(scene, [ProfileId(one) for one in ready])
            )
            moved += ready
    return {"batch_id": batch_id, "moved": moved, "skipped": skipped}


def _is_suppressed(scene: Scene, profile_id: str, skipped: list[dict[str, str]]) -> bool:
    profile = scene.profiles.get(ProfileId(profile_id))
    if profile is not None and profile.slot is Slot.DO_NOT_CONTACT:
        return True
    why = "no such profile" if profile is None else "it is not in slot 10"
    skipped.append({"profile_id": profile_id, "why": why})
    return False


def erase(services: Services, account_id: AccountId, profile_id: str) -> None:
    """Forget a person: everything but a tombstone goes, our fields are blanked in the CRMs."""
    with leased(services, account_id) as fence:
        profile = find(services, account_id, profile_id)
        scene = look(services, account_id, [profile.id])
        with services.store.reading() as unit:
            bury(scene, profile.id, lambda email: _seal(unit, account_id, email), ())
        conclude(services, account_id, fence, scene, ())


def _seal(unit: Unit, account_id: AccountId, email: str) -> str:
    return unit.seal(account_id, email)


def undo(
    services: Services, account_id: AccountId, batch_id: str, *, dry_run: bool
) -> dict[str, Any]:
    """Put back what a batch moved; what has moved since is skipped and listed."""
    with services.store.reading() as unit:
        batch = unit.people.batch(batch_id)
        if batch is None or batch.account_id != account_id:
            raise NotFound(f"there is no batch {batch_id}")
        moves = unit.people.batch_moves(account_id, batch_id)
    found: dict[ProfileId, Slot | None] = {}
    last: dict[ProfileId, int] = {}
    for row in moves:
        found.setdefault(ProfileId(row.profile_id), None if row.start is None else Slot(row.start))
        last[ProfileId(row.profile_id)] = row.id
    result: dict[str, Any] = {"batch_id": services.new_id("bat"), "moved": [], "skipped": []}
    wanted = sorted(found)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        with leased(services, account_id) as fence:
            scene = look(services, account_id, some)
            back = {one: _way_back(scene, one, found[one], last[one]) for one in some}
            result["skipped"] += [
                {"profile_id": one, "why": way} for one, way in back.items() if isinstance(way, str)
            ]
            result["moved"] += [one for one, way in back.items() if isinstance(way, Slot)]
            if dry_run:
                continue
            _put_back(scene, back, result["batch_id"], batch_id)
            ready = [one for one, way in back.items() if isinstance(way, Slot)]
            conclude(services, account_id, fence, scene, retold(scene, ready))
    if not dry_run and result["moved"]:
        with services.store.writing() as unit:
            unit.people.undone(batch_id, services.now())
    return result


def _way_back(scene: Scene, profile_id: ProfileId, start: Slot | None, move_id: int) -> Slot | str:
    """Return the slot to go back to, or why not."""
    profile = scene.profiles.get(profile_id)
    moves = scene.crowd.moves.get(profile_id, ())
    newest = max(moves, key=lambda one: one.position, default=None)
    if profile is None or newest is None or newest.id != move_id:
        return "it has moved since"
    if start is None:
        return "it was its first slot"
    verdict = judge(profile.slot, start, Actor.PERSON, scene.pipeline)
    return verdict.reason if isinstance(verdict, Stay) else start


def _put_back(scene: Scene, back: dict[ProfileId, Slot | str], batch_id: str, undone: str) -> None:
    key = ("undo",)
    scene.name_batch(key, batch_id, "undo", Actor.PERSON, f"undo of {undone}")
    for profile_id, way in back.items():
        if isinstance(way, Slot):
            made = step(
                scene,
                scene.profiles[profile_id],
                Kind.PUT,
                way,
                reason="undo",
                batch_id=batch_id,
                cause=f"person:undo:{undone}",
            )
            scene.take(replace(made, unmuting=True))
