"""Gates: a model serves only after it has beaten the one before on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scorer.bands import EDGES
from scorer.kinds import Floats, chances
from scorer.measures import auc, calibration_error, lift, surprises

DRAWS = 1_000
SURE = 0.90  # of draws in which the loss is lower
WORSE_AUC, WORSE_ERROR, LEAST_LIFT = 0.005, 0.01, 0.95
MOST_ERROR = 0.05
SAME_SHARE = 0.80  # of people that may not move by more than a point
BEYOND_CHANCE = 2.6  # standard errors that a first model's AUC is above a half


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may serve, why not, and the figures."""

    promoted: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, float]


def judge_first(y: Floats, points: Floats, base: float, seed: int = 0) -> Verdict:
    """Judge a model that follows none: it must beat knowing the base rate alone."""
    level = np.full(len(y), base)
    figures = _figures(y, points) | {"sure": sureness(y, points, level, seed)}
    error = auc_error(y, figures["auc"])
    faults = []
    if figures["sure"] < SURE:
        faults.append("it foretells no better than the base rate does")
    if figures["auc"] - BEYOND_CHANCE * error <= 0.5:  # noqa: PLR2004 - tossing a coin
        faults.append(f"its order may be chance (AUC {figures['auc']:.2f} +/- {error:.2f})")
    return Verdict(not faults, tuple(faults), figures)


def judge(
    y: Floats, points: Floats, champion: Floats, seed: int = 0, *, accept_shift: bool = False
) -> Verdict:
    """Judge a challenger against the champion, both on the same unseen rows."""
    mine, theirs = _figures(y, points), _figures(y, champion)
    sure = sureness(y, points, champion, seed)
    same = float((np.abs(_bands(points) - _bands(champion)) <= 1).mean())
    checks = {
        f"its loss is lower in {sure:.0%} of draws, {SURE:.0%} are asked": sure >= SURE,
        "its order is worse": mine["auc"] >= theirs["auc"] - WORSE_AUC,
        "its chances are less true": mine["calibration_error"]
        <= max(MOST_ERROR, theirs["calibration_error"] + WORSE_ERROR),
        "its best tenth is worse": mine["lift"] >= LEAST_LIFT * theirs["lift"],
        f"{1 - same:.0%} of scores would move by more than a point": accept_shift
        or same >= SAME_SHARE,
    }
    faults = tuple(fault for fault, passed in checks.items() if not passed)
    figures = mine | {"sure": sure, "same": same}
    return Verdict(not faults, faults, figures)


def sureness(y: Floats, points: Floats, other: Floats, seed: int = 0) -> float:
    """Return in what share of resampled draws the first has the lower loss."""
    if not len(y):
        return 0.0
    gap = surprises(y, chances(points)) - surprises(y, chances(other))
    chance = np.random.default_rng(seed)
    draws = [gap[chance.integers(0, len(gap), len(gap))].mean() < 0 for _ in range(DRAWS)]
    return float(np.mean(draws))


def auc_error(y: Floats, found: float) -> float:
    """Return an AUC's standard error (Hanley and McNeil)."""
    won = float((y > 0).sum())
    lost = len(y) - won
    if not won or not lost:
        return 1.0
    one, two = found / (2 - found), 2 * found**2 / (1 + found)
    spread = (won - 1) * (one - found**2) + (lost - 1) * (two - found**2)
    return float(np.sqrt((found * (1 - found) + spread) / (won * lost)))


def _figures(y: Floats, points: Floats) -> dict[str, float]:
    return {
        "auc": auc(y, points),
        "log_loss": float(surprises(y, chances(points)).mean()) if len(y) else 0.0,
        "calibration_error": calibration_error(y, chances(points)),
        "lift": lift(y, points) if len(y) else 0.0,
    }


def _bands(points: Floats) -> Floats:
    middle = float(np.median(points)) if len(points) else 0.0
    return np.searchsorted(EDGES, points - middle, side="right").astype(np.float64)
