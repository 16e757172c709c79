"""Alarms: a model that knows too much, and a world that has moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.kinds import Floats, Ints, chances
from scorer.levels import Coded, Scales
from scorer.measures import auc, calibration_error, shift, spread
from scorer.points import Points, reasons

TOO_GOOD, GOOD = 0.97, 0.85
TOO_MUCH = 0.6  # of all points in one group
FEW_GROUPS = 5  # with fewer a strong one is no surprise
MOVED = 0.25
FEWEST = 100  # rows, below which nothing is said of a population
OFF = 0.10  # chances that miss by so much are wrong
WEAK = 0.55
FEWEST_WINS = 10


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that holds pushes back until a person has looked."""

    kind: str  # leak, drift, outcome
    about: str
    value: float
    text: str


def leaks(model: Points, scales: Scales, coded: Coded, y: Floats, unseen: Floats) -> list[Alarm]:
    """Return what suggests that columns were written after the outcome."""
    if not len(unseen):
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
    return found


def drifts(model: Points, scales: Scales, then: Floats, coded: Coded) -> list[Alarm]:
    """Return how far people of now differ from those learned from, by score and by column."""
    if len(coded) < FEWEST or not len(then):
        return []
    found = []
    now = model.log_odds(scales, coded)
    edges = np.unique(np.quantile(then, np.arange(0.1, 1.0, 0.1)))
    moved = shift(spread(then, edges), spread(now, edges))
    if moved > MOVED:
        text = f"scores are spread differently than when it learned (PSI {moved:.2f})"
        found.append(Alarm("drift", "score", moved, text))
    for number in _loudest(model, scales).tolist():
        scale = scales.all[number]
        levels = coded.dense(np.array([number]))[:, 0]
        bins = int(scale.bins.max()) + 1
        was = np.bincount(scale.bins, weights=scale.counts, minlength=bins).astype(np.float64)
        here = np.bincount(scale.bins[levels], minlength=bins).astype(np.float64)
        moved = shift(was, here)
        if moved > MOVED:
            text = f"{scale.name} is spread differently than when it learned (PSI {moved:.2f})"
            found.append(Alarm("drift", scale.name, moved, text))
    return found


def outcomes(points: Floats, y: Floats) -> list[Alarm]:
    """Return how what was foretold differs from what has happened since."""
    if len(y) < FEWEST or y.sum() < FEWEST_WINS:
        return []
    found = []
    off, good = calibration_error(y, chances(points)), auc(y, points)
    if off > OFF:
        text = f"chances miss what happened by {off:.0%} on average"
        found.append(Alarm("outcome", "calibration", off, text))
    if good < WEAK:
        text = f"the order hardly tells who becomes a customer (AUC {good:.2f})"
        found.append(Alarm("outcome", "auc", good, text))
    return found


def _loudest(model: Points, scales: Scales, most: int = 30) -> Ints:
    spans = [
        float(np.ptp(model.table[scales.starts[n] : scales.starts[n + 1]]))
        for n in range(len(scales.all))
    ]
    return np.argsort(-np.array(spans), kind="stable")[:most]
