"""Scores as the API shows them beside a profile."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from connector.api.words import Answer
from connector.domain.facts import AccountId, ProfileId
from connector.domain.scores import UNSCORED, Score, ScoreState, state_of
from connector.store.unit import Unit
from connector.stored import Profile

BASE = "intercept"  # the scorer's word for where everybody begins
BEGINNING = "Where everybody begins"


class ReasonAnswer(Answer):
    """What speaks for or against a lead, in log-odds; together they are the score."""

    text: str
    points: float


Shown = Mapping[str, object]


def score_answers(
    unit: Unit, account_id: AccountId, profiles: Sequence[Profile]
) -> dict[ProfileId, Shown]:
    """Return score, state, probability, percentile and reasons of profiles."""
    known = unit.scores.of(account_id, [one.id for one in profiles])
    spread: Sequence[float] = []
    if any(score.points is not None for score in known.values()):
        serving = unit.models.serving(account_id)
        spread = serving.report.get("spread", []) if serving else []
    return {one.id: _shown(one, known.get(one.id), spread) for one in profiles}


def _shown(profile: Profile, score: Score | None, spread: Sequence[float]) -> Shown:
    state = state_of(profile.slot, score)
    nothing: Shown = {
        "score": None,
        "score_state": state,
        "probability": None,
        "percentile": None,
        "reasons": [],
    }
    if score is None or score.points is None or profile.slot in UNSCORED:
        return nothing
    reasons = [ReasonAnswer(text=text, points=points) for text, points in _ranked(score.reasons)]
    if state is ScoreState.RULES:  # points of rules that nothing was learned for are no chance
        return {**nothing, "reasons": reasons}
    place = round(100 * bisect_left(spread, score.points) / len(spread), 1) if spread else None
    return {
        "score": score.value,
        "score_state": state,
        "probability": 1 / (1 + math.exp(-score.points)),
        "percentile": place,
        "reasons": reasons,
    }


def _ranked(reasons: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the reasons, the loudest first, and where everybody begins at the end."""
    told = [(text, points) for text, points in reasons.items() if text != BASE and points]
    told.sort(key=lambda one: (-abs(one[1]), one[0]))
    return [*told, (BEGINNING, reasons[BASE])] if BASE in reasons else told
