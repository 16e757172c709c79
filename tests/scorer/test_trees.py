from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from scorer.trees import LevelBoosting


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), weighed=st.booleans(), highest=st.integers(1, 251))
def test_levels_are_boosted_as_numbers_are(*, seed: int, weighed: bool, highest: int) -> None:
    chance = np.random.default_rng(seed)
    levels = chance.integers(0, highest + 1, (200, 4)).astype(np.float64)
    levels[:, 3] = 7  # says nothing
    won = chance.random(200) < 0.1 + 0.5 * (levels[:, 0] > highest / 2)
    weights = chance.integers(0, 3, 200) / 2 if weighed else None
    if won.all() or not won.any():
        return

    mine, theirs = (
        _nodes(
            kind(max_iter=5, min_samples_leaf=5, early_stopping=False, random_state=0),
            levels,
            won,
            weights,
        )
        for kind in (LevelBoosting, HistGradientBoostingClassifier)
    )

    assert mine == theirs


@pytest.mark.parametrize("highest", [0, 1])
def test_a_column_of_one_or_two_levels_is_no_trouble(highest: int) -> None:
    levels = np.random.default_rng(0).integers(0, highest + 1, (100, 1)).astype(np.float64)

    model = LevelBoosting(max_iter=2).fit(levels, np.arange(100) % 2)

    assert len(model._predictors) == 2


def _nodes(model: Any, levels: Any, won: Any, weights: Any) -> list[bytes]:
    model.fit(levels, won, sample_weight=weights)
    return [tree.nodes.tobytes() for (tree,) in model._predictors]
