"""Reads boosted trees as tables: every leaf of ours tells of one column or of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scorer.kinds import Floats, Ints
from scorer.levels import Scales
from scorer.points import Points, purified

Box = dict[int, tuple[float, float]]  # column -> over, up to


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
