"""Works visitors' events off: whose they are, where the system moves them, what they add up to.

A batch is one transaction under the account's lease. What is silent sets state and does no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from connector import figures
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId, ProfileId
from connector.domain.journeys import Happened, Visitor
from connector.domain.kept import Kept, Visit
from connector.domain.rules.index import Index
from connector.domain.slots import UNKNOWN, Slot
from connector.domain.visiting import OFFER, Deed, timeout, timeouts, untrue
from connector.pipeline.erasure import bury, erase
from connector.pipeline.escalating import escalate, may_escalate
from connector.pipeline.halving import work_off
from connector.pipeline.opening import open_scene
from connector.pipeline.people import rehome
from connector.pipeline.reckoning import Done, Reckoning, act, add_up, look_back, reckon
from connector.pipeline.refold import settle
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude
from connector.stored import OwnStep, Profile

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# The more at once, the less for each; webhooks wait for the writer meanwhile, some 50 ms at most.
AT_ONCE = 1000
_OFFERED, _ENDED = f"system:{OFFER}", "system:incentive_timeout"


def wait(services: Services, unit: Unit, account_id: AccountId) -> bool:
    """Say whether visitors' events wait, or rewards that have ended."""
    return bool(unit.visits.waiting(account_id, 1) or _ended(services, unit, account_id, 1))


def turn(services: Services, account_id: AccountId, fence: Fence) -> int:
    """Work on the next batch, and on rewards that have ended; return how many that was."""
    with services.store.reading() as unit:
        visits = unit.visits.waiting(account_id, AT_ONCE)
    work_off(
        visits,
        lambda some: _apply(services, account_id, fence, some),
        lambda one, error: _park(services, fence, one, error),
    )
    # Asked afterwards: the batch may have shown a reward anew.
    with services.store.reading() as unit:
        ended = _ended(services, unit, account_id, AT_ONCE)
    if ended:
        _end_rewards(services, account_id, fence, ended)
    return len(visits) + len(ended)


def _ended(services: Services, unit: Unit, account_id: AccountId, most: int) -> list[Visitor]:
    before = services.now() - services.visiting.reward_lasts
    return unit.visits.rewarded(account_id, before, most)


def _park(services: Services, fence: Fence, visit: Visit, error: Exception) -> None:
    reason = str(error) if isinstance(error, ConnectorError) else type(error).__name__
    log.error(
        "journey_parked", journey_id=visit.id, trace=visit.trace, reason=reason, exc_info=error
    )
    figures.count("bb_events_total", outcome="quarantined")
    with services.store.writing(fence) as unit:
        unit.visits.park(visit.id, reason)


def _apply(
    services: Services, account_id: AccountId, fence: Fence, visits: Sequence[Visit]
) -> None:
    now = services.now()
    with services.store.reading() as unit:
        found = reckon(services, unit, account_id, visits, now)
        add_up(unit, account_id, found, services.visiting.per_day)
        look_back(unit, account_id, found)
        done = act(services, found, unit.account(account_id).pipeline)
        scene = _open(services, unit, account_id, found, done)
        take_steps(services, scene, found, done)
        scene.stirred = {one for one, visits in found.whose.items() if _is_live(visits)}
        escalate(services, unit, scene, _happened(unit.rules.index(account_id), scene, found))
        _forget(scene, unit, account_id, found)
    told = settle(scene, _touched(scene, found))
    _note_rewards(scene, found.kept, done)
    also = partial(_keep, account_id, found.kept, scene.now)
    conclude(services, account_id, fence, scene, told, also)
    figures.count("bb_events_total", len(found.kept.whose), outcome="applied")
    if found.capped:
        figures.count("bb_events_total", found.capped, outcome="beyond_cap")


def _is_live(visits: Iterable[Visit]) -> bool:
    return any(not one.happened.silent for one in visits)


def _happened(index: Index, scene: Scene, found: Reckoning) -> list[Happened]:
    """Return with whose they are the events that rules are judged on, to act or to be counted."""
    return [
        one.happened._replace(profile_id=profile_id)
        for profile_id, visits in found.whose.items()
        for one in visits
        if profile_id in scene.profiles or index.by_event(one.event)
    ]


def _open(
    services: Services,
    unit: Unit,
    account_id: AccountId,
    found: Reckoning,
    done: Mapping[ProfileId, list[Done]],
) -> Scene:
    """Load those whose story changes, and the known people whom rules may act on now."""
    lost = found.lost
    index = unit.rules.index(account_id)
    wanted = {*done, *found.erased, *lost, *lost.values()}
    for profile_id, visits in found.whose.items():
        known = found.profiles.get(profile_id)
        if known is None or known.slot is None or known.slot in UNKNOWN:
            continue
        last_at = found.last_at.get(profile_id)
        if any(may_escalate(index, one.happened, last_at) for one in visits):
            wanted.add(profile_id)
    stored = sorted(wanted & found.profiles.keys())
    scene = open_scene(services, unit, account_id, set(), profiles=stored, now=found.census.now)
    for profile_id in sorted(wanted - found.profiles.keys() - found.erased):
        scene.put_profile(Profile(profile_id, created_at=scene.now))
    return scene


def take_steps(
    services: Services, scene: Scene, found: Reckoning, done: Mapping[ProfileId, list[Done]]
) -> None:
    """Join what has become one, and take the system's steps."""
    for loser, survivor in sorted(found.lost.items()):
        for record in scene.records_of(loser):
            scene.put(replace(record, profile_id=survivor))
        rehome(scene, loser, survivor)
    for profile_id in found.refused:
        scene.note("opt_out_refused", "who sent it has not signed in", profile_id)
    for profile_id, own in sorted(done.items()):
        for visit, deed in own:
            _take(scene, profile_id, visit, deed)
        shown = [deed.when for visit, deed in own if deed.why == OFFER]
        _reckon_rewards(services, scene, profile_id, shown, found.kept.visitors[profile_id])
        _trace(scene, profile_id, own[-1][0])


def _trace(scene: Scene, profile_id: ProfileId, visit: Visit) -> None:
    for record in scene.records_of(profile_id):
        scene.traces[record.key] = visit.trace


def _take(scene: Scene, profile_id: ProfileId, visit: Visit, deed: Deed) -> None:
    step_id = deed.id(visit.connection_id, visit.event.key)
    if any(own.id == step_id for own in scene.steps[profile_id]):
        return
    silent = visit.happened.silent
    if silent and visit.trace:
        scene.bulk_batch = visit.trace
        batch_id = scene.bulk()
    else:
        batch_id = scene.batch((deed.actor, deed.why), deed.why, deed.actor)
    scene.take(_step(scene, profile_id, deed, step_id, batch_id=batch_id, silent=silent))


def _step(
    scene: Scene, profile_id: ProfileId, deed: Deed, step_id: str, *, batch_id: str, silent: bool
) -> OwnStep:
    return OwnStep(
        step_id,
        profile_id,
        deed.kind,
        deed.actor,
        deed.when,
        scene.now,
        scene.pipeline.funnel,
        deed.slot,
        deed.start,
        reason=deed.why,
        cause=f"{deed.actor}:{deed.why}",
        batch_id=batch_id,
        silent=silent,
    )


def _reckon_rewards(
    services: Services,
    scene: Scene,
    profile_id: ProfileId,
    fresh: Collection[datetime],
    visitor: Visitor,
) -> None:
    """End by the clock what was shown long ago, and un-end it where another came before."""
    steps = scene.steps[profile_id]
    shown = [one.happened_at for one in steps if one.cause == _OFFERED]
    lasts = services.visiting.reward_lasts
    news = {*fresh, *([visitor.reward_at] if visitor.reward_at else [])}
    ends = {one.happened_at for one in steps if one.cause == _ENDED}
    wrong = untrue(ends, news, lasts)
    for step in [one for one in steps if one.cause == _ENDED and one.happened_at in wrong]:
        scene.withdraw(step)
    for deed in timeouts(shown, news, scene.now, lasts):
        if deed.when not in ends:
            _end(scene, profile_id, deed)


def _end(scene: Scene, profile_id: ProfileId, deed: Deed) -> None:
    batch_id = scene.batch((deed.why,), deed.why, deed.actor)
    step_id = deed.id(profile_id)
    scene.take(_step(scene, profile_id, deed, step_id, batch_id=batch_id, silent=False))


def _forget(scene: Scene, unit: Unit, account_id: AccountId, found: Reckoning) -> None:
    """Forget whom the platform has de-identified, with all names that they came by."""
    census = found.census
    names = found.buried | {
        alias
        for alias, name in census.claimed.items()
        if census.root(name.profile_id) in found.erased
    }
    if names:
        bury(scene, unit, account_id, sorted(names))
        erase(scene, unit, account_id, found.erased & scene.profiles.keys())


def _touched(scene: Scene, found: Reckoning) -> Iterable[ProfileId]:
    stepped = {step.profile_id for step in scene.changes.steps}
    return {*stepped, *found.lost.values()} - found.erased


def _note_rewards(scene: Scene, kept: Kept, told: Iterable[ProfileId]) -> None:
    """Keep since when a reward is open: where somebody waits in slot 2 for it to be claimed."""
    for profile_id in {*told} & kept.visitors.keys():
        shown = [s.happened_at for s in scene.steps[profile_id] if s.cause == _OFFERED]
        is_open = scene.profiles[profile_id].slot is Slot.INCENTIVIZED
        reward_at = max(shown, default=None) if is_open else None
        kept.visitors[profile_id] = kept.visitors[profile_id]._replace(reward_at=reward_at)


def _keep(account_id: AccountId, kept: Kept, now: datetime, unit: Unit) -> None:
    unit.visits.keep(account_id, kept, now)


def _end_rewards(
    services: Services, account_id: AccountId, fence: Fence, ended: Sequence[Visitor]
) -> None:
    """Lead back into slot 1 whose reward nobody claimed in its time."""
    lasts = services.visiting.reward_lasts
    kept = Kept()
    with services.store.reading() as unit:
        ids = [one.profile_id for one in ended]
        scene = open_scene(services, unit, account_id, set(), profiles=ids, now=services.now())
    for visitor in ended:
        if visitor.reward_at is not None:
            _end(scene, visitor.profile_id, timeout(visitor.reward_at, lasts))
        kept.visitors[visitor.profile_id] = visitor._replace(reward_at=None)
    also = partial(_keep, account_id, kept, scene.now)
    conclude(services, account_id, fence, scene, settle(scene, ids), also)
