"""Alarms: a model that knows too much, and a world that has moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from scorer.gates import Order
from scorer.kinds import Floats, Ints, chances
from scorer.levels import MISSING, Coded, Scales
from scorer.measures import BINS, auc, auc_error, calibration_error, shift, spread
from scorer.members import Sample, level_sums
from scorer.points import Points, reasons

TOO_GOOD, GOOD = 0.97, 0.85
TOO_MUCH = 0.6  # of all points in one group
FEW_GROUPS = 5  # with fewer a strong one is no surprise
MOVED = 0.25
FEWEST_SEEN = 30  # people, below which nothing is said of a population
FEWEST = 100  # rows, below which nothing is said of what was foretold
OFF = 0.10  # chances that miss by so much are wrong
WEAK = 0.55
FEWEST_WINS = 10
FEWEST_LEAKED = 20  # successes, below which even a perfect order says little
PURE, TELLING = 0.95, 0.1  # who has it has won; and so many of all who won have it
TIMES_PURE = 19  # and by odds so many times as often as everybody, where many win
RARELY = np.log(1e-6)  # how likely chance may make so many of them winners
HARDLY = 0.9995
MOST_POINTS = 5_000  # that are kept of a population
GROWS = (
    "|since_first",
    "|count_90",
    "|count_1000000",
    "|days_1000000",
)  # columns that grow while an account is young
ORDER = "then:"  # begins the names of columns of what came after what


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that holds pushes back until a person has looked."""

    kind: str  # leak, drift, outcome
    about: str
    value: float
    text: str


class Watched(NamedTuple):
    """How the world has moved away from a model: alarms, and figures where there are enough people.

    `psi` is how far scores are spread differently, `calibration_error` by how much chances missed.
    """

    alarms: list[Alarm]
    psi: float | None
    calibration_error: float | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What people were like when a model learned: their points, and how many had each level."""

    points: Floats
    counts: Ints


def reference(model: Points, scales: Scales, coded: Coded) -> Reference:
    """Return what some rows are like."""
    seen = np.bincount(scales.places(coded), minlength=int(scales.starts[-1])).astype(np.int64)
    if len(scales.all):
        told = np.add.reduceat(seen, scales.starts[:-1])
        seen[scales.starts[:-1] + scales.usual] += len(coded) - told
    points = np.sort(model.log_odds(scales, coded))
    return Reference(points[:: 1 + len(points) // MOST_POINTS], seen)


def as_lists(then: Reference) -> dict[str, list[float]]:
    """Return a reference as JSON has it."""
    return {"points": then.points.tolist(), "counts": then.counts.tolist()}


def from_lists(told: Mapping[str, Sequence[float]]) -> Reference:
    """Return a reference again."""
    return Reference(np.array(told["points"], np.float64), np.array(told["counts"], np.int64))


def leaks(
    model: Points,
    scales: Scales,
    coded: Coded,
    y: Floats,
    unseen: Floats,
    whose: Ints | None = None,
) -> list[Alarm]:
    """Return what suggests that columns were written after the outcome; few successes don't.

    Where rows are of people, seen more than once, columns are what they did, and how often.
    """
    won = np.flatnonzero(y > 0)
    if len(won if whose is None else np.unique(whose[won])) < FEWEST_LEAKED:
        return []
    good = auc(y, unseen)
    told = reasons(model, scales, coded)
    parts = np.abs(told.points).mean(axis=0)
    found = []
    if good > TOO_GOOD:
        best = told.groups[int(parts.argmax())]
        text = f"AUC {good:.3f} is too good to be true; look at {best} first"
        found.append(Alarm("leak", "auc", good, text))
    share = float(parts.max(initial=0.0) / max(float(parts.sum()), 1e-12))
    if share > TOO_MUCH and good > GOOD and len(parts) >= FEW_GROUPS:
        about = told.groups[int(parts.argmax())]
        text = f"{about} carries {share:.0%} of all points; was it written after the outcome?"
        found.append(Alarm("leak", about, share, text))
    parts_of = _by_value if whose is None else _by_presence
    return found + _telltales(scales, coded, y, {alarm.about for alarm in found}, parts_of)


def _by_value(scales: Scales, number: int, sums: Floats) -> Floats:
    """Return a column's sums by bin, of all that is not missing, and of all that is unusual."""
    scale, every = scales.all[number], float(sums.sum())
    rest = [every - float(sums[MISSING]), every - float(sums[scale.usual])]
    return np.append(np.bincount(scale.bins, weights=sums), rest)


def _by_presence(scales: Scales, number: int, sums: Floats) -> Floats:
    """Return a column's sums of what was done at all and not: the busiest of all win, and no leak.

    In which order it was done tells nothing: what leaks is known by itself.
    """
    if scales.all[number].name.startswith(ORDER):
        return np.zeros(1)
    never = float(sums[scales.zeros[number]])
    return np.array([never, float(sums.sum()) - never])


def _telltales(
    scales: Scales,
    coded: Coded,
    y: Floats,
    known: set[str],
    parts_of: Callable[[Scales, int, Floats], Floats],
) -> list[Alarm]:
    """Return the groups with a value that a good part of all successes and hardly anybody else has.

    Having any value at all may be such a one too, however many different ones there are. A group is
    named once.
    """
    won, seen = level_sums(Sample(scales, coded, y, np.ones(len(y))))
    rate = float(np.clip(y.mean(), 1e-9, 1 - 1e-9))
    pure = _share(max(_odds(PURE), TIMES_PURE * _odds(rate)))
    least = max(FEWEST_WINS, TELLING * y.sum(), RARELY / np.log(rate))
    best: dict[str, float] = {}
    for number, scale in enumerate(scales.all):
        here = slice(scales.starts[number], scales.starts[number + 1])
        wins, rows = (parts_of(scales, number, each[here]) for each in (won, seen))
        telling = (wins >= least) & (wins >= pure * rows)
        if telling.any() and scale.group not in known:
            share = float((wins[telling] / rows[telling]).max())
            best[scale.group] = max(share, best.get(scale.group, 0.0))
    return [
        Alarm("leak", group, pure, f"{pure:.0%} of those with one value of {group} won: is it why?")
        for group, pure in best.items()
    ]


def score_shift(model: Points, scales: Scales, then: Reference, coded: Coded) -> float | None:
    """Return the stability index of scores, None for too few people."""
    if len(coded) < FEWEST_SEEN or len(then.points) < FEWEST_SEEN:
        return None
    edges = np.unique(np.quantile(then.points, np.arange(0.1, 1.0, 0.1)))
    return shift(spread(then.points, edges), spread(model.log_odds(scales, coded), edges))


def missed(points: Floats, y: Floats) -> float | None:
    """Return by how much chances have missed what happened, None for too few rows."""
    if len(y) < FEWEST or y.sum() < FEWEST_WINS:
        return None
    return calibration_error(y, chances(points))


def _odds(share: float) -> float:
    return share / (1.0 - share)


def _share(odds: float) -> float:
    return odds / (1.0 + odds)


def drifts(model: Points, scales: Scales, then: Reference, coded: Coded) -> list[Alarm]:
    """Return how far people of now differ from those learned from, by score and by column."""
    if len(coded) < FEWEST_SEEN or len(then.points) < FEWEST_SEEN:
        return []
    edges = np.unique(np.quantile(then.points, np.arange(0.1, 1.0, 0.1)))
    now = reference(model, scales, coded)
    pairs = {"score": (spread(then.points, edges), spread(now.points, edges))}
    for number in _loudest(model, scales).tolist():
        scale = scales.all[number]
        if not scale.name.endswith(GROWS):
            here = slice(scales.starts[number], scales.starts[number + 1])
            was, is_ = (np.bincount(scale.bins, weights=w.counts[here]) for w in (then, now))
            pairs[scale.name] = (was.astype(np.float64), is_.astype(np.float64))
    moved = {name: shift(*pair) for name, pair in pairs.items()}
    return [
        Alarm("drift", name, far, f"{_told(name)} differently than when it learned (PSI {far:.2f})")
        for name, far in moved.items()
        if far > max(MOVED, chance_shift(*pairs[name]))
    ]


def chance_shift(then: Floats, now: Floats) -> float:
    """Return the stability index that chance alone hardly reaches: few rows differ always."""
    freedom = max(1, int(((then + now) > 0).sum()) - 1)
    return float(chi2.ppf(HARDLY, freedom)) * float(1.0 / then.sum() + 1.0 / now.sum())


def _told(name: str) -> str:
    return "scores are spread" if name == "score" else f"{name} is spread"


def outcomes(points: Floats, y: Floats, order: Order | None = None) -> list[Alarm]:
    """Return how what was foretold differs from what has happened since.

    `order` is how it put successes among their peers; without it all rows are peers.
    """
    if len(y) < FEWEST or y.sum() < FEWEST_WINS:
        return []
    found = []
    chance, good = chances(points), auc(y, points)
    good, error = order or Order(good, auc_error(y, good))
    off = calibration_error(y, chance)
    luck = float(np.sqrt((chance * (1 - chance)).mean() * BINS / len(y)))
    if off > max(OFF, 2 * luck):
        text = f"chances miss what happened by {off:.0%} on average"
        found.append(Alarm("outcome", "calibration", off, text))
    if good + error < WEAK:
        text = f"the order hardly tells who becomes a customer ({good:.2f} +/- {error:.2f})"
        found.append(Alarm("outcome", "order", good, text))
    return found


def _loudest(model: Points, scales: Scales, most: int = 30) -> Ints:
    spans = [
        float(np.ptp(model.table[scales.starts[n] : scales.starts[n + 1]]))
        for n in range(len(scales.all))
    ]
    return np.argsort(-np.array(spans), kind="stable")[:most]
