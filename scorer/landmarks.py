"""Rows to learn from: what was known of a profile at an instant, and whether it won soon after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorer.events import DAY, Events, columns_of, read_times
from scorer.kinds import Flags, Floats, Ints

NEVER = np.iinfo(np.int64).max
SHORTEST, LONGEST, USUAL, FALLBACK = 14, 180, 90, 30  # days
SHARE_WON = 80  # percent of wins that the horizon takes in
ENOUGH_LAGS = 5
ENOUGH_WINS = 20
AGES = (0, 7)  # days after the first event; 0: just after it
CALENDAR = 4  # landmarks that all profiles share, the newest complete one first


@dataclass(frozen=True, slots=True)
class Wins:
    """When each profile of a log became a customer (never: the largest number), and its weight.

    People on one deal share one success.
    """

    at: Ints
    weight: Floats
    told: int
    usable: Flags


@dataclass(frozen=True, slots=True)
class Rows:
    """Landmark rows: whose, when, what became of it, how much it weighs; and the newest window."""

    who: Ints
    when: Ints
    y: Floats
    weights: Floats
    newest: Ints
    horizon_days: int
    provisional: bool


def read_wins(events: Events, customers: Any, as_of: int) -> Wins:
    """Read who became a customer before an instant; `deal` may say whose wins are one."""
    raw = columns_of(customers)
    profiles = [str(each) for each in raw.get("profile_id", ())]
    times = read_times(raw["customer_at"]) if profiles else np.zeros(0, np.int64)
    deals = [str(each or "") for each in raw.get("deal", [""] * len(profiles))]
    known = times < as_of
    at = np.full(len(events.profiles), NEVER, np.int64)
    deal_of: dict[int, str] = {}
    for who, when, deal in zip(events.find(profiles).tolist(), times.tolist(), deals, strict=True):
        if who >= 0 and when < as_of and when < at[who]:
            at[who], deal_of[who] = when, deal or f"\0{who}"
    usable = (first_of(events) < at) & (at < NEVER)
    shared: dict[str, int] = {}
    for who in np.flatnonzero(usable).tolist():
        shared[deal_of[who]] = shared.get(deal_of[who], 0) + 1
    weight = np.ones(len(at))
    for who in np.flatnonzero(usable).tolist():
        weight[who] = 1.0 / shared[deal_of[who]]
    told = len({profile for profile, yes in zip(profiles, known, strict=True) if yes})
    return Wins(at, weight, told, usable)


def first_of(events: Events) -> Ints:
    """Return each profile's first instant, when it had both happened and come in."""
    seen = np.maximum(events.occurred, events.received)
    found = np.full(len(events.profiles), NEVER, np.int64)
    np.minimum.at(found, events.who, seen)
    return found


def own_horizon(events: Events, wins: Wins) -> int:
    """Return in how many days four of five wins come, within limits; the usual one for a few."""
    lags = (wins.at - first_of(events))[wins.usable] / DAY
    if len(lags) < ENOUGH_LAGS:
        return USUAL
    return int(np.clip(np.ceil(np.percentile(lags, SHARE_WON)), SHORTEST, LONGEST))


def make_rows(events: Events, wins: Wins, as_of: int, horizon_days: int | None) -> Rows:
    """Make complete rows; where they hold too few wins try 30 days, then count open as not yet."""
    horizon = horizon_days or own_horizon(events, wins)
    wanted = min(ENOUGH_WINS, int(wins.usable.sum()))
    for days in dict.fromkeys((horizon, min(horizon, horizon_days or FALLBACK))):
        rows = _rows(events, wins, as_of, days, provisional=False)
        if len(np.unique(rows.who[rows.y > 0])) >= max(1, wanted):
            return rows
    return _rows(events, wins, as_of, horizon, provisional=True)


def _rows(events: Events, wins: Wins, as_of: int, days: int, *, provisional: bool) -> Rows:
    horizon = days * DAY
    ripe = as_of - (DAY if provisional else horizon)
    first = first_of(events)
    parts = [np.where(first < NEVER, first, 0) + 1 + age * DAY for age in AGES]
    step = max(7 * DAY, horizon // 3)
    parts += [np.full(len(first), ripe - number * step) for number in range(CALENDAR)]
    when = np.column_stack(parts) if len(first) else np.zeros((0, len(parts)), np.int64)
    fits = (when <= ripe) & (first[:, None] < when) & (when < wins.at[:, None])
    who, which = np.nonzero(fits)
    at = when[who, which]
    until = np.full(len(who), as_of) if provisional else at + horizon
    won = (wins.at[who] < NEVER) & (wins.at[who] <= until)
    weights = wins.weight[who] / fits.sum(axis=1)[who]
    return Rows(
        who.astype(np.int64),
        at.astype(np.int64),
        won.astype(np.float64),
        weights,
        np.flatnonzero(which == len(AGES)),
        days,
        provisional,
    )
