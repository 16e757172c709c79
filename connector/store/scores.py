"""Queries on scores, on who is to be scored again, and on what the scorer reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ProfileId
from connector.domain.scores import Score, ScoreState, Shown
from connector.store import tables as t
from connector.store.sql import put, slices, within
from connector.store.tables_journeys import journey, visitor
from connector.store.tables_scores import score, told_day
from connector.store.types import EPOCH

_DAY, _MICROSECOND = 86_400_000_000, timedelta(microseconds=1)
_PIECE = 2_000  # visitors marked in one go: the writer is busy for milliseconds


class Due(NamedTuple):
    """Somebody who is to be scored; `told_to` is the last day that there is a bucket of."""

    profile_id: ProfileId
    since: datetime
    at_once: bool
    told_to: int | None
    first_at: datetime | None


class ToldDay(NamedTuple):
    """What a profile's day told: signs, and how it ended, in microseconds since 1970."""

    day: int
    signs: Mapping[str, Any]
    ended_at: int
    ended_with: str


class Day(Protocol):
    """What a profile's day told, to be kept."""

    @property
    def day(self) -> int: ...  # noqa: D102
    @property
    def signs(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def ended_at(self) -> int: ...  # noqa: D102
    @property
    def ended_with(self) -> str: ...  # noqa: D102


class Scores:
    """What is known of people's scores."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def of(self, account_id: AccountId, profiles: Collection[ProfileId]) -> dict[ProfileId, Score]:
        """Return profiles' scores."""
        found: dict[ProfileId, Score] = {}
        for some in slices(profiles):
            own = (within(score, account_id), score.c.profile_id.in_(some))
            rows = self.tx.execute(select(score).where(*own))
            found |= {ProfileId(row.profile_id): as_score(row) for row in rows}
        return found

    def due(self, account_id: AccountId, now: datetime, most: int) -> list[Due]:
        """Return who is to be scored next: what just happened before what only grows older."""
        own = visitor.c
        query = select(own.profile_id, own.score_at, own.score_now, own.told_to, own.first_at)
        waits = (own.account_id == account_id, own.score_at <= now)
        order = (own.score_at.desc(), own.profile_id)
        query = query.where(*waits).order_by(*order).limit(most)
        return [Due(*row) for row in self.tx.execute(query)]

    def told_days(
        self, account_id: AccountId, told_to: Mapping[ProfileId, int | None]
    ) -> dict[ProfileId, list[ToldDay]]:
        """Return what profiles' days told, up to each one's last."""
        found: dict[ProfileId, list[ToldDay]] = defaultdict(list)
        own = told_day.c
        columns = (own.profile_id, own.day, own.signs, type_coerce(own.ended_at, BigInteger))
        for some in slices(one for one, last in told_to.items() if last is not None):
            query = select(*columns, own.ended_with).where(
                within(told_day, account_id), own.profile_id.in_(some)
            )
            for profile_id, *rest in self.tx.execute(query.order_by(own.day)):
                last = told_to[profile_id]
                if last is not None and rest[0] <= last:
                    found[profile_id].append(ToldDay(*rest))
        return found

    def tail(
        self, account_id: AccountId, profiles: Collection[ProfileId], day: int
    ) -> Iterator[Row[Any]]:
        """Yield what profiles did from a day on, counted from 1970."""
        since = type_coerce(journey.c.occurred_at, BigInteger) >= day * _DAY
        for some in slices(profiles):
            own = (within(journey, account_id), journey.c.profile_id.in_(some))
            yield from self.tx.execute(_log().where(*own, since))

    def log(self, account_id: AccountId) -> Iterator[Row[Any]]:
        """Yield what all did whom a model learns from: not those who must not be contacted.

        Except if they became customers before: these stay successes.
        """
        suppressed = and_(t.profile.c.slot == _SUPPRESSED, t.profile.c.success_at.is_(None))
        query = (
            _log()
            .join(t.profile, t.profile.c.id == journey.c.profile_id)
            .where(journey.c.account_id == account_id, ~suppressed | t.profile.c.slot.is_(None))
        )
        yield from self.tx.execute(query.execution_options(yield_per=5_000))

    def customers(self, account_id: AccountId) -> list[tuple[ProfileId, datetime]]:
        """Return who became a customer, and when."""
        own = (t.profile.c.account_id == account_id, t.profile.c.success_at.is_not(None))
        query = select(t.profile.c.id, t.profile.c.success_at).where(
            *own, t.profile.c.merged_into.is_(None)
        )
        rows = self.tx.execute(query.order_by(t.profile.c.id))
        return [(ProfileId(row.id), row.success_at) for row in rows]

    def spread(self, account_id: AccountId) -> dict[int | None, int]:
        """Count profiles by score."""
        query = select(score.c.value, func.count()).where(score.c.account_id == account_id)
        return {row[0]: row[1] for row in self.tx.execute(query.group_by(score.c.value))}

    def keep(
        self,
        account_id: AccountId,
        scores: Iterable[Score],
        days: Mapping[ProfileId, Iterable[Day]],
        done: Iterable[tuple[Due, int | None]],
    ) -> None:
        """Store scores, what new days told, and up to which day that is now known."""
        put(self.tx, score, [{"account_id": account_id} | _row(one) for one in scores])
        rows = [
            {
                "account_id": account_id,
                "profile_id": profile_id,
                "day": day.day,
                "signs": dict(day.signs),
                "ended_at": EPOCH + day.ended_at * _MICROSECOND,
                "ended_with": day.ended_with,
            }
            for profile_id, own in sorted(days.items())
            for day in own
        ]
        put(self.tx, told_day, rows)
        own = visitor.c
        # Who was marked again meanwhile stays marked.
        seen = update(visitor).where(
            own.profile_id == bindparam("who"), own.score_at == bindparam("since")
        )
        cleared = [{"who": one.profile_id, "since": one.since, "last": last} for one, last in done]
        if cleared:
            seen = seen.values(score_at=None, score_now=False, told_to=bindparam("last"))
            self.tx.execute(seen, cleared)

    def mark_next(
        self, account_id: AccountId, after: str, now: datetime, *, at_once: bool
    ) -> str | None:
        """Have the next visitors scored again; return the last of them, None at the end."""
        own = visitor.c
        query = select(own.profile_id).where(own.account_id == account_id, own.profile_id > after)
        ids = list(self.tx.execute(query.order_by(own.profile_id).limit(_PIECE)).scalars())
        if ids:
            here = (own.account_id == account_id, own.profile_id > after, own.profile_id <= ids[-1])
            values = {"score_at": now} | ({"score_now": True} if at_once else {})
            self.tx.execute(update(visitor).where(*here).values(**values))
        return ids[-1] if len(ids) == _PIECE else None


_SUPPRESSED = 10
_MICROS = (journey.c.occurred_at, journey.c.received_at)


def _log() -> Any:
    own = journey.c
    times = (type_coerce(one, BigInteger).label(one.name) for one in _MICROS)
    words = (own.profile_id, own.type, own.code, own.url, own.form, own.data, own.silent)
    return select(*words, *times)


def mark(tx: Tx, profiles: Collection[ProfileId], now: datetime) -> None:
    """Have profiles scored again."""
    for some in slices(sorted(profiles)):
        own = update(visitor).where(visitor.c.profile_id.in_(some))
        tx.execute(own.values(score_at=now))


def forget_late(tx: Tx, days: Iterable[tuple[ProfileId, int]]) -> None:
    """Have days told again that something late belongs to, and what came after them."""
    first: dict[ProfileId, int] = {}
    for profile_id, day in days:
        first[profile_id] = min(day, first.get(profile_id, day))
    if not first:
        return
    own = update(visitor).where(
        visitor.c.profile_id == bindparam("who"), visitor.c.told_to >= bindparam("day")
    )
    rows = [{"who": one, "day": day, "last": day - 1} for one, day in sorted(first.items())]
    tx.execute(own.values(told_to=bindparam("last")), rows)


def forget_days(tx: Tx, whose: Select[tuple[str]]) -> None:
    """Have whole days told again, of profiles that have lost some of their events."""
    tx.execute(delete(told_day).where(told_day.c.profile_id.in_(whose)))
    tx.execute(update(visitor).where(visitor.c.profile_id.in_(whose)).values(told_to=None))


def rehome(tx: Tx, loser: ProfileId, survivor: ProfileId, now: datetime) -> None:
    """Score anew who has become one with another."""
    forget(tx, [loser])
    again = update(visitor).where(visitor.c.profile_id == survivor)
    tx.execute(again.values(score_at=now, told_to=None))


def forget(tx: Tx, profiles: Collection[ProfileId]) -> None:
    """Delete what the scorer knew of profiles."""
    for table in (score, told_day):
        tx.execute(delete(table).where(table.c.profile_id.in_(profiles)))


def as_score(row: Row[Any]) -> Score:
    """Return a score's row as a value."""
    shown = dict(row.shown)
    at = shown.pop("at", None)
    return Score(
        ProfileId(row.profile_id),
        ScoreState(row.state),
        row.value,
        row.points,
        row.reasons,
        row.model_id,
        row.scored_at,
        row.told_at,
        Shown(**shown, at=datetime.fromisoformat(at) if at else None),
        row.trend,
    )


def _row(one: Score) -> dict[str, Any]:
    shown = asdict(one.shown)
    shown["at"] = one.shown.at.isoformat() if one.shown.at else None
    names = ("profile_id", "state", "value", "points", "model_id", "scored_at", "told_at", "trend")
    row = {name: getattr(one, name) for name in names}
    return row | {"reasons": dict(one.reasons), "shown": shown}
