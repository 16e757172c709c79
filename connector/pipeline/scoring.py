"""Scores people anew of whom something has happened, and tells the CRMs what has changed.

A batch is one transaction under the account's lease, as for events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from connector import figures
from connector.domain.facts import AccountId, ProfileId
from connector.domain.notices import Told
from connector.domain.scores import UNSCORED, Score, ScoreState, Shown, is_due, trend_of
from connector.domain.slots import Slot
from connector.domain.steps import Actor
from connector.domain.systems import PLATFORM
from connector.domain.visits import day_of
from connector.pipeline.escalating import on_score
from connector.pipeline.halving import work_off
from connector.pipeline.opening import open_scene
from connector.pipeline.refold import settle
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.serving import Serving
from connector.pipeline.turns import conclude
from connector.stored import BULK, Profile

if TYPE_CHECKING:
    from connector.pipeline.rating import Days, Rating, Ratings
    from connector.store.leases import Fence
    from connector.store.scores import Due
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# Small enough that a webhook does not wait long for the writer.
AT_ONCE = 200
# Where so many are due it is not because each of them has done something.
MANY = 50


def wait(services: Services, unit: Unit, account_id: AccountId) -> bool:
    """Say whether somebody is to be scored."""
    return bool(unit.scores.due(account_id, services.now(), 1))


def turn(services: Services, account_id: AccountId, fence: Fence) -> int:
    """Score the next batch of people; return how many that was."""
    with services.store.reading() as unit:
        due = unit.scores.due(account_id, services.now(), AT_ONCE)
    work_off(
        due,
        lambda some: _score(services, account_id, fence, some),
        lambda one, error: _pass_over(services, account_id, fence, one, error),
    )
    return len(due)


def _score(services: Services, account_id: AccountId, fence: Fence, due: Sequence[Due]) -> None:
    with services.store.reading() as unit:
        fresh = _Fresh(due, services.shelf.serving(unit, account_id), services.now())
        fresh.look(unit, account_id)
        scene = _open(services, unit, account_id, fresh)
        moved = on_score(services, unit, scene, fresh.changes())
    told = settle(scene, {*fresh.told, *moved} & scene.profiles.keys())
    conclude(services, account_id, fence, scene, told, partial(_keep, account_id, fresh))


def _pass_over(
    services: Services, account_id: AccountId, fence: Fence, one: Due, error: Exception
) -> None:
    """Leave somebody the old score who can't be scored, until something happens again."""
    log.error("score_failed", reason=type(error).__name__, exc_info=error)
    with services.store.writing(fence) as unit:
        unit.scores.keep(account_id, (), {}, [(one, one.told_to)])


class _Fresh:
    """The new scores of a batch, beside the old."""

    def __init__(self, due: Sequence[Due], model: Serving | None, now: datetime) -> None:
        self.due = due
        self.model = model
        self.now = now
        self.profiles: Mapping[ProfileId, Profile] = {}
        self.known: dict[ProfileId, Score] = {}
        self.scores: dict[ProfileId, Score] = {}
        self.told: set[ProfileId] = set()
        self.days: Days = {}

    def look(self, unit: Unit, account_id: AccountId) -> None:
        """Score everybody."""
        ids = [one.profile_id for one in self.due]
        self.profiles = unit.visits.profiles(account_id, ids)
        self.known = unit.scores.of(account_id, ids)
        ratings: Ratings = {}
        if self.model is not None:
            ratings, self.days = self.model.rate(unit, account_id, self.due, self.now)
        for one in self.due:
            if profile := self.profiles.get(one.profile_id):
                self._score(profile, one, ratings.get(one.profile_id))

    def _score(self, profile: Profile, due: Due, rating: Rating | None) -> None:
        before = self.known.get(profile.id)
        state = self.model.state if self.model else ScoreState.UNTRAINED
        if profile.slot is Slot.DO_NOT_CONTACT:
            state = ScoreState.SUPPRESSED
        elif rating is None and self.model and state is not ScoreState.UNTRAINED:
            state = ScoreState.NO_JOURNEY
        score = Score(profile.id, state, scored_at=self.now, shown=Shown(state))
        if rating is not None and profile.slot not in UNSCORED:
            value = rating.value if state is not ScoreState.RULES else None
            score = replace(score, value=value, points=rating.points, reasons=rating.reasons)
        self.scores[profile.id] = self._shown(score, before, due)

    def _shown(self, score: Score, before: Score | None, due: Due) -> Score:
        """Decide whether it is told now, and what is told."""
        model_id = self.model.id if self.model else ""
        told_at = before.told_at if before else None
        if score.value is not None and told_at is None:
            told_at = self.now
            if due.first_at:
                figures.observe("bb_first_score_seconds", _seconds(self.now, due.first_at))
        score = replace(score, model_id=model_id, told_at=told_at)
        is_held = bool(self.model and self.model.held and score.value is not None)
        if before and (
            is_held or not is_due(before, score.state, score.value, at_once=due.at_once)
        ):
            trend = trend_of(before, score.value)
            return replace(score, shown=before.shown, trend=trend)
        self.told.add(score.profile_id)
        if is_held:
            return score
        return replace(score, shown=_shown(score, before, self.now))

    def notices(self, services: Services) -> list[Told]:
        """Return what the platform is told: numbers that came, changed or went."""
        return [
            _notice(services.new_id("msg"), self.profiles[one], score, self.now)
            for one, score in self.scores.items()
            if score.shown.value != _value(self.known.get(one))
        ]

    def changes(self) -> Mapping[ProfileId, tuple[int | None, int | None]]:
        """Return from what to what scores went that differ."""
        pairs = {
            one: (self.known[one].value if one in self.known else None, score.value)
            for one, score in self.scores.items()
        }
        return {one: pair for one, pair in pairs.items() if pair[0] != pair[1]}


def _value(score: Score | None) -> int | None:
    return score.shown.value if score else None


def _notice(message: str, profile: Profile, score: Score, now: datetime) -> Told:
    slot = profile.slot or Slot.ANONYMOUS
    told = (message, profile.id, slot, slot, Actor.SYSTEM, "", now)
    return Told(*told, score=score.shown.value, score_state=score.shown.state)


def _shown(score: Score, before: Score | None, now: datetime) -> Shown:
    from scorer.sentences import sentence  # noqa: PLC0415 - for who has a model only

    if score.value is None:
        return Shown(score.state)
    last = before.reasons if before and before.reasons else None
    return Shown(score.state, score.value, sentence(score.reasons, last), now)


def _seconds(now: datetime, since: datetime) -> float:
    return max(0.0, (now - since).total_seconds())


def _open(services: Services, unit: Unit, account_id: AccountId, fresh: _Fresh) -> Scene:
    """Load those with records whose score is told, and whom a rule may be waiting for."""
    asked = set(fresh.changes()) if unit.rules.index(account_id).scores else set()
    wanted = sorted(unit.visits.owned(account_id, fresh.told) | asked)
    scene = open_scene(services, unit, account_id, set(), profiles=wanted, now=fresh.now)
    scene.scores |= {one: fresh.scores[one] for one in wanted}
    if any(one.system == PLATFORM for one in scene.connections.values()):
        scene.changes.notices += fresh.notices(services)
    if len(fresh.due) >= MANY:
        scene.lanes |= dict.fromkeys(scene.records, BULK)
    return scene


def _keep(account_id: AccountId, fresh: _Fresh, unit: Unit) -> None:
    last = day_of(fresh.now) - 1 if fresh.model else None
    done: Iterable[tuple[Due, int | None]] = [(one, last) for one in fresh.due]
    unit.scores.keep(account_id, fresh.scores.values(), fresh.days, done)
