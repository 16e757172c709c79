"""Queries on escalation rules and their decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Row,
    Text,
    delete,
    exists,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy import Connection as Tx

from connector.domain.errors import ConfigurationRefused, NotFound
from connector.domain.facts import AccountId, ProfileId
from connector.domain.rules.decisions import Decisions, Place
from connector.domain.rules.index import Index
from connector.domain.rules.judging import day_of
from connector.domain.rules.rule import Rule, RuleId, span_of
from connector.domain.slots import Slot
from connector.mapping.rules import as_rule, dump_rule
from connector.store import rules as r
from connector.store import tables as t
from connector.store.sql import add, put, slices, upsert
from connector.store.tables import profile
from connector.store.tables_journeys import WAITS, journey, visitor
from connector.store.types import as_document
from connector.stored import BULK, LIVE, URGENT

log = structlog.get_logger(__name__)
Marker = tuple[RuleId, ProfileId]
_Version = tuple[str, int, str, datetime]


class Rulebook:
    """Queries on one account's rules; every one names the account."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    # The rules themselves

    def index(self, account_id: AccountId) -> Index:
        """Return the rules that are switched on, by what sets them off."""
        return _index(self._versions(account_id))

    def rules(self, account_id: AccountId) -> list[Rule]:
        """Return the account's rules in the order in which they were made."""
        return _known(self._versions(account_id))

    def _versions(self, account_id: AccountId) -> tuple[_Version, ...]:
        own = r.rule.c
        document = type_coerce(own.document, Text)
        query = select(own.id, own.version, document, own.since).where(
            own.account_id == account_id, own.retired_at.is_(None)
        )
        rows = self.tx.execute(query.order_by(own.id))
        return tuple((row[0], row[1], row[2], row[3]) for row in rows)

    def rule(self, account_id: AccountId, rule_id: str) -> Rule:
        """Return a rule. Raises NotFound."""
        found = next((one for one in self.rules(account_id) if one.id == rule_id), None)
        if found is None:
            raise NotFound(f"there is no rule {rule_id}")
        return found

    def targets(self, account_id: AccountId) -> set[Slot]:
        """Return the slots that rules move people to."""
        return {rule.to for rule in self.rules(account_id)}

    def keep(
        self, account_id: AccountId, rule: Rule, now: datetime, since: datetime | None = None
    ) -> int:
        """Store a rule as its next version, which counts since then, or from now; return that."""
        own = r.rule.c
        query = select(own.version).where(own.account_id == account_id, own.id == rule.id)
        version = max(self.tx.execute(query).scalars(), default=0) + 1
        self.retire(account_id, rule.id, now)
        if since is None or since == now:
            # Whom another version has met may cross what this one waits for.
            mine = (r.tripped.c.account_id == account_id, r.tripped.c.rule_id == rule.id)
            self.tx.execute(delete(r.tripped).where(*mine))
        row = {"account_id": account_id, "id": rule.id, "version": version}
        add(self.tx, r.rule, [row | {"document": dump_rule(rule), "since": since or now}])
        return version

    def retire(self, account_id: AccountId, rule_id: RuleId, now: datetime) -> None:
        """Have a rule count no longer; its versions and moves stay."""
        own = r.rule.c
        current = (own.account_id == account_id, own.id == rule_id, own.retired_at.is_(None))
        self.tx.execute(update(r.rule).where(*current).values(retired_at=now))

    # What they did

    def fired(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[Marker, list[datetime]]:
        """Return when which rule moved which of these people."""
        own, found = r.firing.c, defaultdict(list)
        for some in slices(profiles):
            query = select(own.rule_id, own.profile_id, own.at).where(
                own.account_id == account_id, own.profile_id.in_(some)
            )
            for row in self.tx.execute(query):
                found[RuleId(row.rule_id), ProfileId(row.profile_id)].append(row.at)
        return found

    def per_day(
        self, account_id: AccountId, rules: Collection[RuleId], days: Collection[date]
    ) -> Counter[tuple[RuleId, date]]:
        """Count how many people rules moved on days in UTC."""
        if not rules or not days:
            return Counter()
        own = r.firing.c
        start, end = (datetime.combine(day, time(), UTC) for day in (min(days), max(days)))
        query = select(own.rule_id, own.at).where(
            own.account_id == account_id,
            own.rule_id.in_(rules),
            own.at >= start,
            own.at < end + timedelta(days=1),
        )
        return Counter((RuleId(row.rule_id), day_of(row.at)) for row in self.tx.execute(query))

    def tripped(self, account_id: AccountId, profiles: Collection[ProfileId]) -> set[Marker]:
        """Return which score crossings of these people do not count again yet."""
        own, found = r.tripped.c, set()
        for some in slices(profiles):
            query = select(own.rule_id, own.profile_id).where(
                own.account_id == account_id, own.profile_id.in_(some)
            )
            found |= {(RuleId(a), ProfileId(b)) for a, b in self.tx.execute(query)}
        return found

    # The clock

    def heard_until(self, account_id: AccountId, now: datetime) -> datetime:
        """Return up to when all that came has been worked on, silent bulk left aside."""
        inbox, event, waits = t.delivery.c, t.event.c, journey.c
        ours = or_(inbox.account_id == account_id, inbox.account_id.is_(None))
        unread = select(inbox.received_at).where(inbox.state == "pending", ours, ~inbox.silent)
        queries = [unread.order_by(inbox.id)]
        for lane in (URGENT, LIVE, BULK):
            own = (event.account_id == account_id, event.state == "pending", event.lane == lane)
            queries.append(select(event.received_at).where(*own, ~event.silent).order_by(event.id))
        live = (waits.account_id == account_id, waits.silent.is_(False))
        queries.append(select(waits.received_at).where(*live, text(WAITS)).order_by(waits.id))
        found: list[datetime] = []
        for query in queries:
            found += self.tx.scalars(query.limit(1))
        return min([now, *found])

    def standing(
        self,
        account_id: AccountId,
        rule: Rule,
        slots: Collection[Slot],
        behind: Place,
        until: datetime,
    ) -> list[tuple[ProfileId, datetime]]:
        """Return the next people who came to slots then, and whom a rule has not met for it."""
        own = profile.c
        query = select(own.id, own.slot_since).where(
            own.account_id == account_id,
            own.slot.in_([int(slot) for slot in slots]),
            *_between(own.slot_since, own.id, behind, until),
            *_not_met(rule, own.id, own.slot_since),
        )
        return self._people(query.order_by(own.slot_since, own.id))

    def silent_since(
        self,
        account_id: AccountId,
        rule: Rule,
        slots: Collection[Slot],
        behind: Place,
        until: datetime,
    ) -> list[tuple[ProfileId, datetime]]:
        """Return the next people in slots whose last event was then, and not met for it."""
        own, them = visitor.c, profile.c
        query = (
            select(own.profile_id, own.last_at)
            .join_from(visitor, profile, own.profile_id == them.id)
            .where(
                own.account_id == account_id,
                them.slot.in_([int(slot) for slot in slots]),
                *_between(own.last_at, own.profile_id, behind, until),
                *_not_met(rule, own.profile_id, own.last_at),
            )
        )
        return self._people(query.order_by(own.last_at, own.profile_id))

    def _people(self, query: Any) -> list[tuple[ProfileId, datetime]]:
        return [(ProfileId(a), when) for a, when in self.tx.execute(query.limit(AT_ONCE))]

    def people(self, account_id: AccountId, after: str, most: int) -> list[ProfileId]:
        """Return the next people who stand anywhere, by id."""
        own = profile.c
        query = select(own.id).where(
            own.account_id == account_id, own.id > after, own.slot.is_not(None)
        )
        return [ProfileId(one) for one in self.tx.scalars(query.order_by(own.id).limit(most))]

    # Shown

    def firings(self, account_id: AccountId, rule_id: str, most: int) -> list[Row[Any]]:
        """Return a rule's moves, newest first."""
        own = r.firing.c
        query = select(r.firing).where(own.account_id == account_id, own.rule_id == rule_id)
        return list(self.tx.execute(query.order_by(own.at.desc(), own.id.desc()).limit(most)))

    def refusals(self, account_id: AccountId, rule_id: str, most: int) -> list[Row[Any]]:
        """Return the last no of each person, newest first."""
        own = r.refusal.c
        query = select(r.refusal).where(own.account_id == account_id, own.rule_id == rule_id)
        order = (own.at.desc(), own.profile_id.desc())
        return list(self.tx.execute(query.order_by(*order).limit(most)))

    def refusal_days(self, account_id: AccountId, rule_id: str, most: int) -> list[Row[Any]]:
        """Return how many noes of each kind a rule gave on which day, newest first."""
        own = r.refusal_day.c
        query = select(r.refusal_day).where(own.account_id == account_id, own.rule_id == rule_id)
        return list(self.tx.execute(query.order_by(own.day.desc(), own.why).limit(most)))


AT_ONCE = 200


def _between(when: Any, name: Any, span: Place, until: datetime) -> tuple[Any, ...]:
    return (when >= span.at, when <= until, tuple_(when, name) > (span.at, span.after))


def _not_met(rule: Rule, whose: Any, since: Any) -> Iterator[Any]:
    """Yield that neither a yes nor a no of a rule is as late as when somebody's time came."""
    came = type_coerce(since, BigInteger) + span_of(rule) // timedelta(microseconds=1)
    for table in (r.firing, r.refusal):
        own = table.c
        mine = (own.rule_id == rule.id, own.profile_id == whose)
        yield ~exists().where(*mine, type_coerce(own.at, BigInteger) >= came)


@lru_cache(maxsize=4096)
def _read(version: _Version) -> Rule | None:
    rule_id, number, document, since = version
    try:
        return as_rule(as_document(document), rule_id, number, since)
    except ConfigurationRefused as error:
        log.warning("rule_unreadable", rule_id=rule_id, version=number, reason=str(error))
        return None


@lru_cache(maxsize=64)
def _index(versions: tuple[_Version, ...]) -> Index:
    return Index(_known(versions))


def _known(versions: Iterable[_Version]) -> list[Rule]:
    """Return the rules that this code can read; one that is younger than it stops nobody else."""
    return [rule for version in versions if (rule := _read(version)) is not None]


# In the transaction of a unit of work


def keep_decisions(tx: Tx, account_id: AccountId, decided: Decisions) -> None:
    """Store what rules decided."""
    own = {"account_id": account_id}
    add(tx, r.firing, [own | _columns(one) for one in decided.firings])
    refusals = [decided.refusals[key] for key in sorted(decided.refusals)]
    put(tx, r.refusal, [own | _columns(one) for one in refusals])
    _count(tx, [own | key._asdict() | {"number": n} for key, n in sorted(decided.days.items())])
    for (rule_id, profile_id), at in sorted(decided.tripped.items()):
        which = {"rule_id": rule_id, "profile_id": profile_id}
        mine = (r.tripped.c[name] == value for name, value in (own | which).items())
        if at is None:
            tx.execute(delete(r.tripped).where(*mine))
        else:
            put(tx, r.tripped, [own | which | {"at": at}])


def _columns(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _count(tx: Tx, rows: list[Mapping[str, Any]]) -> None:
    if rows:
        statement = upsert(tx, r.refusal_day)
        total = r.refusal_day.c.number + statement.excluded.number
        keys = [column.name for column in r.refusal_day.primary_key]
        tx.execute(
            statement.on_conflict_do_update(index_elements=keys, set_={"number": total}), rows
        )


def rehome(tx: Tx, account_id: AccountId, loser: ProfileId, survivor: ProfileId) -> None:
    """Have a joined profile's moves and crossings count for the one that survives; its noes go."""
    own = (r.firing.c.account_id == account_id, r.firing.c.profile_id == loser)
    tx.execute(update(r.firing).where(*own).values(profile_id=survivor))
    theirs = (r.tripped.c.account_id == account_id, r.tripped.c.profile_id == loser)
    rows = [
        row._asdict() | {"profile_id": survivor}
        for row in tx.execute(select(r.tripped).where(*theirs))
    ]
    add(tx, r.tripped, rows)
    forget(tx, account_id, [loser])


def forget(tx: Tx, account_id: AccountId, profiles: Iterable[ProfileId | str]) -> None:
    """Delete all that rules decided about profiles."""
    ids = list(profiles)
    for table in r.OF_PROFILES:
        own = (table.c.account_id == account_id, table.c.profile_id.in_(ids))
        tx.execute(delete(table).where(*own))
