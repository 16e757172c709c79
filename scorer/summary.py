"""What a model is worth, as plain figures for a page: by rows that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from scorer.bands import EDGES, State, scores
from scorer.features import STATS, Schema
from scorer.kinds import Floats, Ints, chances
from scorer.learning import Learned
from scorer.levels import Coded, Scales
from scorer.points import loudness

TENTHS = 10
GROUPS = 15  # that are told by name
REST = "the rest"
SURE = 1.96  # standard errors: 19 times of 20
STEP = float(EDGES[1] - EDGES[0])  # log-odds of one point
PULL = 2.0  # what calibration believes of the slope before it has seen anything
DIGITS = 6
EVER = "count_1000000"
# Kinds of sign that an account's events may bring or lack.
BROUGHT: Mapping[str, str] = {
    "page": "pages",
    "code": "event codes",
    "form": "forms",
    "source": "sources",
    "medium": "media",
    "campaign": "campaigns",
    "referrer": "referrers",
    "device": "devices",
    "country": "countries",
    "amount": "engagement",
}


def plots(
    learned: Learned, scales: Scales, coded: Coded, y: Floats, band: tuple[float, State]
) -> dict[str, Any]:
    """Return figures about the rows that were held out.

    `y` is what became of all rows; `band` is the base that scores hang on, and the model's state.
    """
    points, won = learned.unseen_points, y[learned.seen]
    base, state = band
    return {
        "rows": len(won),
        "won": int(won.sum()),
        "base": _short(float(chances(np.array([base]))[0])),
        "bands": bands(base, state),
        "lift": lift_by_tenth(points, won),
        "calibration": calibration_bins(points, won),
        "conversion": conversion(points, won, base, state),
        "groups": loudest(learned, scales, coded),
    }


def wilson(won: float, rows: float) -> tuple[float, float]:
    """Return the interval that a share of few lies in, 19 times of 20."""
    if rows <= 0:
        return 0.0, 1.0
    share, many = won / rows, SURE**2 / rows
    middle = (share + many / 2) / (1 + many)
    half = SURE / (1 + many) * float(np.sqrt(share * (1 - share) / rows + many / (4 * rows)))
    return max(0.0, middle - half), min(1.0, middle + half)


def bands(base: float, state: State) -> list[dict[str, Any]]:
    """Return the chances that each score stands for."""
    edges = chances(np.concatenate([[-np.inf], base + EDGES, [np.inf]])).round(DIGITS)
    mid = base + np.concatenate([EDGES - STEP / 2, EDGES[-1:] + STEP / 2])
    told = scores(mid, base, state)
    return [
        {
            "score": score,
            "from": float(edges[np.flatnonzero(told == score)[0]]),
            "to": float(edges[np.flatnonzero(told == score)[-1] + 1]),
        }
        for score in sorted(set(told.tolist()))
    ]


def lift_by_tenth(points: Floats, won: Floats) -> list[dict[str, Any]]:
    """Return how many times the base rate each tenth has, the highest scored first."""
    base = max(float(won.mean()), 1e-12) if len(won) else 1.0
    parts = _tenths(np.argsort(-points, kind="stable"))
    return [
        {"tenth": number, **_share(won[part]), "lift": _short(float(won[part].mean()) / base)}
        for number, part in enumerate(parts, start=1)
    ]


def calibration_bins(points: Floats, won: Floats) -> list[dict[str, Any]]:
    """Return what was foretold and what happened, over ten equal parts."""
    told = chances(points)
    parts = _tenths(np.argsort(points, kind="stable"))
    return [{"predicted": _short(float(told[part].mean())), **_share(won[part])} for part in parts]


def conversion(points: Floats, won: Floats, base: float, state: State) -> list[dict[str, Any]]:
    """Return how often each score from 1 to 10 won, with the interval that this lies in."""
    told = scores(points, base, state)
    return [{"score": score, **_share(won[told == score])} for score in range(1, 11)]


def loudest(learned: Learned, scales: Scales, coded: Coded) -> list[dict[str, Any]]:
    """Return the groups that move scores most, by their share of all points."""
    names, loud = loudness(learned.model, scales, coded)
    whole = max(float(loud.sum()), 1e-12)
    first = np.argsort(-loud, kind="stable")
    found = [
        {"group": names[n], "share": _short(float(loud[n]) / whole)}
        for n in first[:GROUPS].tolist()
        if loud[n] > 0
    ]
    rest = float(loud[first[GROUPS:]].sum()) / whole
    return [*found, {"group": REST, "share": _short(rest)}] if rest > 0 else found


def uncertainty(points: Floats, won: Floats, wins: int) -> float | None:
    """Return how many points of score calibration leaves open either way, 19 times of 20.

    `wins` is how many customers the rows won are of: rows of one customer tell no more than one.
    """
    if not len(points) or not wins:
        return None
    spread = float(points.std()) or 1.0
    design = np.column_stack([np.ones(len(points)), (points - points.mean()) / spread])
    told = chances(points)
    each = min(1.0, wins / max(1.0, float(won.sum())))
    known = each * (design.T * (told * (1 - told))) @ design + np.diag([0.0, PULL])
    errors = np.sqrt(np.einsum("ij,jk,ik->i", design, np.linalg.pinv(known), design))
    return _short(float(errors.mean()) * SURE / STEP)


def fill(schema: Schema, told: sparse.csc_matrix, who: Ints) -> dict[str, float]:
    """Return the share of profiles whose events bring each kind of thing."""
    stat = [name for name, _ in STATS].index(EVER)
    profiles, back = np.unique(who, return_inverse=True)
    found = {}
    for kind, words in BROUGHT.items():
        some = np.zeros(len(profiles), np.bool_)
        for number, sign in enumerate(schema.signs):
            if sign.startswith(f"{kind}:"):
                column = number * len(STATS) + stat
                some[back[told.indices[told.indptr[column] : told.indptr[column + 1]]]] = True
        found[words] = _short(float(some.mean())) if len(profiles) else 0.0
    return found


def _tenths(order: Ints) -> list[Ints]:
    return [part for part in np.array_split(order, TENTHS) if len(part)]


def _share(won: Floats) -> dict[str, Any]:
    rows, wins = len(won), float(won.sum())
    low, high = wilson(wins, rows)
    rate = wins / rows if rows else None
    return {
        "rows": rows,
        "won": int(wins),
        "rate": None if rate is None else _short(rate),
        "low": _short(low),
        "high": _short(high),
    }


def _short(value: float) -> float:
    return round(value, DIGITS)
