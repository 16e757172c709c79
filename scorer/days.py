"""Day buckets: signs added up by day, so that "now" needs today's events only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scorer.events import DAY, Events
from scorer.kinds import Ints
from scorer.signs import Names, Past, Reader, Told, reader, tell


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a profile did on one day (UTC, counted from 1970), and how the day ended.

    `signs` are sign -> how much, first and last instant; as JSON it is what a database keeps.
    """

    day: int
    signs: Mapping[str, tuple[int, int, int]]
    ended_at: int
    ended_with: str


Buckets = Mapping[str, Sequence[Bucket]]  # profile -> its days, in order


@dataclass(frozen=True, slots=True)
class Daily:
    """Signs of rows by day, each once: how much, first and last instant."""

    row: Ints
    sign: Ints
    day: Ints
    count: Ints
    first: Ints
    last: Ints


def add_up(told: Told, day: Ints | None = None) -> Daily:
    """Add signs up by row, sign and day."""
    days = told.at // DAY if day is None else day
    return _merged(Daily(told.row, told.sign, days, told.count, told.at, told.at))


def joined(one: Daily, two: Daily) -> Daily:
    """Return two parts as one."""
    return _merged(
        Daily(
            np.concatenate([one.row, two.row]),
            np.concatenate([one.sign, two.sign]),
            np.concatenate([one.day, two.day]),
            np.concatenate([one.count, two.count]),
            np.concatenate([one.first, two.first]),
            np.concatenate([one.last, two.last]),
        )
    )


def expand(events: Events, who: Ints) -> tuple[Ints, Ints]:
    """Return pairs of (row, event) for rows of profiles, in order; -1 is one without events."""
    starts = events.starts[who]
    sizes = np.where(who < 0, 0, events.starts[who + 1] - starts)
    row = np.repeat(np.arange(len(who)), sizes)
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return row, np.repeat(starts, sizes) + within


def from_events(by: Reader, who: Ints, when: Ints) -> Daily:
    """Add up what profiles had done, and what had come in of it, strictly before an instant."""
    row, event = expand(by.events, who)
    seen = (by.events.occurred[event] < when[row]) & (by.events.received[event] < when[row])
    return add_up(tell(by, row[seen], event[seen]))


def from_days(by: Reader, profiles: Sequence[str], when: int, buckets: Buckets) -> Daily:
    """Add up the days before an instant's day from buckets, and that day from its events."""
    today = when // DAY
    row, event = expand(by.events, by.events.find(profiles))
    at = by.events.occurred[event]
    seen = (at >= today * DAY) & (at < when) & (by.events.received[event] < when)
    kept = [[day for day in buckets.get(one, ()) if day.day < today] for one in profiles]
    by, past = _with_past(by, kept)
    return joined(add_up(tell(by, row[seen], event[seen], past)), _unpacked(by.names, kept))


def _with_past(by: Reader, kept: Sequence[Sequence[Bucket]]) -> tuple[Reader, Past]:
    """Return what rows' days ended with, and a reader that has words for it."""
    ends = [days[-1].ended_with for days in kept if days]
    by = replace(by, step_names=tuple(dict.fromkeys([*by.step_names, *ends])))
    steps = {name: number for number, name in enumerate(by.step_names)}
    return by, Past(
        np.array([days[-1].ended_at if days else -1 for days in kept], np.int64),
        np.array([steps[days[-1].ended_with] if days else -1 for days in kept], np.int64),
    )


def day_buckets(events: Events, before: int, earlier: Buckets | None = None) -> Buckets:
    """Return the buckets of all whole days before an instant's day, of what had come in by then.

    With the buckets of `earlier` days `events` need hold only what came after them.
    """
    then = events.keep((events.occurred < before // DAY * DAY) & (events.received < before))
    names = Names()
    kept = [(earlier or {}).get(one, ()) for one in then.profiles]
    by, past = _with_past(reader(then, names), kept)
    row, event = then.who, np.arange(len(then))
    daily = add_up(tell(by, row, event, past))
    known = list(names.known)
    signs: dict[tuple[int, int], dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for n in range(len(daily.row)):
        value = int(daily.count[n]), int(daily.first[n]), int(daily.last[n])
        signs[int(daily.row[n]), int(daily.day[n])][known[daily.sign[n]]] = value
    ends = {(int(then.who[n]), int(then.occurred[n] // DAY)): n for n in range(len(then))}
    found: dict[str, list[Bucket]] = defaultdict(list)
    for who, day in sorted(signs):
        last = ends[who, day]
        bucket = Bucket(day, signs[who, day], int(then.occurred[last]), by.step_name(last))
        found[then.profiles[who]].append(bucket)
    return found


def _unpacked(names: Names, kept: Sequence[Sequence[Bucket]]) -> Daily:
    cells = [
        (row, names.number(sign), bucket.day, *value)
        for row, buckets in enumerate(kept)
        for bucket in buckets
        for sign, value in bucket.signs.items()
    ]
    return Daily(*np.array(cells, np.int64).reshape(-1, 6).T)


def _merged(cells: Daily) -> Daily:
    if not len(cells.row):
        return cells
    order = np.lexsort((cells.day, cells.sign, cells.row))
    row, sign, day = cells.row[order], cells.sign[order], cells.day[order]
    fresh = np.ones(len(row), np.bool_)
    fresh[1:] = (row[1:] != row[:-1]) | (sign[1:] != sign[:-1]) | (day[1:] != day[:-1])
    at = np.flatnonzero(fresh)
    return Daily(
        row[at],
        sign[at],
        day[at],
        np.add.reduceat(cells.count[order], at),
        np.minimum.reduceat(cells.first[order], at),
        np.maximum.reduceat(cells.last[order], at),
    )
