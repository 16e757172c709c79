"""Rows to learn from: what was known of a profile at an instant, and whether it won soon after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from scorer.cells import word_of
from scorer.events import DAY, MICROSECOND, Events, columns_of, read_events, read_time, read_times
from scorer.kinds import Flags, Floats, Ints

NEVER, LONG_AGO = np.iinfo(np.int64).max, np.iinfo(np.int64).min
SHORTEST, LONGEST, USUAL, FALLBACK = 14, 180, 90, 30  # days
SHARE_WON = 80  # percent of wins that the horizon takes in
ENOUGH_LAGS = 5
ENOUGH_WINS = 20
AGES = (0, 7)  # days after the first event; 0: just after it
# Rows of people who did not win: more teach nothing that so many do not, and cost minutes.
LOST_A_WINNER, LOST = 400, (20_000, 200_000)
CALENDAR = 4  # landmarks that all profiles share, the newest complete one first
EVES, MOST_EVE_ROWS = 8, 60_000  # landmarks just before wins, while labels are provisional


@dataclass(frozen=True, slots=True)
class Wins:
    """When each profile of a log became a customer (never: the largest number), and its weight.

    People on one deal share one success; `late` is how many had done something before, of which
    nobody had heard yet.
    """

    at: Ints
    weight: Floats
    told: int
    usable: Flags
    late: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """Landmark rows: whose, when, what became of it, how much it weighs; and the newest window.

    `kind` is which of the landmarks a row stands at, `came` when its profile first did something,
    `known` when its horizon is over; while labels are provisional that is when it stands.
    """

    who: Ints
    when: Ints
    y: Floats
    weights: Floats
    kind: Ints
    came: Ints
    known: Ints
    newest: Ints
    horizon_days: int
    provisional: bool

    def only(self, which: Ints) -> Rows:
        """Return some rows, in order."""
        newest = np.zeros(len(self.who), np.bool_)
        newest[self.newest] = True
        return replace(
            self,
            who=self.who[which],
            when=self.when[which],
            y=self.y[which],
            weights=self.weights[which],
            kind=self.kind[which],
            came=self.came[which],
            known=self.known[which],
            newest=np.flatnonzero(newest[which]),
        )

    @property
    def shared(self) -> Ints:
        """The rows at landmarks that all profiles share."""
        return np.flatnonzero(self.kind >= len(AGES))


class Ripening(NamedTuple):
    """How many rows a customer adds now, how many later, and when all of them are complete."""

    rows_now: int
    rows_later: int
    ripe_at: datetime


def read_wins(events: Events, customers: Any, as_of: int) -> Wins:
    """Read who became a customer before an instant; `deal` may say whose wins are one."""
    profiles, times, deals = _customers(customers)
    known = (times < as_of) | (times == NEVER)
    at = np.full(len(events.profiles), NEVER, np.int64)
    deal_of: dict[int, str] = {}
    told = zip(times.tolist(), deals, events.find(profiles).tolist(), strict=True)
    for when, deal, who in sorted(told):  # of several the first date counts, in whatever order
        if who >= 0 and when < as_of and at[who] == NEVER:
            at[who], deal_of[who] = when, deal or f"\0{who}"
        elif who >= 0 and when == NEVER and at[who] == NEVER:
            at[who] = LONG_AGO  # nobody knows when, so that no instant says that it had not won
    usable = (first_of(events) < at) & (at < NEVER)
    shared: dict[str, int] = {}
    for who in np.flatnonzero(usable).tolist():
        shared[deal_of[who]] = shared.get(deal_of[who], 0) + 1
    weight = np.ones(len(at))
    for who in np.flatnonzero(usable).tolist():
        weight[who] = 1.0 / shared[deal_of[who]]
    names = len({one for one, yes in zip(profiles, known, strict=True) if one and yes})
    early = _earliest(events, events.occurred) < at
    return Wins(at, weight, names, usable, int((early & (at < NEVER) & ~usable).sum()))


def _customers(table: Any) -> tuple[list[str], Ints, list[str]]:
    """Return who became a customer, when (never: nobody knows), and on which deal."""
    raw = columns_of(table)
    lacking = [name for name in ("profile_id", "customer_at") if raw and name not in raw]
    if lacking:
        raise ValueError(f"the customers lack the columns {lacking}")
    profiles = [word_of(each) for each in raw.get("profile_id", ())]
    unknown = np.full(len(profiles), NEVER, np.int64)
    times = read_times(raw.get("customer_at", ()), unknown)
    deals = [word_of(each) for each in raw.get("deal", [""] * len(profiles))]
    if not len(profiles) == len(times) == len(deals):
        raise ValueError("the customers' columns differ in length")
    return profiles, times, deals


def last_seen(rows: Rows, profiles: int) -> Ints:
    """Return each profile's last landmark; what comes later is seen by none."""
    last = np.full(profiles, -1, np.int64)
    np.maximum.at(last, rows.who, rows.when)
    return last


def first_of(events: Events) -> Ints:
    """Return each profile's first instant, when it had both happened and come in."""
    return _earliest(events, np.maximum(events.occurred, events.received))


def _earliest(events: Events, instants: Ints) -> Ints:
    found = np.full(len(events.profiles), NEVER, np.int64)
    np.minimum.at(found, events.who, instants)
    return found


def own_horizon(events: Events, wins: Wins) -> int:
    """Return in how many days four of five wins come, within limits; the usual one for a few."""
    lags = (wins.at - first_of(events))[wins.usable] / DAY
    if len(lags) < ENOUGH_LAGS:
        return USUAL
    return int(np.clip(np.ceil(np.percentile(lags, SHARE_WON)), SHORTEST, LONGEST))


def make_rows(events: Events, wins: Wins, as_of: int, horizon_days: int | None) -> Rows:
    """Make complete rows; where they hold too few wins try 30 days, then count open as not yet."""
    if horizon_days is not None and horizon_days < 1:
        raise ValueError("horizon_days counts from 1 on; None takes the account's own")
    horizon = int(horizon_days or own_horizon(events, wins))
    wanted = min(ENOUGH_WINS, int(wins.usable.sum()))
    for days in dict.fromkeys((horizon, horizon if horizon_days else min(horizon, FALLBACK))):
        rows = _rows(events, wins, as_of, days, provisional=False)
        telling = rows.y > 0
        if wanted < ENOUGH_WINS:  # of a few each must be told by more than its first event
            telling &= rows.kind > 0
        if len(np.unique(rows.who[telling])) >= max(1, wanted):
            return rows
    return _rows(events, wins, as_of, horizon, provisional=True)


def make_complete_rows(events: Events, wins: Wins, as_of: int, horizon_days: int) -> Rows:
    """Make the rows whose horizon is over, however few wins they hold."""
    return _rows(events, wins, as_of, horizon_days, provisional=False)


def thinned(rows: Rows, seed: int, lost_rows: tuple[int, int] = LOST) -> tuple[Rows, float]:
    """Return rows of fewer people who did not win, where there are very many, and their share.

    Whoever won keeps all rows; of the others some people stay with all of theirs.
    """
    winners = np.unique(rows.who[rows.y > 0])
    lost = ~np.isin(rows.who, winners)
    most = int(np.clip(LOST_A_WINNER * len(winners), *lost_rows))
    if lost.sum() <= most:
        return rows, 1.0
    people = np.unique(rows.who[lost])
    share = most / float(lost.sum())
    chance = np.random.default_rng(seed)
    stay = chance.choice(people, max(1, round(share * len(people))), replace=False)
    which = np.flatnonzero(~lost | np.isin(rows.who, stay))
    kept = lost & np.isin(rows.who, stay)
    return rows.only(which), float(rows.weights[kept].sum() / rows.weights[lost].sum())


def ripening(
    events: Any, customers: Any, as_of: Any, horizon_days: int | None = None
) -> dict[str, Ripening]:
    """Return by usable customer how many rows it adds now, and how many once its horizon is over.

    Rows of now are provisional until there are enough complete ones; those are counted as later.
    """
    instant = read_time(as_of)
    log = read_events(events).before(instant)
    wins = read_wins(log, customers, instant)
    rows = make_rows(log, wins, instant, horizon_days)
    complete = make_complete_rows(log, wins, instant, rows.horizon_days)
    now, ripe = (np.bincount(each.who, minlength=len(wins.at)) for each in (rows, complete))
    horizon = rows.horizon_days * DAY
    first = first_of(log)
    found = {}
    for who in np.flatnonzero(wins.usable).tolist():
        at = int(wins.at[who])
        shared = [at - number * _step(horizon) for number in range(1, CALENDAR)]
        own = [int(first[who]) + 1 + age * DAY for age in AGES]
        whole = int(sum(first[who] < when < at for when in own + shared))
        later = 0 if at + horizon <= instant else max(0, whole - int(ripe[who]))
        ends = datetime.fromtimestamp((at + horizon) / MICROSECOND, UTC)
        found[log.profiles[who]] = Ripening(int(now[who]), later, ends)
    return found


def eves(first: Ints, wins: Wins, most: int) -> Ints:
    """Return the few instants just before wins by which most usable customers had come.

    Each is a landmark of everybody's: one of a profile's own would tell what became of it.
    """
    left = np.flatnonzero(wins.usable)
    found: list[int] = []
    while len(left) and len(found) < most:
        ends = np.sort(wins.at[left])
        when = ends - 1
        come = np.searchsorted(np.sort(first[left]), when, side="left")
        open_ = come - np.searchsorted(ends, when, side="right")
        if not open_.max():
            break
        best = int(when[open_.argmax()])
        found.append(best)
        left = left[(first[left] >= best) | (wins.at[left] <= best)]
    return np.array(found, np.int64)


def _rows(events: Events, wins: Wins, as_of: int, days: int, *, provisional: bool) -> Rows:
    horizon = days * DAY
    first = first_of(events)
    when, latest = _landmarks(first, wins, as_of, horizon, provisional=provisional)
    fits = (when <= latest) & (first[:, None] < when) & (when < wins.at[:, None])
    who, kind = np.nonzero(fits)
    at = when[who, kind]
    until = np.full(len(who), as_of) if provisional else at + horizon
    won = (wins.at[who] < NEVER) & (wins.at[who] <= until)
    return Rows(
        who.astype(np.int64),
        at.astype(np.int64),
        won.astype(np.float64),
        wins.weight[who] / fits.sum(axis=1)[who],
        kind.astype(np.int64),
        first[who],
        at if provisional else at + horizon,
        np.flatnonzero(kind == len(AGES)),
        days,
        provisional,
    )


def _landmarks(
    first: Ints, wins: Wins, as_of: int, horizon: int, *, provisional: bool
) -> tuple[Ints, Ints]:
    """Return profiles' landmarks by kind, and up to when one of each kind may stand."""
    ripe = as_of - (DAY if provisional else horizon)
    ages = [np.where(first < NEVER, first, 0) + 1 + age * DAY for age in AGES]
    shared = [ripe - number * _step(horizon) for number in range(CALENDAR)]
    latest = [ripe] * (len(AGES) + CALENDAR)
    if provisional:
        most = int(np.clip(MOST_EVE_ROWS // max(1, len(first)), 1, EVES))
        shared += eves(first, wins, most).tolist()
        latest += [as_of] * (len(shared) - CALENDAR)
    columns = ages + [np.full(len(first), instant) for instant in shared]
    return np.column_stack(columns), np.array(latest, np.int64)


def _step(horizon: int) -> int:
    """Return how far the landmarks that all profiles share are apart."""
    return max(7 * DAY, horizon // 3)
