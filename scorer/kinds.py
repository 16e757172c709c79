"""The arrays that everything here passes on, by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Chance = int | np.random.RandomState | None  # as scikit-learn has it


def log_odds(chance: float) -> float:
    """Return a chance in log-odds."""
    return float(np.log(chance) - np.log1p(-chance))


def chances(points: Floats) -> Floats:
    """Return log-odds as chances."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(points, -500, 500))), np.float64)


def seed_of(random_state: Chance) -> int:
    """Return a whole number to start chance from; None and a RandomState give another each time."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    chance = random_state or np.random.RandomState()
    return int(chance.randint(2**31 - 1))
