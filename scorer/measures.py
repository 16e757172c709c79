"""How good chances are, and how far a population has moved."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from scorer.kinds import Flags, Floats

BINS = 10


def auc(y: Floats, points: Floats) -> float:
    """Return how often a success is ahead of another; 0.5 where there is only one kind."""
    won = int((y > 0).sum())
    lost = len(y) - won
    if not won or not lost:
        return 0.5
    ranks = rankdata(points)
    return float((ranks[y > 0].sum() - won * (won + 1) / 2) / (won * lost))


def auc_error(y: Floats, found: float) -> float:
    """Return an AUC's standard error (Hanley and McNeil)."""
    won = float((y > 0).sum())
    lost = len(y) - won
    if not won or not lost:
        return 1.0
    one, two = found / (2 - found), 2 * found**2 / (1 + found)
    spread = (won - 1) * (one - found**2) + (lost - 1) * (two - found**2)
    return float(np.sqrt((found * (1 - found) + spread) / (won * lost)))


def log_loss(y: Floats, chance: Floats, weights: Floats | None = None) -> float:
    """Return the mean surprise."""
    return float(np.average(surprises(y, chance), weights=weights))


def surprises(y: Floats, chance: Floats) -> Floats:
    """Return each row's surprise."""
    told = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(-(y * np.log(told) + (1 - y) * np.log(1 - told)), np.float64)


def calibration_error(y: Floats, chance: Floats) -> float:
    """Return the mean gap between chances and what happened, over ten equal parts."""
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [len(part) * abs(float(chance[part].mean() - y[part].mean())) for part in parts]
    return float(sum(gaps) / max(1, len(y)))


def lift(y: Floats, points: Floats, share: float = 0.1) -> float:
    """Return how many times the base rate the top share has."""
    count = max(1, round(len(y) * share))
    top: Flags = np.zeros(len(y), np.bool_)
    top[np.argsort(-points, kind="stable")[:count]] = True
    return float(y[top].mean() / max(float(y.mean()), 1e-12))


def shift(then: Floats, now: Floats) -> float:
    """Return the population stability index of two shares over the same levels."""
    was, is_ = _shares(then), _shares(now)
    return float(((is_ - was) * np.log(is_ / was)).sum())


def spread(values: Floats, edges: Floats) -> Floats:
    """Return how many values lie in each part between edges."""
    return np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1).astype(np.float64)


def _shares(counts: Floats) -> Floats:
    smoothed = counts + 0.5
    return np.asarray(smoothed / smoothed.sum(), np.float64)
