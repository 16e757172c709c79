"""1 to 10: fixed bands of log-odds around a frozen base, so that a score keeps its meaning."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from scorer.kinds import Floats, Ints

EDGES: Floats = np.arange(-2.0, 2.01, 0.5)
LEAST, MOST = 3, 8  # while learning


class State(StrEnum):
    """How much a model may say."""

    UNTRAINED = "untrained"
    RULES = "rules"
    LEARNING = "learning"
    TRAINED = "trained"


def scores(points: Floats, base: float, state: State) -> Ints:
    """Return whole numbers from 1 to 10; from 3 to 8 until trained."""
    told = 1 + np.searchsorted(EDGES, points - base, side="right").astype(np.int64)
    if state is State.TRAINED:
        return told
    return np.clip(told, LEAST, MOST)
