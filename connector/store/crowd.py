"""Loads everything about some records and the people behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from connector.domain.entries import Entry
from connector.domain.facts import AccountId, ConnectionId, Fact, Link, ProfileId, RecordKey
from connector.domain.identity import Name
from connector.mapping.table import PEOPLE
from connector.store import creations
from connector.store import tables as t
from connector.store.answers import as_answer
from connector.store.entries import as_entry
from connector.store.ledgers import entry
from connector.store.rows import (
    as_fact,
    as_link,
    as_move,
    as_pending,
    as_profile,
    as_record,
    as_step,
    as_writing,
)
from connector.store.scores import Scores
from connector.store.sql import slices, within
from connector.store.tables_creation import creation
from connector.stored import (
    Crowd,
    LedgerAnswer,
    LedgerMove,
    OwnStep,
    Pending,
    Profile,
    Purpose,
    Record,
    State,
    Writing,
)

_OPEN = (State.PENDING, State.PARKED, State.HELD, State.SENDING)
Place = tuple[RecordKey, Purpose]
Rows = Iterator[Row[Any]]


class Load:
    """One load of a crowd out of one account."""

    def __init__(self, tx: Connection, account_id: AccountId) -> None:
        self.tx = tx
        self.account_id = account_id

    def crowd(
        self,
        keys: Collection[RecordKey],
        emails: Collection[str] = (),
        profiles: Collection[ProfileId] = (),
        follow: Collection[RecordKey] = (),
        since: datetime | None = None,
    ) -> Crowd:
        """Return the records named, all that belong to the same people, and their stories.

        `follow` are the deals and companies whose people count as touched: a company that is
        only named would bring everybody who works there. `since` is how far back the write
        ledger is asked for.
        """
        asked = set(keys) | {key for key in self._ends(follow) if key.object in PEOPLE}
        records = self.records(asked)
        records |= self._by_email([email for email in emails if email])
        records |= self._became(records)
        owners = {r.profile_id for r in records.values() if r.profile_id} | set(profiles)
        names = self._names([email for email in emails if email])
        owners |= {name.profile_id for name in names.values()}
        made = creations.made(self._at(creation, (key for key in asked if key.object in PEOPLE)))
        owners |= {one.profile_id for one in made.values()}
        records |= {one.key: one for one in map(as_record, self._owned(t.record, owners))}
        owners |= {r.profile_id for r in records.values() if r.profile_id}
        links = self._links({key for key in records if key.object in PEOPLE} | set(follow))
        around = set(records) | {end for link in links for end in (link.start, link.goal)}
        records |= self.records(around - set(records))
        waiting, sending = self._writes(records)
        return Crowd(
            records=records,
            facts=self._facts(around),
            links=links,
            profiles=self._profiles(owners),
            steps=self._steps(owners),
            moves=self._moves(owners),
            pending=waiting,
            sending=sending,
            writings=self._writings(records, since),
            answers=self.answers({key for key in records if key.object in PEOPLE}),
            names=names,
            entries=self._entries(owners),
            scores=Scores(self.tx).of(self.account_id, owners),
            made=made,
        )

    def _names(self, emails: Collection[str]) -> dict[str, Name]:
        """Return whose the addresses of visitors are.

        What was only typed by somebody who has proven another address is nobody's.
        """
        own = t.journey_alias.c
        found: dict[str, Name] = {}
        for some in slices(emails):
            query = select(t.journey_alias).where(
                own.account_id == self.account_id, own.kind == "email", own.value.in_(some)
            )
            found |= {r.value: Name(r.profile_id, r.verified) for r in self.tx.execute(query)}
        typed = {name.profile_id for name in found.values() if not name.verified}
        proven = (own.kind == "email", own.verified.is_(True))
        others = {row.profile_id for row in self._owned(t.journey_alias, typed, *proven)}
        return {
            email: name
            for email, name in found.items()
            if name.verified or name.profile_id not in others
        }

    def _ends(self, keys: Collection[RecordKey]) -> set[RecordKey]:
        """Return what is tied to records."""
        return {end for link in self._links(keys) for end in (link.start, link.goal)}

    def ties(self, keys: Collection[RecordKey]) -> list[tuple[RecordKey, RecordKey]]:
        """Return the pairs (one of the keys, what it is tied to now)."""
        newest: dict[frozenset[RecordKey], Link] = {}
        for link in sorted(self._links(keys), key=lambda link: link.stamp):
            newest[frozenset((link.start, link.goal))] = link
        pairs = [(link.start, link.goal) for link in newest.values() if link.present]
        own = set(keys)
        return [pair for a, b in pairs for pair in ((a, b), (b, a)) if pair[0] in own]

    def records_of(self, profiles: Collection[ProfileId]) -> list[Record]:
        """Return the records behind profiles."""
        return list(map(as_record, self._owned(t.record, profiles)))

    def _became(self, records: Mapping[RecordKey, Record]) -> dict[RecordKey, Record]:
        """Return what merged records became, to the end of the chain."""
        found: dict[RecordKey, Record] = {}
        fresh = records
        while fresh:
            merged = [one for one in fresh.values() if one.merged_into]
            keys = {one.key._replace(record_id=one.merged_into) for one in merged}
            fresh = self.records(keys - set(records) - set(found))
            found |= fresh
        return found

    def records(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Record]:
        """Return records by their keys; what we never met is left out."""
        rows = self._at(t.record, keys)
        return {record.key: record for record in map(as_record, rows)}

    def _by_email(self, emails: Collection[str]) -> dict[RecordKey, Record]:
        found: dict[RecordKey, Record] = {}
        for some in slices(emails):
            query = select(t.record).where(
                t.record.c.account_id == self.account_id, t.record.c.email.in_(some)
            )
            found |= {record.key: record for record in map(as_record, self.tx.execute(query))}
        return found

    def _at(self, table: Table, keys: Iterable[RecordKey]) -> Rows:
        """Yield the rows of a table that belong to records."""
        own = (table.c.connection_id, table.c.object, table.c.record_id)
        return self._where(table, own, keys)

    def _where(
        self, table: Table, columns: tuple[Any, Any, Any], keys: Iterable[RecordKey]
    ) -> Rows:
        groups: dict[tuple[ConnectionId, str], list[str]] = defaultdict(list)
        for key in keys:
            groups[key.connection_id, key.object].append(key.record_id)
        for (connection_id, kind), ids in groups.items():
            for some in slices(ids):
                yield from self.tx.execute(
                    select(table).where(
                        table.c.account_id == self.account_id,
                        columns[0] == connection_id,
                        columns[1] == kind,
                        columns[2].in_(some),
                    )
                )

    def _facts(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Fact]]:
        return _grouped(map(as_fact, self._at(t.fact, keys)), lambda fact: fact.record)

    def _links(self, keys: Collection[RecordKey]) -> list[Link]:
        table = t.link
        starts = (table.c.connection_id, table.c.from_object, table.c.from_id)
        goals = (table.c.connection_id, table.c.to_object, table.c.to_id)
        rows = [*self._where(table, starts, keys), *self._where(table, goals, keys)]
        return list({as_link(row): None for row in rows})

    def _owned(self, table: Table, ids: Collection[ProfileId], *more: ColumnElement[bool]) -> Rows:
        for some in slices(ids):
            own = (within(table, self.account_id), table.c.profile_id.in_(some), *more)
            yield from self.tx.execute(select(table).where(*own)).all()

    def _profiles(self, ids: Collection[ProfileId]) -> dict[ProfileId, Profile]:
        found: dict[ProfileId, Profile] = {}
        for some in slices(ids):
            query = select(t.profile).where(
                within(t.profile, self.account_id), t.profile.c.id.in_(some)
            )
            found |= {row.id: as_profile(row) for row in self.tx.execute(query).all()}
        return found

    def _steps(self, ids: Collection[ProfileId]) -> dict[ProfileId, list[OwnStep]]:
        return _grouped(map(as_step, self._owned(t.step, ids)), lambda step: step.profile_id)

    def _moves(self, ids: Collection[ProfileId]) -> dict[ProfileId, list[LedgerMove]]:
        current = t.move.c.superseded_at.is_(None)
        moves = map(as_move, self._owned(t.move, ids, current))
        return _grouped(moves, lambda move: move.profile_id)

    def _entries(self, ids: Collection[ProfileId]) -> dict[ProfileId, list[Entry]]:
        current = entry.c.superseded_at.is_(None)
        entries = map(as_entry, self._owned(entry, ids, current))
        return _grouped(entries, lambda one: one.profile_id)

    def _writes(self, keys: Iterable[RecordKey]) -> tuple[dict[Place, Pending], frozenset[Place]]:
        """Return the writes that wait, and where some are under way."""
        rows = [as_pending(row) for row in self._at(t.outbox, keys) if row.state in _OPEN]
        sending = frozenset((r.record, r.purpose) for r in rows if r.state is State.SENDING)
        waiting = {(r.record, r.purpose): r for r in rows if r.state is not State.SENDING}
        return waiting, sending

    def answers(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[LedgerAnswer]]:
        """Return what sales answered on records, oldest first."""
        rows = (row for row in self._at(t.answer, keys) if row.superseded_at is None)
        told = sorted(map(as_answer, rows), key=lambda one: one.occurred_at)
        return _grouped(told, lambda one: one.record)

    def _writings(
        self, keys: Iterable[RecordKey], since: datetime | None
    ) -> dict[RecordKey, list[Writing]]:
        rows = self._at(t.written, keys)
        recent = (row for row in rows if since is None or row.intent_at >= since)
        return _grouped(map(as_writing, recent), lambda writing: writing.record)


def people_of(
    tx: Connection, account_id: AccountId, connection_id: ConnectionId
) -> list[RecordKey]:
    """Return every person's record of a connection."""
    query = select(t.record.c.object, t.record.c.record_id).where(
        t.record.c.account_id == account_id,
        t.record.c.connection_id == connection_id,
        or_(*(t.record.c.object == kind for kind in PEOPLE)),
    )
    return [RecordKey(connection_id, row.object, row.record_id) for row in tx.execute(query)]


def _grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)
