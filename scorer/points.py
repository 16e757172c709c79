"""A model as tables of points: one number a level, one a pair of levels, and an intercept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from scorer.kinds import Floats, Ints
from scorer.levels import INTERCEPT, Coded, Scales

CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Points:
    """Log-odds as a sum: an intercept, a number for each column's level, one for some pairs'."""

    intercept: float
    table: Floats
    pairs: Mapping[tuple[int, int], Floats] = field(default_factory=dict)

    def scaled(self, by: float, plus: float = 0.0) -> Points:
        """Return the same times something, plus something."""
        pairs = {pair: by * table for pair, table in self.pairs.items()}
        return Points(by * self.intercept + plus, by * self.table, pairs)

    def log_odds(self, scales: Scales, coded: Coded) -> Floats:
        """Return each row's log-odds."""
        return np.concatenate([self._log_odds(scales, part) for part in coded.parts()])

    def _log_odds(self, scales: Scales, coded: Coded) -> Floats:
        usual = self.table[scales.starts[:-1] + scales.usual]
        more = self.table[scales.places(coded)] - usual[coded.kept.indices]
        told = _like(coded, more).dot(np.ones(len(scales.all)))
        told += self.intercept + usual.sum()
        for pair, points in zip(self.pairs, self._paired(coded), strict=True):
            del pair
            told += points
        return np.asarray(told, np.float64)

    def _paired(self, coded: Coded) -> list[Floats]:
        if not self.pairs:
            return []
        needed = np.unique(np.array(list(self.pairs)))
        place = {int(column): number for number, column in enumerate(needed)}
        levels = coded.dense(needed)
        return [
            table[levels[:, place[one]], levels[:, place[two]]]
            for (one, two), table in self.pairs.items()
        ]


@dataclass(frozen=True, slots=True)
class Reasons:
    """Each row's points by group; with the intercept they sum to the log-odds."""

    groups: tuple[str, ...]
    points: Floats
    intercept: float

    def as_dicts(self) -> list[dict[str, float]]:
        """Return each row as a dict."""
        rows = self.points.tolist()
        return [
            {INTERCEPT: self.intercept, **dict(zip(self.groups, row, strict=True))} for row in rows
        ]


def total(parts: Sequence[tuple[float, Points]]) -> Points:
    """Return a weighted sum of models."""
    pairs: dict[tuple[int, int], Floats] = {}
    for weight, part in parts:
        for pair, table in part.pairs.items():
            pairs[pair] = pairs[pair] + weight * table if pair in pairs else weight * table
    table = np.sum([weight * part.table for weight, part in parts], axis=0)
    return Points(sum(weight * part.intercept for weight, part in parts), table, pairs)


def reasons(model: Points, scales: Scales, coded: Coded) -> Reasons:
    """Return why each row has its log-odds, measured from what the usual person has."""
    means = average(model, scales)
    names = list(dict.fromkeys(scale.group for scale in scales.all))
    place = {name: number for number, name in enumerate(names)}
    of = np.array([place[scale.group] for scale in scales.all], np.int64)
    usual = model.table[scales.starts[:-1] + scales.usual]
    more = model.table[scales.places(coded)] - usual[coded.kept.indices]
    which = sparse.csr_matrix(
        (np.ones(len(of)), (np.arange(len(of)), of)), shape=(len(of), len(names))
    )
    points = np.asarray((_like(coded, more) @ which).toarray(), np.float64)
    points += np.bincount(of, weights=usual - means, minlength=len(names))[None, :]
    pairs = model._paired(coded)  # noqa: SLF001 - one model, two views
    both = [pair_name(scales, pair) for pair in model.pairs]
    groups = list(dict.fromkeys(both))
    joint = np.zeros((len(coded), len(groups)))
    for name, found in zip(both, pairs, strict=True):
        joint[:, groups.index(name)] += found
    told = np.hstack([points, joint]) if groups else points
    return Reasons((*names, *groups), told, float(model.intercept + means.sum()))


def loudness(
    model: Points, scales: Scales, coded: Coded, chunk: int = CHUNK
) -> tuple[tuple[str, ...], Floats]:
    """Return the groups, and by how many points each moves a row on average, up or down."""
    told = reasons(model, scales, coded.rows(np.arange(0)))
    sums = np.zeros(len(told.groups))
    for start in range(0, len(coded), chunk):
        some = coded.rows(np.arange(start, min(start + chunk, len(coded))))
        sums += np.abs(reasons(model, scales, some).points).sum(axis=0)
    return told.groups, sums / max(1, len(coded))


def pair_name(scales: Scales, pair: tuple[int, int]) -> str:
    """Return the name of two columns' groups together."""
    one, two = sorted({scales.all[pair[0]].group, scales.all[pair[1]].group} | {""})[-2:]
    return f"{one} × {two}" if one else f"{two} × {two}"  # noqa: RUF001 - a times sign


def average(model: Points, scales: Scales) -> Floats:
    """Return each column's mean points over the rows that the scales were learned from."""
    counts = scales.counts.astype(np.float64)
    sums = np.add.reduceat(model.table * counts, scales.starts[:-1]) if len(counts) else counts
    rows = np.add.reduceat(counts, scales.starts[:-1]) if len(counts) else counts
    return np.asarray(sums / np.maximum(rows, 1.0), np.float64)


def purified(model: Points, scales: Scales) -> Points:
    """Return the same model with what a pair says of one column alone moved to that column."""
    table, intercept = model.table.copy(), model.intercept
    pairs = {}
    for (one, two), joint in model.pairs.items():
        first, second = _shares(scales, one), _shares(scales, two)
        down, across = joint @ second, first @ joint
        middle = float(first @ down)
        table[scales.starts[one] : scales.starts[one + 1]] += down - middle
        table[scales.starts[two] : scales.starts[two + 1]] += across - middle
        intercept += middle
        pairs[one, two] = joint - down[:, None] - across[None, :] + middle
    return Points(intercept, table, pairs)


def _shares(scales: Scales, column: int) -> Floats:
    counts = scales.all[column].counts.astype(np.float64)
    return np.asarray(counts / max(1.0, float(counts.sum())), np.float64)


def _like(coded: Coded, data: Floats) -> sparse.csr_matrix:
    kept = coded.kept
    return sparse.csr_matrix((data, kept.indices, kept.indptr), shape=kept.shape)


def used(model: Points, scales: Scales) -> Ints:
    """Return the columns that carry any points."""
    spread = [
        np.ptp(model.table[scales.starts[n] : scales.starts[n + 1]]) for n in range(len(scales.all))
    ]
    return np.flatnonzero(np.array(spread) > 0)
