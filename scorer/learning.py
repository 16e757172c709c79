"""Learns a blend of additive members and calibrates it on rows that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from scorer.calibration import calibrate
from scorer.kinds import Floats, Ints, log_odds
from scorer.members import Member, Sample, boosting, frequencies, logistic
from scorer.points import Points, total

LEARNING_FROM, TRAINED_FROM, PAIRS_FROM = 5, 20, 100
# From so many rows on, so many held-out parts are enough to calibrate on.
ENOUGH_PARTS = ((30_000, 1), (8_000, 2))
FOLDS = 5
SILENT = 1e-6  # a member whose points spread no wider found nothing
NEWEST_WINS = 20  # the newest window calibrates by itself from so many successes on

SMALL: Mapping[str, Member] = {
    "slopes": logistic(0.01, bins=0.0),
    "bins": logistic(0.1, slopes=0.0),
    "boosting": boosting(
        max_leaf_nodes=4,
        rounds=60,
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
        rounds=200,
        learning_rate=0.06,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_features=0.5,
    ),
    "pairs": boosting(
        40,
        max_leaf_nodes=12,
        rounds=200,
        learning_rate=0.05,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_features=0.5,
    ),
    "frequencies": frequencies(20.0),
}


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
    won = sample.y > 0
    wins = int(won.sum()) if groups is None else len(np.unique(groups[won]))
    splits = _splits(sample, seed, groups, newest) if wins >= LEARNING_FROM else []
    if not splits:  # too few won, or hardly anybody did not
        return Learned(Points(base, np.zeros(int(sample.scales.starts[-1]))), base)
    recipe = LARGE if wins >= PAIRS_FROM else SMALL
    tried = np.concatenate([split.trial for split in splits])
    y, weights = sample.y[tried], sample.weights[tried]
    points = {name: _unseen(sample, member, splits, seed) for name, member in recipe.items()}
    blend = np.mean([each for each in points.values() if each.any()] or [np.zeros(len(y))], axis=0)
    line = calibrate(blend, y, weights)
    fitted = {name: _loud(sample, recipe[name], seed) for name in points if points[name].any()}
    shares = {name: line.slope * loud / len(fitted) for name, (loud, _) in fitted.items()}
    parts = [(shares[name], model) for name, (_, model) in fitted.items()]
    flat = Points(0.0, np.zeros(int(sample.scales.starts[-1])))
    model = total([*parts, (1.0, flat)]).scaled(1.0, line.shift)
    told = np.asarray(line.slope * blend + line.shift, np.float64)
    return Learned(model, base, shares, tried, told)


def _loud(sample: Sample, member: Member, seed: int) -> tuple[float, Points]:
    """Return a member and what makes it as loud as the others: one over its points' spread."""
    model = member(sample, seed)
    told = model.log_odds(sample.scales, sample.coded)
    middle = float(np.average(told, weights=sample.weights))
    spread = float(np.sqrt(np.average((told - middle) ** 2, weights=sample.weights)))
    loud = 1.0 / spread if spread > SILENT else 0.0
    return loud, model.scaled(1.0, -middle)


def _unseen(sample: Sample, member: Member, splits: Sequence[Split], seed: int) -> Floats:
    told = []
    for split in splits:
        loud, model = _loud(sample.rows(split.learn), member, seed)
        told.append(loud * model.log_odds(sample.scales, sample.coded.rows(split.trial)))
    return np.concatenate(told)


def _splits(sample: Sample, seed: int, groups: Ints | None, newest: Ints | None) -> list[Split]:
    won: Ints = (sample.y > 0).astype(np.int64)
    alone = len(np.unique(groups[won > 0])) if groups is not None else int(won.sum())
    parts = min(FOLDS, alone, int(len(won) - won.sum()))
    folds = _folded(won, seed, groups, parts) if parts > 1 else []
    folds = [fold for fold in folds if np.ptp(won[fold.learn]) and len(fold.trial)]
    if newest is not None and won[newest].sum() >= NEWEST_WINS:
        ahead = [_forward(fold, newest) for fold in folds]
        if all(won[split.learn].sum() >= NEWEST_WINS for split in ahead):
            return ahead
    enough = next((parts for rows, parts in ENOUGH_PARTS if len(won) > rows), FOLDS)
    return folds[:enough]


def _forward(fold: Split, newest: Ints) -> Split:
    """Return a fold that learns from older landmarks and is tried on the newest."""
    return Split(np.setdiff1d(fold.learn, newest), np.intersect1d(fold.trial, newest))


def _folded(won: Ints, seed: int, groups: Ints | None, folds: int) -> list[Split]:
    rows = np.zeros(len(won))
    if groups is None:
        maker = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return [Split(*each) for each in maker.split(rows, won)]
    by_group = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return [Split(*each) for each in by_group.split(rows, won, groups)]
