"""Made-up data for the scorer's scale: a sparse matrix and an event log, the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from scorer.kinds import Floats, Ints, chances

COLUMNS = 1_200
TOLD = 31  # columns that tell something of the usual row
START, DAYS = 1_767_225_600, 180  # 2026, seconds
KEEN, SAME_VISIT = 0.06, 0.6
PAGES = ("pricing", "docs", "blog", "product", "demo", "careers", "about", "features")
TYPES = ("page_view", "page_view", "page_view", "custom", "form_submitted", "engagement")
SOURCES = ("", "google", "newsletter", "partner", "ads")


def matrix(rows: int, seed: int = 0) -> tuple[sparse.csc_matrix, Floats]:
    """Return a matrix of whole numbers and who won, about one of ten; few columns are common."""
    chance = np.random.default_rng(seed)
    common = 1 / np.arange(1, COLUMNS + 1) ** 0.8
    common = np.minimum(common / common.sum() * TOLD, 0.9)
    weights = chance.normal(0, 0.35, COLUMNS)
    points, where, values = np.zeros(rows), [], []
    for share, weight in zip(common.tolist(), weights.tolist(), strict=True):
        here = np.flatnonzero(chance.random(rows) < share).astype(np.int32)
        told = chance.geometric(0.35, len(here)).astype(np.int32)
        points[here] += weight * np.log1p(told)
        where.append(here)
        values.append(told)
    ends = np.concatenate([[0], np.cumsum([len(here) for here in where])])
    cells = np.concatenate(values), np.concatenate(where), ends
    won = chance.random(rows) < chances(points - points.mean() - 3.6)
    return sparse.csc_matrix(cells, shape=(rows, COLUMNS)), won.astype(np.float64)


def log(profiles: int, each: int = 10, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event log in columns, so many events a profile, and customers: the keen ones."""
    chance = np.random.default_rng(seed)
    count = profiles * each
    who = np.repeat(np.arange(profiles), each)
    keen = chance.random(profiles) < KEEN
    first = chance.uniform(0, 150 * 86_400, profiles)
    pauses = chance.exponential(np.where(chance.random(count) < SAME_VISIT, 120, 3 * 86_400))
    at = first[who] + np.cumsum(pauses.reshape(profiles, each), axis=1).ravel()
    kinds = np.array(TYPES, dtype=object)[chance.integers(0, len(TYPES), count)]
    codes = np.array([f"code_{n}" for n in range(20)], dtype=object)
    page = np.where(keen[who], chance.integers(0, 12, count), chance.integers(0, 48, count))
    pages = [f"https://x.example/{name}/{n}a" for name in PAGES for n in range(6)]
    events = {
        "profile_id": _names(who),
        "type": kinds.tolist(),
        "code": np.where(kinds == "custom", codes[chance.integers(0, 20, count)], "").tolist(),
        "url": np.array(pages, dtype=object)[page].tolist(),
        "occurred_at": (START + at).astype("datetime64[s]"),
        "utm_source": _once(chance, SOURCES, profiles)[who].tolist(),
        "device": _once(chance, ("phone", "desktop"), profiles)[who].tolist(),
        "active_s": chance.integers(0, 90, count),
    }
    wins = np.flatnonzero(keen & (first < 140 * 86_400))
    won = START + first[wins] + chance.uniform(4, 20, len(wins)) * 86_400
    return events, {"profile_id": _names(wins), "customer_at": won.astype("datetime64[s]")}


def _once(chance: np.random.Generator, words: tuple[str, ...], count: int) -> Any:
    return np.array(words, dtype=object)[chance.integers(0, len(words), count)]


def _names(numbers: Ints) -> list[str]:
    return [f"p{number:07}" for number in numbers.tolist()]
