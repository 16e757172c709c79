"""Calibration: a slope and a shift of log-odds, so that explanations only scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from scorer.kinds import Floats, chances, log_odds

LEAST_SLOPE = 0.02  # noise says nearly nothing, in the same order


class Line(NamedTuple):
    """Log-odds become slope * log-odds + shift."""

    slope: float
    shift: float


def calibrate(points: Floats, y: Floats, weights: Floats, pull: float = 1.0) -> Line:
    """Return the line that makes chances true; few successes pull the slope towards a half.

    `pull` counts how many successes the belief weighs, by which a dozen do not make a certainty.
    """
    middle = float(np.average(points, weights=weights))
    spread = float(np.sqrt(np.average((points - middle) ** 2, weights=weights)))
    won = float((weights * y).sum())
    base = log_odds((won + 0.5) / (float(weights.sum()) + 1.0))
    if spread < 1e-12:  # noqa: PLR2004 - nothing to learn from
        return Line(1.0, base - middle)
    scaled = (points - middle) / spread

    def loss(line: Floats) -> tuple[float, Floats]:
        told = line[0] * scaled + line[1]
        surprise = np.logaddexp(0.0, told) - y * told
        gap = weights * (chances(told) - y)
        value = float((weights * surprise).sum()) + pull * (line[0] - 0.5) ** 2
        slope = float((gap * scaled).sum()) + 2 * pull * (line[0] - 0.5)
        return value, np.array([slope, gap.sum()])

    found = minimize(loss, np.array([0.5, base]), jac=True, method="L-BFGS-B")
    slope = max(float(found.x[0]), LEAST_SLOPE)
    shift = float(found.x[1])
    return Line(slope / spread, shift - slope * middle / spread)
