"""Rows of journeys as they are worked on: what waits, whose it is, what it adds up to.

Everything is asked and kept for a whole batch: no query for a single event.
"""

from __future__ import annotations

import json
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
from connector.domain.visits import OPT_OUT, day_of, joined
from connector.store import tables as t
from connector.store.journeys import Journeys, as_happened, as_visitor, event_row
from connector.store.models import is_serving
from connector.store.rows import as_profile
from connector.store.scores import forget_late
from connector.store.sql import add, put, run, slices, within
from connector.store.tables_journeys import PARKED, WAITS, alias, day, journey, visitor
from connector.stored import Connection, Profile

_WAITS, _PARKED = text(WAITS), text(PARKED)
_PROVEN_ADDRESS = (alias.c.kind == "email", alias.c.verified.is_(True))


_NAME = (alias.c.value, alias.c.profile_id, alias.c.verified)


_ASSIGNED = (
    update(journey)
    .where(journey.c.account_id == bindparam("account"), journey.c.id == bindparam("row"))
    .values(profile_id=bindparam("whose"))
)


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
        rows = self.tx.execute(query.order_by(*order).limit(most)).all()
        return list(map(_visit, rows))

    def opt_outs(self, account_id: AccountId, profiles: Collection[ProfileId]) -> list[Visit]:
        """Return the opt-outs that profiles have sent, in order of time."""
        own, found = journey.c, list[Visit]()
        for some in slices(profiles):
            query = select(journey).where(
                own.account_id == account_id, own.profile_id.in_(some), own.type == OPT_OUT
            )
            rows = self.tx.execute(query.order_by(own.occurred_at, own.id))
            found += [
                Visit.of(as_happened(row), ConnectionId(row.connection_id), row.trace)
                for row in rows
            ]
        return found

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
                query = select(*_NAME).where(*own, alias.c.value.in_(some))
                for value, profile_id, verified in self.tx.execute(query).all():
                    found[Alias(kind, value)] = Name(ProfileId(profile_id), verified)
        return found

    def names_of(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[ProfileId, list[Alias]]:
        """Return the names of profiles."""
        found: dict[ProfileId, list[Alias]] = defaultdict(list)
        for some in slices(profiles):
            own = (within(alias, account_id), alias.c.profile_id.in_(some))
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
            own = (within(t.profile, account_id), t.profile.c.id.in_(some))
            query = select(t.profile).where(*own)
            found |= {ProfileId(row.id): as_profile(row) for row in self.tx.execute(query).all()}
        return found

    def owned(self, account_id: AccountId, profiles: Collection[ProfileId]) -> set[ProfileId]:
        """Return those of some profiles that have a record or a proven address."""
        found: set[ProfileId] = set()
        for some in slices(profiles):
            for table, more in ((t.record, ()), (alias, _PROVEN_ADDRESS)):
                own = table.c.profile_id
                query = select(own).where(within(table, account_id), own.in_(some), *more)
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
                columns = (day.c.profile_id, day.c.day, day.c.counts)
                query = select(*columns).where(*own, day.c.day.in_(those))
                for profile_id, number, counts in self.tx.execute(query).all():
                    found[ProfileId(profile_id), number] = Counter(counts)
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
        self._assign(account_id, kept.whose)
        for one in kept.edited:
            values = event_row(one.event)
            mine = (journey.c.account_id == account_id, journey.c.id == one.id)
            self.tx.execute(update(journey).where(*mine).values(**values))
        for ids in slices(kept.dropped):
            mine = (journey.c.account_id == account_id, journey.c.id.in_(ids))
            self.tx.execute(delete(journey).where(*mine))
        own = {"account_id": account_id}
        names = [
            {**own, **key._asdict(), **name._asdict(), "since": now}
            for key, name in sorted(kept.names.items())
        ]
        put(self.tx, alias, names, ["since"])
        told = sorted(kept.visitors.items())
        seen = [{**own, **_visitor(one), "score_at": now} for _, one in told]
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

    def _assign(self, account_id: AccountId, whose: Mapping[int, ProfileId]) -> None:
        if whose:
            own = {"account": account_id}
            rows = [own | {"row": row_id, "whose": one} for row_id, one in whose.items()]
            run(self.tx, _ASSIGNED, rows)

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
        mine = (table.c.account_id == account_id, table.c.profile_id == loser)
        tx.execute(update(table).where(*mine).values(profile_id=survivor))
    found = Journeys(tx).visitors(account_id, [loser, survivor])
    if loser in found:
        one = joined(found.get(survivor, Visitor(survivor)), found[loser])
        put(tx, visitor, [{"account_id": account_id} | _visitor(one)])
        mine = (visitor.c.account_id == account_id, visitor.c.profile_id == loser)
        tx.execute(delete(visitor).where(*mine))
    _rehome_days(tx, account_id, loser, survivor)


def _rehome_days(tx: Tx, account_id: AccountId, loser: ProfileId, survivor: ProfileId) -> None:
    mine = (day.c.account_id == account_id, day.c.profile_id == loser)
    theirs = {row.day: Counter(row.counts) for row in tx.execute(select(day).where(*mine))}
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
    tx.execute(delete(day).where(*mine))


def forget(tx: Tx, account_id: AccountId, profiles: Sequence[ProfileId]) -> None:
    """Delete the journeys of erased profiles, what was put aside about them too."""
    data = type_coerce(journey.c.data, Text)
    for some in slices(_words_of(tx, account_id, profiles)):
        named = or_(*(data.icontains(word, autoescape=True) for word in some))
        tx.execute(delete(journey).where(journey.c.account_id == account_id, _PARKED, named))
    for table in (journey, alias, visitor, day):
        mine = (table.c.account_id == account_id, table.c.profile_id.in_(profiles))
        tx.execute(delete(table).where(*mine))


def _words_of(tx: Tx, account_id: AccountId, profiles: Sequence[ProfileId]) -> list[str]:
    """Return what profiles are called, as it stands in documents: escaped.

    An address may be part of a longer text; other names stand alone.
    """
    mine = (alias.c.account_id == account_id, alias.c.profile_id.in_(profiles))
    names = [_alias(row) for row in tx.execute(select(alias).where(*mine))]
    own = t.record.c
    held = select(own.email).where(own.account_id == account_id, own.profile_id.in_(profiles))
    emails = {email for email in tx.execute(held).scalars() if email}
    emails |= {name.value for name in names if name.kind == "email"}
    others = {name.value for name in names if name.kind != "email"}
    return sorted({json.dumps(one)[1:-1] for one in emails} | {json.dumps(one) for one in others})


def _visitor(one: Visitor) -> dict[str, Any]:
    return {**one._asdict(), "origin": dict(one.origin), "person": dict(one.person)}


def _visit(row: Row[Any]) -> Visit:
    return Visit.of(as_happened(row), ConnectionId(row.connection_id), row.trace)


def _by_kind(wanted: Collection[Alias]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for one in sorted(wanted):
        groups[one.kind].append(one.value)
    return groups


def _alias(row: Row[Any]) -> Alias:
    return Alias(row.kind, row.value)
