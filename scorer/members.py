"""The members of the blend; each is learned its own way and ends as a table of points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from scorer.kinds import Floats, Ints, log_odds
from scorer.levels import Coded, Scale, Scales
from scorer.points import Points
from scorer.trees import LevelBoosting, read_trees

MOST_COLUMNS = 150  # that boosting looks at
MOST_ROWS = 200_000  # that boosting learns from
MOST_DESIGNED = 32_000_000  # cells that a regression learns from
QUICK_ROWS, LEAST_ROUNDS = 40_000, 60
FINE, COARSE = 1e-5, 1e-4  # how flat the loss of a regression is left; with many rows it is flatter


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model learns from: levels, outcomes and weights."""

    scales: Scales
    coded: Coded
    y: Floats
    weights: Floats

    def rows(self, which: Ints) -> Sample:
        """Return some rows."""
        return Sample(self.scales, self.coded.rows(which), self.y[which], self.weights[which])

    @property
    def base(self) -> float:
        """The share of successes, never quite 0 or 1."""
        won = float((self.y * self.weights).sum())
        return (won + 0.5) / (float(self.weights.sum()) + 1.0)


Member = Callable[[Sample, int], Points]


def logistic(strength: float, *, bins: float = 1.0, slopes: float = 1.0) -> Member:
    """Return L2 logistic regression on scaled columns, on their bins, or on both."""

    def fit(sample: Sample, seed: int) -> Points:
        some, offset = _some(sample, seed, _bearable(sample.coded))
        design = _design(some.scales, some.coded, slopes, bins)
        tol = FINE if len(sample.y) <= QUICK_ROWS else COARSE
        model = LogisticRegression(C=strength, tol=tol, max_iter=500, random_state=seed)
        model.fit(design, some.y > 0, sample_weight=some.weights)
        start = float(model.intercept_[0]) + offset
        return _table(sample.scales, model.coef_[0], start, slopes, bins)

    return fit


def frequencies(shrink: float) -> Member:
    """Return each bin's own odds against the base, shrunk; columns as if independent."""

    def fit(sample: Sample, seed: int) -> Points:
        del seed
        table = np.zeros(int(sample.scales.starts[-1]))
        rate = sample.base
        won, seen = level_sums(sample)
        for number, scale in enumerate(sample.scales.all):
            here = slice(sample.scales.starts[number], sample.scales.starts[number + 1])
            wins = np.bincount(scale.bins, weights=won[here])
            rows = np.bincount(scale.bins, weights=seen[here])
            share = (wins + shrink * rate) / (rows + shrink)
            table[here] = (np.log(share) - np.log1p(-share) - log_odds(rate))[scale.bins]
        return Points(log_odds(rate), table)

    return fit


def boosting(most_pairs: int = 0, *, rounds: int, learning_rate: float, **options: Any) -> Member:
    """Return gradient boosting of single columns, or of pairs of the best so many."""

    def fit(sample: Sample, seed: int) -> Points:
        some, offset = _some(sample, seed)
        columns = np.sort(best_columns(some)[: most_pairs or MOST_COLUMNS])
        ranks = [_ranks(some, int(column)) for column in columns]
        dense = some.coded.dense(columns)
        told = np.column_stack([rank[dense[:, n]] for n, rank in enumerate(ranks)])
        fewer = _rounds(len(some.y), rounds)
        model = LevelBoosting(
            max_iter=fewer,
            learning_rate=learning_rate * rounds / fewer,
            early_stopping=False,
            random_state=seed,
            interaction_cst="pairwise" if most_pairs else "no_interactions",
            **options,
        )
        model.fit(told.astype(np.float64), some.y > 0, sample_weight=some.weights)
        return read_trees(model, some.scales, columns, ranks).scaled(1.0, offset)

    return fit


def _bearable(coded: Coded) -> int:
    """Return how many rows a regression learns from: it holds every cell twice, in full."""
    return len(coded) * MOST_DESIGNED // max(1, int(coded.kept.nnz))


def _rounds(rows: int, rounds: int) -> int:
    """Return in how many rounds so many rows are learned: many rows bear longer strides."""
    return min(rounds, max(LEAST_ROUNDS, round(rounds * QUICK_ROWS / rows)))


def best_columns(sample: Sample) -> Ints:
    """Return columns with those that tell successes apart best first."""
    won, seen = level_sums(sample)
    rate = sample.base
    found = []
    for number in range(len(sample.scales.all)):
        here = slice(sample.scales.starts[number], sample.scales.starts[number + 1])
        rows = seen[here] + 1.0
        found.append(float((((won[here] - rate * seen[here]) ** 2) / rows).sum()))
    return np.argsort(-np.array(found), kind="stable")


def level_sums(sample: Sample) -> tuple[Floats, Floats]:
    """Return the weight of successes and of rows at every level."""
    scales = sample.scales
    size, start = int(scales.starts[-1]), 0
    sums = np.zeros((2, size))
    weights = sample.y * sample.weights, sample.weights
    for part in sample.coded.parts():
        places = scales.places(part)
        row = start + np.repeat(np.arange(len(part)), np.diff(part.kept.indptr))
        for told, weight in zip(sums, weights, strict=True):
            told[:] = told + np.bincount(places, weights=weight[row], minlength=size)
        start += len(part)
    for told, weight in zip(sums, weights, strict=True):
        by_column = np.add.reduceat(told, scales.starts[:-1])
        told[scales.starts[:-1] + scales.usual] += weight.sum() - by_column
    return sums[0], sums[1]


def _some(sample: Sample, seed: int, most: int = MOST_ROWS) -> tuple[Sample, float]:
    """Return at most so many rows, every success among them, and what the sampling adds."""
    count = len(sample.y)
    if count <= most:
        return sample, 0.0
    wins, rest = np.flatnonzero(sample.y > 0), np.flatnonzero(sample.y <= 0)
    chance = np.random.default_rng(seed)
    if len(wins) > most // 2:  # then both are thinned alike
        return sample.rows(np.sort(chance.choice(count, most, replace=False))), 0.0
    keep = most - len(wins)
    kept = chance.choice(rest, keep, replace=False)
    return sample.rows(np.sort(np.concatenate([wins, kept]))), float(np.log(keep / len(rest)))


def _ranks(sample: Sample, column: int) -> Ints:
    """Return levels in an order that trees can cut: words by how often they won."""
    scale = sample.scales.all[column]
    if scale.is_number:
        return np.arange(scale.size)
    won, seen = _column_sums(sample, column)
    share = (won + 20 * sample.base) / (seen + 20)
    ranks = np.empty(scale.size, np.int64)
    ranks[np.argsort(share, kind="stable")] = np.arange(scale.size)
    return ranks


def _column_sums(sample: Sample, column: int) -> tuple[Floats, Floats]:
    """Return the weight of successes and of rows at one column's levels."""
    levels = sample.coded.dense(np.array([column]))[:, 0]
    size = sample.scales.all[column].size
    won = np.bincount(levels, weights=sample.y * sample.weights, minlength=size)
    seen = np.bincount(levels, weights=sample.weights, minlength=size)
    return won.astype(np.float64), seen.astype(np.float64)


def _bin_places(scales: Scales) -> tuple[Ints, int]:
    """Return which one-hot column each level has, -1 for the usual level's bin."""
    found, start = [], 0
    for scale in scales.all:
        usual = scale.bins[scale.usual]
        found.append(np.where(scale.bins == usual, -1, start + scale.bins))
        start += int(scale.bins.max()) + 1
    return np.concatenate(found or [np.zeros(0, np.int64)]), start


def _centres(scales: Scales) -> Floats:
    return np.concatenate([_of(scale) for scale in scales.all] or [np.zeros(0)])


def _of(scale: Scale) -> Floats:
    return scale.centres if scale.is_number else np.zeros(scale.size)


def _weights_of_bins(scales: Scales, bins: float) -> Floats:
    """Return how much bins weigh by column; words have nothing else."""
    return np.array([bins if scale.is_number else 1.0 for scale in scales.all])


def _design(scales: Scales, coded: Coded, slopes: float, bins: float) -> sparse.csr_matrix:
    hot, size = _bin_places(scales)
    centres, weights, columns = _centres(scales), _weights_of_bins(scales, bins), len(scales.all)
    index = np.empty(2 * coded.kept.nnz, coded.kept.indices.dtype)
    data = np.empty(2 * coded.kept.nnz)
    end = 0
    for part in coded.parts():
        places, own = scales.places(part), part.kept.indices
        start, end = end, end + 2 * len(places)
        index[start:end:2] = own
        index[start + 1 : end : 2] = columns + np.maximum(hot[places], 0)
        data[start:end:2] = slopes * centres[places]
        data[start + 1 : end : 2] = weights[own] * (hot[places] >= 0)
    ends = 2 * coded.kept.indptr.astype(np.int64)
    found = sparse.csr_matrix((data, index, ends), shape=(len(coded), columns + size))
    found.eliminate_zeros()
    return found


def _table(scales: Scales, weights: Floats, start: float, slopes: float, bins: float) -> Points:
    hot, _ = _bin_places(scales)
    columns = len(scales.all)
    owner = np.repeat(np.arange(columns), np.diff(scales.starts))
    table = slopes * weights[owner] * _centres(scales)
    told = _weights_of_bins(scales, bins)[owner]
    table += told * np.where(hot >= 0, weights[columns + np.maximum(hot, 0)], 0.0)
    return Points(start, table)
