"""Scores people by their journeys: whole days from their buckets, the rest from raw events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from connector.domain.facts import AccountId, ProfileId
from scorer import JourneyScorer
from scorer.days import Bucket, day_buckets
from scorer.events import DAY, Events, read_events

if TYPE_CHECKING:
    from connector.store.scores import Due, ToldDay
    from connector.store.unit import Unit

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)
_TIMES = ("occurred_at", "received_at")
_WORDS = ("profile_id", "type", "code", "url", "form")
# The parts of an event's document that say something, and what.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "origin": ("utm_source", "utm_medium", "utm_campaign", "referrer"),
    "client": ("device", "country"),
    "engagement": ("active_s", "focus_s", "clicks", "scroll_px", "mouse_px"),
}
_NOTHING: Mapping[str, Any] = {}
_NEVER = -(10**6)  # days from 1970


@dataclass(frozen=True, slots=True)
class Rating:
    """What a model says of somebody; nothing where there is no score."""

    value: int | None = None
    points: float | None = None
    reasons: Mapping[str, float] = field(default_factory=dict)


Ratings = dict[ProfileId, Rating]
Days = dict[ProfileId, list[Bucket]]


def rate(
    unit: Unit, account_id: AccountId, scorer: JourneyScorer, due: Sequence[Due], now: datetime
) -> tuple[Ratings, Days]:
    """Score people with a model; return the buckets too of days that are over since."""
    told_to = {one.profile_id: one.told_to for one in due}
    kept = unit.scores.told_days(account_id, told_to)
    buckets = {str(one): [_bucket(day) for day in days] for one, days in kept.items()}
    first = min((_NEVER if last is None else last for last in told_to.values()), default=_NEVER)
    events = read_log(unit.scores.tail(account_id, list(told_to), first + 1))
    instant = (now - EPOCH) // _MICROSECOND
    events = _after(events, told_to)
    made = day_buckets(events, instant, buckets)
    days = {str(one): [*buckets.get(one, ()), *made.get(one, ())] for one in told_to}
    told = scorer.rate(events, list(told_to), now, days)
    rows = zip(told_to, told.points.tolist(), told.scores.tolist(), told.reasons, strict=True)
    ratings = {one: Rating(value or None, points, why) for one, points, value, why in rows if why}
    return ratings, {ProfileId(one): list(own) for one, own in made.items()}


def read_log(rows: Iterable[Any]) -> Events:
    """Return stored events as the scorer reads them.

    What was imported counts as received when it happened; nothing happens after we hear of it.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*_WORDS, *_TIMES)}
    columns |= {name: [] for names in _PARTS.values() for name in names}
    for row in rows:
        happened = min(row.occurred_at, row.received_at)
        times = happened, happened if row.silent else row.received_at
        own = row.profile_id, row.type, row.code, row.url, row.form
        for name, value in zip((*_WORDS, *_TIMES), (*own, *times), strict=True):
            columns[name].append(value)
        for part, names in _PARTS.items():
            said = row.data.get(part, _NOTHING)
            for name in names:
                columns[name].append(said.get(name))
    stamps = {name: np.array(columns[name], "datetime64[us]") for name in _TIMES}
    return read_events({**columns, **stamps})


def _after(events: Events, told_to: Mapping[ProfileId, int | None]) -> Events:
    """Leave out what is in a bucket already."""
    if not len(events):
        return events
    known = (told_to.get(ProfileId(one)) for one in events.profiles)
    last = np.array([_NEVER if day is None else day for day in known], np.int64)
    return events.keep(events.occurred // DAY > last[events.who])


def _bucket(told: ToldDay) -> Bucket:
    signs = {sign: (how[0], how[1], how[2]) for sign, how in told.signs.items()}
    return Bucket(told.day, signs, told.ended_at, told.ended_with)
