"""Rows of journeys as they are worked on: what waits, whose it is, what it adds up to.

Everything is asked and kept for a whole batch: no query for a single event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, Text, bindparam, delete, or_, select, text, type_coerce, update

from connector.domain.facts import AccountId, ConnectionId, ProfileId
from connector.domain.identity import Name
from connector.domain.journeys import Alias, Happened, Visitor
from connector.domain.kept import Days, Kept, Visit
from connector.domain.visits import day_of, joined
from connector.store import tables as t
from connector.store.crowd import as_profile
from connector.store.journeys import Journeys, as_happened, as_visitor, event_row
from connector.store.models import is_serving
from connector.store.scores import forget_late
from connector.store.sql import add, put, slices
from connector.store.tables_journeys import PARKED, WAITS, alias, day, journey, visitor
from connector.stored import Connection, Profile

_WAITS, _PARKED = text(WAITS), text(PARKED)


class Visits:
    """Queries on journeys that wait and on what they belong to."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def arrive(self, connection: Connection, events: Iterable[Happened], trace: str = "") -> None:
        """Keep events to be worked on; those seen before are left as they are."""
        own = {"account_id": connection.account_id, "connection_id": connection.id, "trace": trace}
        rows = [
            {
                **own,
                **event_row(one.event),
                "received_at": one.received_at,
                "silent": one.silent,
            }
            for one in events
        ]
        add(self.tx, journey, rows)

    def waiting(self, account_id: AccountId, most: int) -> list[Visit]:
        """Return the events to work on next: what happens now before what is imported."""
        query = select(journey).where(journey.c.account_id == account_id, _WAITS)
        order = (journey.c.silent, journey.c.id)
        rows = self.tx.execute(query.order_by(*order).limit(most))
        return [Visit(as_happened(row), ConnectionId(row.connection_id), row.trace) for row in rows]

    def park(self, row_id: int, reason: str) -> None:
        """Put an event aside with its reason."""
        own = update(journey).where(journey.c.id == row_id)
        self.tx.execute(own.values(reason=reason or "unknown"))

    def names(self, account_id: AccountId, wanted: Collection[Alias]) -> dict[Alias, Name]:
        """Return whose names are."""
        found: dict[Alias, Name] = {}
        for kind, values in _by_kind(wanted).items():
            for some in slices(values):
                own = (alias.c.account_id == account_id, alias.c.kind == kind)
                query = select(alias).where(*own, alias.c.value.in_(some))
                found |= {_alias(row): _name(row) for row in self.tx.execute(query)}
        return found

    def names_of(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[ProfileId, list[Alias]]:
        """Return the names of profiles."""
        found: dict[ProfileId, list[Alias]] = defaultdict(list)
        for some in slices(profiles):
            own = (alias.c.account_id == account_id, alias.c.profile_id.in_(some))
            for row in self.tx.execute(select(alias).where(*own).order_by(alias.c.value)):
                found[ProfileId(row.profile_id)].append(_alias(row))
        return found

    def holders(self, account_id: AccountId, emails: Collection[str]) -> dict[str, ProfileId]:
        """Return the profiles of the CRM records that hold addresses."""
        own = t.record.c
        found: dict[str, ProfileId] = {}
        for some in slices(emails):
            query = select(own.email, own.profile_id).where(
                own.account_id == account_id, own.email.in_(some), own.profile_id.is_not(None)
            )
            found |= {row.email: ProfileId(row.profile_id) for row in self.tx.execute(query)}
        return found

    def profiles(
        self, account_id: AccountId, ids: Collection[ProfileId]
    ) -> dict[ProfileId, Profile]:
        """Return the rows of profiles."""
        found: dict[ProfileId, Profile] = {}
        for some in slices(ids):
            own = (t.profile.c.account_id == account_id, t.profile.c.id.in_(some))
            query = select(t.profile).where(*own)
            found |= {ProfileId(row.id): as_profile(row) for row in self.tx.execute(query)}
        return found

    def owned(self, account_id: AccountId, profiles: Collection[ProfileId]) -> set[ProfileId]:
        """Return those of some profiles that have a record or a proven address."""
        found: set[ProfileId] = set()
        for some in slices(profiles):
            for table, more in ((t.record, ()), (alias, (alias.c.verified.is_(True),))):
                own = table.c.profile_id
                query = select(own).where(table.c.account_id == account_id, own.in_(some), *more)
                found |= {ProfileId(one) for one in self.tx.execute(query).scalars()}
        return found

    def days(
        self, account_id: AccountId, profiles: Collection[ProfileId], numbers: Collection[int]
    ) -> Days:
        """Return what profiles did how often on some days."""
        found: Days = {}
        wanted = sorted(numbers)
        for some in slices(profiles):
            for those in slices(wanted):
                own = (day.c.account_id == account_id, day.c.profile_id.in_(some))
                query = select(day).where(*own, day.c.day.in_(those))
                for row in self.tx.execute(query):
                    found[ProfileId(row.profile_id), row.day] = Counter(row.counts)
        return found

    def rewarded(self, account_id: AccountId, before: datetime, most: int) -> list[Visitor]:
        """Return visitors whose open reward was shown by then."""
        query = (
            select(visitor)
            .where(visitor.c.account_id == account_id, visitor.c.reward_at <= before)
            .order_by(visitor.c.reward_at)
            .limit(most)
        )
        return [as_visitor(row) for row in self.tx.execute(query)]

    def keep(self, account_id: AccountId, kept: Kept, now: datetime) -> None:
        """Store what a batch led to; the profiles are there already."""
        self._assign(kept.whose)
        for one in kept.edited:
            values = event_row(one.event)
            self.tx.execute(update(journey).where(journey.c.id == one.id).values(**values))
        for ids in slices(kept.dropped):
            self.tx.execute(delete(journey).where(journey.c.id.in_(ids)))
        own = {"account_id": account_id}
        names = [
            {**own, **key._asdict(), **name._asdict(), "since": now}
            for key, name in sorted(kept.names.items())
        ]
        put(self.tx, alias, names, ["since"])
        seen = [own | _visitor(one) | {"score_at": now} for _, one in sorted(kept.visitors.items())]
        # Without a model a first look is enough.
        has_model = is_serving(self.tx, account_id)
        put(self.tx, visitor, seen, [] if has_model else ["score_at"])
        if has_model:
            today = day_of(now)
            forget_late(self.tx, (key for key in kept.days if key[1] < today))
        days = [
            {**own, "profile_id": profile_id, "day": number, "counts": dict(counts)}
            for (profile_id, number), counts in sorted(kept.days.items())
        ]
        put(self.tx, day, days)

    def _assign(self, whose: Mapping[int, ProfileId]) -> None:
        if whose:
            own = update(journey).where(journey.c.id == bindparam("row"))
            rows = [{"row": row_id, "whose": profile_id} for row_id, profile_id in whose.items()]
            self.tx.execute(own.values(profile_id=bindparam("whose")), rows)

    def listed(self, account_id: AccountId, state: str, after: int, most: int) -> list[Row[Any]]:
        """Return events that wait, are done with or were put aside, by id from behind `after`."""
        query = select(journey).where(journey.c.account_id == account_id, journey.c.id > after)
        query = query.where(_STATES[state])
        return list(self.tx.execute(query.order_by(journey.c.id).limit(most)))

    def aside(self, account_id: AccountId | None, words: str) -> list[int]:
        """Return the events that were put aside; `words`: of a reason."""
        query = select(journey.c.id).where(_PARKED)
        if account_id is not None:
            query = query.where(journey.c.account_id == account_id)
        if words:
            query = query.where(journey.c.reason.icontains(words, autoescape=True))
        return list(self.tx.execute(query.order_by(journey.c.id)).scalars())

    def replay(self, ids: Collection[int]) -> int:
        """Put events that were put aside back in line, silently; say how many."""
        count = 0
        for some in slices(ids):
            again = update(journey).where(journey.c.id.in_(some), _PARKED)
            count += self.tx.execute(again.values(reason="", silent=True)).rowcount
        return count

    def page(
        self, account_id: AccountId, profile_id: ProfileId, after: tuple[datetime, int], most: int
    ) -> list[Happened]:
        """Return a profile's events in order of time, from behind (when, id)."""
        own, (when, row_id) = journey.c, after
        later = or_(own.occurred_at > when, (own.occurred_at == when) & (own.id > row_id))
        query = (
            select(journey)
            .where(own.account_id == account_id, own.profile_id == profile_id, later)
            .order_by(own.occurred_at, own.id)
            .limit(most)
        )
        return [as_happened(row) for row in self.tx.execute(query)]


_STATES: Mapping[str, Any] = {
    "pending": _WAITS,
    "parked": _PARKED,
    "done": journey.c.profile_id.is_not(None),
}


def rehome(tx: Tx, account_id: AccountId, loser: ProfileId, survivor: ProfileId) -> None:
    """Move a profile's journey to the one that it was joined into."""
    for table in (journey, alias):
        own = update(table).where(table.c.profile_id == loser)
        tx.execute(own.values(profile_id=survivor))
    found = Journeys(tx).visitors(account_id, [loser, survivor])
    if loser in found:
        one = joined(found.get(survivor, Visitor(survivor)), found[loser])
        put(tx, visitor, [{"account_id": account_id} | _visitor(one)])
        tx.execute(delete(visitor).where(visitor.c.profile_id == loser))
    _rehome_days(tx, account_id, loser, survivor)


def _rehome_days(tx: Tx, account_id: AccountId, loser: ProfileId, survivor: ProfileId) -> None:
    theirs = {
        row.day: Counter(row.counts)
        for row in tx.execute(select(day).where(day.c.profile_id == loser))
    }
    known = Visits(tx).days(account_id, [survivor], theirs) if theirs else {}
    rows = [
        {
            "account_id": account_id,
            "profile_id": survivor,
            "day": number,
            "counts": dict(counts + known.get((survivor, number), Counter())),
        }
        for number, counts in sorted(theirs.items())
    ]
    put(tx, day, rows)
    tx.execute(delete(day).where(day.c.profile_id == loser))


def forget(tx: Tx, account_id: AccountId, profiles: Sequence[ProfileId]) -> None:
    """Delete the journeys of erased profiles, what was put aside about them too."""
    own = (alias.c.account_id == account_id, alias.c.profile_id.in_(profiles))
    words = list(tx.execute(select(alias.c.value).where(*own)).scalars())
    data = type_coerce(journey.c.data, Text)
    for some in slices(words):
        named = or_(*(data.icontains(word, autoescape=True) for word in some))
        tx.execute(delete(journey).where(journey.c.account_id == account_id, _PARKED, named))
    for table in (journey, alias, visitor, day):
        tx.execute(delete(table).where(table.c.profile_id.in_(profiles)))


def _visitor(one: Visitor) -> dict[str, Any]:
    names = (*("first_at", "last_at", "identified_at"), *("verified_at", "reward_at", "origin_at"))
    row: dict[str, Any] = {name: getattr(one, name) for name in names}
    documents = {"origin": dict(one.origin), "person": dict(one.person)}
    return {**row, **documents, "profile_id": one.profile_id, "known": one.known}


def _by_kind(wanted: Collection[Alias]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for one in sorted(wanted):
        groups[one.kind].append(one.value)
    return groups


def _alias(row: Row[Any]) -> Alias:
    return Alias(row.kind, row.value)


def _name(row: Row[Any]) -> Name:
    return Name(ProfileId(row.profile_id), row.verified)
