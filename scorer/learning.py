"""Learns a blend of additive members and calibrates it on rows that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from scorer.calibration import Line, calibrate
from scorer.kinds import Floats, Ints, log_odds
from scorer.members import Member, Sample, boosting, frequencies, logistic
from scorer.points import Points, total

LEARNING_FROM, TRAINED_FROM, PAIRS_FROM = 5, 20, 100
MANY_ROWS = 30_000  # from here on one held-out part is enough to calibrate on
FOLDS, REPEATS = 5, 2
NEWEST_WINS = 20  # the newest window calibrates by itself from so many successes on

SMALL: Mapping[str, Member] = {
    "slopes": logistic(0.01, bins=0.0),
    "bins": logistic(0.1, slopes=0.0),
    "boosting": boosting(
        max_leaf_nodes=4,
        max_iter=60,
        learning_rate=0.05,
        min_samples_leaf=50,
        l2_regularization=20.0,
        max_features=0.3,
    ),
    "frequencies": frequencies(20.0),
}
LARGE: Mapping[str, Member] = {
    "logistic": logistic(0.1),
    "boosting": boosting(
        max_leaf_nodes=8,
        max_iter=200,
        learning_rate=0.06,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_features=0.5,
    ),
    "pairs": boosting(
        40,
        max_leaf_nodes=12,
        max_iter=200,
        learning_rate=0.05,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_features=0.5,
    ),
    "frequencies": frequencies(20.0),
}
SHARES: Mapping[str, float] = {"frequencies": 0.5}


@dataclass(frozen=True, slots=True)
class Learned:
    """A model, its base in log-odds, and what rows that it had not seen said of it."""

    model: Points
    base: float
    members: Mapping[str, float] = field(default_factory=dict)
    seen: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    unseen_points: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows to learn from and which to try it on."""

    learn: Ints
    trial: Ints


def learn(
    sample: Sample, seed: int, groups: Ints | None = None, newest: Ints | None = None
) -> Learned:
    """Learn from all rows; `groups` never stand on both sides, `newest` calibrates if it can."""
    base = log_odds(sample.base)
    wins = int((sample.y > 0).sum())
    if wins < LEARNING_FROM or wins == len(sample.y):
        return Learned(Points(base, np.zeros(int(sample.scales.starts[-1]))), base)
    recipe = LARGE if wins >= PAIRS_FROM else SMALL
    splits = _splits(sample, seed, groups, newest)
    tried = np.concatenate([split.trial for split in splits])
    y, weights = sample.y[tried], sample.weights[tried]
    points = {name: _unseen(sample, member, splits, seed) for name, member in recipe.items()}
    lines = {name: calibrate(points[name], y, weights) for name in recipe}
    shares = _shares(points, lines, y)
    blend = np.sum([share * points[name] for name, share in shares.items()], axis=0)
    line = calibrate(blend, y, weights)
    members = [(shares[name] * line.slope, recipe[name](sample, seed)) for name in shares]
    model = total(members).scaled(1.0, line.shift)
    told = np.asarray(line.slope * blend + line.shift, np.float64)
    return Learned(model, base, dict(shares), tried, told)


def _shares(points: Mapping[str, Floats], lines: Mapping[str, Line], y: Floats) -> dict[str, float]:
    """Return each member's part: all speak equally loud once their own slope is mended."""
    del y
    parts = {name: SHARES.get(name, 1.0) for name in points}
    whole = sum(parts.values())
    return {name: part * lines[name].slope / whole for name, part in parts.items()}


def _unseen(sample: Sample, member: Member, splits: Sequence[Split], seed: int) -> Floats:
    told = []
    for split in splits:
        model = member(sample.rows(split.learn), seed)
        told.append(model.log_odds(sample.scales, sample.coded.rows(split.trial)))
    return np.concatenate(told)


def _splits(sample: Sample, seed: int, groups: Ints | None, newest: Ints | None) -> list[Split]:
    won: Ints = (sample.y > 0).astype(np.int64)
    if newest is not None and won[newest].sum() >= NEWEST_WINS:
        there = groups if groups is not None else np.arange(len(won))
        older = np.flatnonzero(~np.isin(there, there[newest]))
        if won[older].sum() >= NEWEST_WINS:
            return [Split(older, newest)]
    folds = min(FOLDS, int(won.sum()), int(len(won) - won.sum()))
    if len(won) > MANY_ROWS:
        return _folded(won, seed, groups, folds)[:1]
    return _folded(won, seed, groups, folds)


def _folded(won: Ints, seed: int, groups: Ints | None, folds: int) -> list[Split]:
    rows = np.zeros(len(won))
    if groups is None:
        maker = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return [Split(*each) for each in maker.split(rows, won)]
    by_group = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return [Split(*each) for each in by_group.split(rows, won, groups)]
