"""A person moves a profile by the API, the console or the command line."""

from __future__ import annotations

from datetime import datetime, timedelta

from connector.domain.errors import MoveRefused, NotFound
from connector.domain.facts import AccountId
from connector.domain.moves import Stay, judge
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look, retold
from connector.stored import OwnStep, Profile

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
    known = _latest(scene, profile)
    when = known + _TICK if known is not None and known >= scene.now else scene.now
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


def _latest(scene: Scene, profile: Profile) -> datetime | None:
    """Return when the last thing known of a profile happened: a CRM's clock may run ahead."""
    own = [record.key for record in scene.records_of(profile.id)]
    keys = {*own, *(peer for key in own for peer in scene.peers(key))}
    times = [fact.when for key in keys for fact in scene.known(key)]
    times += [taken.happened_at for taken in scene.steps.get(profile.id, ())]
    return max(times, default=None)


def find(services: Services, account_id: AccountId, profile_id: str) -> Profile:
    """Return a profile; one that was joined answers with the survivor. Raises NotFound."""
    with services.store.reading() as unit:
        profile = unit.people.profile(account_id, profile_id)
    if profile is None or profile.slot is None:
        raise NotFound(f"there is no profile {profile_id}")
    return profile
