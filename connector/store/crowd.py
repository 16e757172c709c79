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
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.table import PEOPLE, Disposition
from connector.store import creations
from connector.store import tables as t
from connector.store.answers import as_answer
from connector.store.entries import as_entry
from connector.store.ledgers import entry
from connector.store.sql import slices
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

_WAITING = (State.PENDING, State.PARKED, State.HELD)
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
        records |= self._by(t.record.c.email, [email for email in emails if email])
        records |= self._became(records)
        owners = {r.profile_id for r in records.values() if r.profile_id} | set(profiles)
        names = self._names([email for email in emails if email])
        owners |= {name.profile_id for name in names.values()}
        made = creations.made(self._at(creation, (key for key in asked if key.object in PEOPLE)))
        owners |= {one.profile_id for one in made.values()}
        records |= self._by(t.record.c.profile_id, owners)
        owners |= {r.profile_id for r in records.values() if r.profile_id}
        links = self._links({key for key in records if key.object in PEOPLE} | set(follow))
        around = set(records) | {end for link in links for end in (link.start, link.goal)}
        records |= self.records(around - set(records))
        return Crowd(
            records=records,
            facts=self._facts(around),
            links=links,
            profiles=self._profiles(owners),
            steps=self._steps(owners),
            moves=self._moves(owners),
            pending=self._pending(records),
            writings=self._writings(records, since),
            answers=self.answers({key for key in records if key.object in PEOPLE}),
            names=names,
            entries=self._entries(owners),
            made=made,
        )

    def _names(self, emails: Collection[str]) -> dict[str, Name]:
        """Return whose the addresses of visitors are."""
        own = t.journey_alias.c
        found: dict[str, Name] = {}
        for some in slices(emails):
            query = select(t.journey_alias).where(
                own.account_id == self.account_id, own.kind == "email", own.value.in_(some)
            )
            found |= {r.value: Name(r.profile_id, r.verified) for r in self.tx.execute(query)}
        return found

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

    def _by(self, column: ColumnElement[Any], values: Collection[Any]) -> dict[RecordKey, Record]:
        found: dict[RecordKey, Record] = {}
        for some in slices(values):
            query = select(t.record).where(
                t.record.c.account_id == self.account_id, column.in_(some)
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
            yield from self.tx.execute(
                select(table).where(
                    table.c.account_id == self.account_id, table.c.profile_id.in_(some), *more
                )
            )

    def _profiles(self, ids: Collection[ProfileId]) -> dict[ProfileId, Profile]:
        found: dict[ProfileId, Profile] = {}
        for some in slices(ids):
            query = select(t.profile).where(
                t.profile.c.account_id == self.account_id, t.profile.c.id.in_(some)
            )
            found |= {row.id: as_profile(row) for row in self.tx.execute(query)}
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

    def _pending(self, keys: Iterable[RecordKey]) -> dict[tuple[RecordKey, Purpose], Pending]:
        waiting = [as_pending(row) for row in self._at(t.outbox, keys) if row.state in _WAITING]
        return {(one.record, one.purpose): one for one in waiting}

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


def _key(row: Row[Any]) -> RecordKey:
    return RecordKey(ConnectionId(row.connection_id), row.object, row.record_id)


def as_slot(number: int | None) -> Slot | None:
    """Return a stored slot."""
    return None if number is None else Slot(number)


def as_record(row: Row[Any]) -> Record:
    """Return a record's row as a value."""
    return Record(
        _key(row),
        row.profile_id,
        row.email,
        row.lifecycle,
        row.lead_status,
        row.owner,
        row.alive,
        row.merged_into,
        row.pushed,
        row.ask_at,
        row.ask_lane,
        row.asked,
        row.read_at,
        row.created_at,
        as_slot(row.claim),
        row.ask_trace,
    )


def as_fact(row: Row[Any]) -> Fact:
    """Return a fact's row as a value."""
    return Fact(
        _key(row),
        row.field,
        row.value,
        row.happened_at,
        row.event_id,
        row.version,
        row.ours,
        row.silent,
    )


def as_link(row: Row[Any]) -> Link:
    """Return a link's row as a value."""
    connection_id = ConnectionId(row.connection_id)
    return Link(
        RecordKey(connection_id, row.from_object, row.from_id),
        RecordKey(connection_id, row.to_object, row.to_id),
        row.present,
        row.happened_at,
        row.event_id,
        row.silent,
    )


def as_profile(row: Row[Any]) -> Profile:
    """Return a profile's row as a value."""
    return Profile(
        row.id,
        as_slot(row.slot),
        row.slot_since,
        Disposition(row.disposition) if row.disposition else None,
        row.success_at,
        row.merged_into,
        row.created_at,
    )


def as_step(row: Row[Any]) -> OwnStep:
    """Return a step's row as a value."""
    return OwnStep(
        row.id,
        row.profile_id,
        Kind(row.kind),
        Actor(row.actor),
        row.happened_at,
        row.recorded_at,
        tuple(Slot(number) for number in row.funnel),
        as_slot(row.slot),
        as_slot(row.start),
        row.reason,
        row.cause,
        row.batch_id,
        row.silent,
        row.unmuting,
    )


def as_move(row: Row[Any]) -> LedgerMove:
    """Return a move's row as a value."""
    return LedgerMove(
        row.id,
        row.profile_id,
        row.position,
        as_slot(row.start),
        Slot(row.goal),
        Actor(row.actor),
        row.reason,
        row.batch_id,
        row.step_key,
        row.occurred_at,
        row.recorded_at,
    )


def as_pending(row: Row[Any]) -> Pending:
    """Return an outbox row as a value."""
    return Pending(
        row.id,
        _key(row),
        Purpose(row.purpose),
        row.fields,
        row.seen,
        row.profile_id,
        as_slot(row.slot),
        row.cause,
        row.lane,
        State(row.state),
        row.reason,
        row.attempts,
        row.hold_id,
        row.due_at,
        row.created_at,
        row.trace,
        row.wanted_at,
    )


def as_writing(row: Row[Any]) -> Writing:
    """Return a row of the write ledger as a value."""
    return Writing(
        row.id,
        _key(row),
        row.field,
        row.value,
        row.seen,
        row.seen_at,
        row.intent_at,
        row.written_at,
        row.cause,
        row.restored,
    )
