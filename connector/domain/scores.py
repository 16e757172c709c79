"""Scores as a profile has them, and when a CRM is told. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connector.domain.facts import ProfileId
from connector.domain.slots import Slot

# A score that wavers by a point is told once it has done so twice.
AT_ONCE_FROM = 2
# Who stands there is no lead any more: the score is blank.
BEYOND = frozenset({Slot.CUSTOMER, Slot.POST_SALE})
UNSCORED = BEYOND | {Slot.DO_NOT_CONTACT}


class ScoreState(StrEnum):
    """How far a score can be trusted, the first that applies."""

    SUPPRESSED = "suppressed"
    NO_JOURNEY = "no_journey"
    UNTRAINED = "untrained"
    RULES = "rules"
    LEARNING = "learning"
    TRAINED = "trained"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the CRMs are to show of a score."""

    state: str = ScoreState.NO_JOURNEY
    value: int | None = None
    reasons: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A profile's newest score.

    `value` is 1 to 10; `points` are log-odds and `reasons` what they are made of, by group; None
    and empty where there is no score. `trend` is by how much the last run differed from what is
    shown. `told_at` is when the first number was there.
    """

    profile_id: ProfileId
    state: ScoreState = ScoreState.NO_JOURNEY
    value: int | None = None
    points: float | None = None
    reasons: Mapping[str, float] = field(default_factory=dict)
    model_id: str = ""
    scored_at: datetime | None = None
    told_at: datetime | None = None
    shown: Shown = field(default_factory=Shown)
    trend: int = 0


NOTHING = Shown()


def shown_to(slot: Slot | None, score: Score | None) -> Shown:
    """Return what a CRM shows of a profile that stands in a slot."""
    if slot is Slot.DO_NOT_CONTACT:
        return Shown(ScoreState.SUPPRESSED)
    if score is None:
        return NOTHING
    return Shown(score.shown.state) if slot in BEYOND else score.shown


def state_of(slot: Slot | None, score: Score | None) -> ScoreState:
    """Return how far a profile's score can be trusted."""
    if slot is Slot.DO_NOT_CONTACT:
        return ScoreState.SUPPRESSED
    return score.state if score else ScoreState.NO_JOURNEY


def is_due(before: Score | None, state: ScoreState, value: int | None, *, at_once: bool) -> bool:
    """Say whether a fresh score is told now: what is small must last for two runs."""
    if before is None or before.shown.state != state:
        return True
    old = before.shown.value
    if value == old:
        return False
    if at_once or value is None or old is None or abs(value - old) >= AT_ONCE_FROM:
        return True
    return before.trend * (value - old) > 0


def trend_of(before: Score | None, value: int | None) -> int:
    """Return by how much a fresh score differs from what is shown."""
    if before is None or value is None or before.shown.value is None:
        return 0
    return value - before.shown.value
