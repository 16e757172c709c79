"""Boosted trees over levels, read as tables: every leaf tells of one column or of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from scorer.kinds import Floats, Ints
from scorer.levels import Scales
from scorer.points import Points, purified

Box = dict[int, tuple[float, float]]  # column -> over, up to


class LevelBoosting(HistGradientBoostingClassifier):  # type: ignore[misc]  # has no types
    """Gradient boosting of columns that are levels already: whole numbers below 255.

    Its bins are what scikit-learn would find by sorting every column; a test holds them equal.
    """

    def _bin_data(self, X: Any, *rest: Any, is_training_data: bool) -> Any:
        del is_training_data  # there is no other: nothing is stopped early
        weights = rest[0] if rest else None  # newer versions pass them on
        there = slice(None) if weights is None else weights > 0
        binned = np.empty(X.shape, np.uint8, order="F")
        cuts = []
        for number in range(X.shape[1]):
            levels = X[:, number].astype(np.uint8)
            known = np.flatnonzero(np.bincount(levels[there])).astype(np.float64)
            cuts.append((known[:-1] + known[1:]) / 2)
            binned[:, number] = np.searchsorted(cuts[-1], np.arange(256)).astype(np.uint8)[levels]
        mapper = self._bin_mapper
        mapper.is_categorical_ = np.zeros(X.shape[1], np.uint8)
        mapper.missing_values_bin_idx_ = mapper.n_bins - 1
        mapper.bin_thresholds_ = cuts
        mapper.n_bins_non_missing_ = np.array([len(cut) + 1 for cut in cuts], np.uint32)
        return binned


def read_trees(model: Any, scales: Scales, columns: Ints, ranks: Sequence[Ints]) -> Points:
    """Return a boosting of single columns or pairs as points, to the last bit of a leaf."""
    table = np.zeros(int(scales.starts[-1]))
    pairs: dict[tuple[int, int], Floats] = {}
    intercept = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001 - no public way
    for (tree,) in model._predictors:  # noqa: SLF001 - no public way
        for box, value in _leaves(tree.nodes, 0, {}):
            masks = {
                int(columns[n]): (ranks[n] > over) & (ranks[n] <= upto)
                for n, (over, upto) in sorted(box.items())
            }
            if not masks:
                intercept += value
            elif len(masks) == 1:
                ((column, mask),) = masks.items()
                table[scales.starts[column] : scales.starts[column + 1]] += value * mask
            else:
                (one, first), (two, second) = masks.items()
                joint = pairs.setdefault((one, two), np.zeros((len(first), len(second))))
                joint += value * np.outer(first, second)
    return purified(Points(intercept, table, pairs), scales)


def _leaves(nodes: Any, at: int, box: Box) -> Iterator[tuple[Box, float]]:
    node = nodes[at]
    if node["is_leaf"]:
        yield box, float(node["value"])
        return
    column, cut = int(node["feature_idx"]), float(node["num_threshold"])
    over, upto = box.get(column, (-np.inf, np.inf))
    yield from _leaves(nodes, int(node["left"]), box | {column: (over, min(upto, cut))})
    yield from _leaves(nodes, int(node["right"]), box | {column: (max(over, cut), upto)})
