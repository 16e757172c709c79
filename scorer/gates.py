"""Gates: a model serves only after it has beaten the one before on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scorer.bands import EDGES
from scorer.kinds import Floats, Ints, chances
from scorer.measures import auc, auc_error, calibration_error, lift, surprises

DRAWS = 1_000
SURE = 0.90  # of draws in which the loss is lower
WORSE_AUC, WORSE_ERROR, LEAST_LIFT = 0.005, 0.01, 0.95
MOST_ERROR = 0.05
SAME_SHARE = 0.80  # of people that may not move by more than a point
# Standard errors that a first model's order is above a half: it is tried anew every night.
BEYOND_CHANCE = 4.0
PEERS = 10  # on either side that a success is compared with
MOST_COMPARED = 3_000  # successes at one kind of landmark


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may serve, why not, and the figures."""

    promoted: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose rows are judged, at which kind of landmark, and when each had come."""

    who: Ints
    kind: Ints
    came: Ints


class Order(NamedTuple):
    """How often successes are ahead of their peers, and by how much chance would move that."""

    ahead: float
    error: float


def judge_first(
    y: Floats, points: Floats, base: float, seed: int = 0, *, order: Order | None = None
) -> Verdict:
    """Judge a model that follows none: it must beat the base rate, and knowing how old a lead is.

    `order` is how it puts successes among their peers; without it all rows are peers.
    """
    figures = _figures(y, points)
    figures["sure"] = sureness(y, points, np.full(len(y), base), seed)
    order = order or Order(figures["auc"], auc_error(y, figures["auc"]))
    figures |= {"order": order.ahead, "order_error": order.error}
    faults = []
    if figures["sure"] < SURE:
        faults.append("it foretells no better than the base rate does")
    if order.ahead - BEYOND_CHANCE * order.error <= 0.5:  # noqa: PLR2004 - tossing a coin
        told = f"{order.ahead:.2f} +/- {order.error:.2f}"
        faults.append(f"its order among those who came at the same time may be chance ({told})")
    return Verdict(not faults, tuple(faults), figures)


def order_among(y: Floats, points: Floats, among: Standing) -> Order:
    """Return how often successes are ahead of those who came as they did, seen at one landmark.

    As many peers came a little earlier as a little later, so that a score which only grows or only
    falls with the time since a lead came, or with the calendar, is worth a half to the digit.
    """
    found: list[tuple[int, float, Ints]] = []  # whose success, how far ahead, its peers
    for kind in np.unique(among.kind):
        here = np.flatnonzero(among.kind == kind)
        here = here[np.argsort(among.came[here], kind="stable")]
        lost = here[y[here] <= 0]
        came = among.came[lost]
        won = here[y[here] > 0]
        for row in won[:: 1 + len(won) // MOST_COMPARED].tolist():
            left, right = np.searchsorted(came, [among.came[row], among.came[row] + 1])
            middle = int(left + right) // 2
            reach = min(PEERS, middle, len(lost) - middle)
            peers = lost[middle - reach : middle + reach]
            if len(peers):
                gaps = points[row] - points[peers]
                ahead = float(((gaps > 0) + 0.5 * (gaps == 0)).mean())
                found.append((int(among.who[row]), ahead, among.who[peers]))
    return _averaged(found)


def _averaged(found: list[tuple[int, float, Ints]]) -> Order:
    """Average over profiles; each tells once, however many rows it has, on either side."""
    if not found:
        return Order(0.5, 1.0)
    whose = np.array([who for who, _, _ in found])
    _, back, rows = np.unique(whose, return_inverse=True, return_counts=True)
    shares = 1.0 / (len(rows) * rows[back])
    ahead = float((shares * np.array([each for _, each, _ in found])).sum())
    peers = np.concatenate([each for _, _, each in found])
    sizes = np.array([len(each) for _, _, each in found])
    weights = np.bincount(
        np.unique(peers, return_inverse=True)[1], weights=np.repeat(shares / sizes, sizes)
    )
    return Order(ahead, float(np.sqrt((1.0 / len(rows) + (weights**2).sum()) / 12.0)))


def judge(
    y: Floats,
    points: Floats,
    champion: Floats,
    seed: int = 0,
    *,
    accept_shift: bool = False,
    base: float | None = None,
) -> Verdict:
    """Judge a challenger against the champion, both on the same unseen rows and bands."""
    mine, theirs = _figures(y, points), _figures(y, champion)
    sure = sureness(y, points, champion, seed)
    same = float((np.abs(_bands(points, base) - _bands(champion, base)) <= 1).mean())
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
    figures = mine | {"sure": sure, "same": same, "rows": float(len(y)), "won": float(y.sum())}
    figures |= {f"champion_{name}": value for name, value in theirs.items()}
    return Verdict(not faults, faults, figures)


def sureness(y: Floats, points: Floats, other: Floats, seed: int = 0) -> float:
    """Return in what share of resampled draws the first has the lower loss."""
    if not len(y):
        return 0.0
    gap = surprises(y, chances(points)) - surprises(y, chances(other))
    chance = np.random.default_rng(seed)
    draws = [gap[chance.integers(0, len(gap), len(gap))].mean() < 0 for _ in range(DRAWS)]
    return float(np.mean(draws))


def _figures(y: Floats, points: Floats) -> dict[str, float]:
    return {
        "auc": auc(y, points),
        "log_loss": float(surprises(y, chances(points)).mean()) if len(y) else 0.0,
        "calibration_error": calibration_error(y, chances(points)),
        "lift": lift(y, points) if len(y) else 0.0,
    }


def _bands(points: Floats, base: float | None) -> Floats:
    middle = float(np.median(points)) if base is None and len(points) else base or 0.0
    return np.searchsorted(EDGES, points - middle, side="right").astype(np.float64)
