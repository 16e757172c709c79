"""Queries on records that we have CRMs make: one for each profile and connection, ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, or_, select, update
from sqlalchemy import Connection as Tx

from connector.domain.creations import Made
from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.domain.slots import Slot
from connector.mapping.table import PEOPLE
from connector.store import tables as t
from connector.store.sql import add_one, slices
from connector.store.tables_creation import creation
from connector.store.tables_journeys import alias
from connector.stored import Connection, Purpose

WAITING, MADE, FOUND = "waiting", "made", "found"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that is to be made; `called_at` says that a call for it began before."""

    key: str
    profile_id: ProfileId
    called_at: datetime | None


class Creations:
    """Queries on one account's people who have no record at a connection."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def lacking(
        self, connection: Connection, slots: Collection[Slot], among: Collection[ProfileId]
    ) -> list[ProfileId]:
        """Return those who stand in these slots with a proven address, and are to get a record."""
        found: list[ProfileId] = []
        for some in slices(sorted(among)):
            query = _lacking(connection, slots).where(t.profile.c.id.in_(some))
            found += [ProfileId(one) for one in self.tx.execute(query).scalars()]
        return found

    def lacking_page(
        self, connection: Connection, slots: Collection[Slot], after: str, most: int
    ) -> list[tuple[ProfileId, Slot]]:
        """Return the next of all who are to get a record, by id."""
        query = _lacking(connection, slots).add_columns(t.profile.c.slot)
        query = query.where(t.profile.c.id > after).order_by(t.profile.c.id).limit(most)
        return [(ProfileId(row.id), Slot(row.slot)) for row in self.tx.execute(query)]

    def number_lacking(self, connection: Connection, slots: Collection[Slot]) -> int:
        """Count all who are to get a record."""
        query = select(func.count()).select_from(_lacking(connection, slots).subquery())
        return int(self.tx.execute(query).scalar_one())

    def enter(self, connection: Connection, key: str, profile_id: ProfileId, now: datetime) -> bool:
        """Enter that a record is to be made; say whether nobody had before."""
        row = {"key": key, "account_id": connection.account_id, "connection_id": connection.id}
        return add_one(self.tx, creation, row | {"profile_id": profile_id, "created_at": now})

    def wanted(self, key: str) -> Wanted | None:
        """Return what is to be made, None where it no longer is."""
        own = (creation.c.key == key, creation.c.state == WAITING)
        row = self.tx.execute(select(creation).where(*own)).first()
        return Wanted(row.key, ProfileId(row.profile_id), row.called_at) if row else None

    def addresses(self, account_id: AccountId, profile_id: ProfileId) -> list[str]:
        """Return a profile's proven addresses: those that it signed in by, then its records'."""
        own, held = alias.c, t.record.c
        signed = select(own.value).where(
            own.account_id == account_id,
            own.profile_id == profile_id,
            own.kind == "email",
            own.verified.is_(True),
        )
        known = select(held.email).where(
            held.account_id == account_id,
            held.profile_id == profile_id,
            held.email != "",
            held.alive.is_(True),
        )
        found = [
            *self.tx.execute(signed.order_by(own.since, own.value)).scalars(),
            *self.tx.execute(known.order_by(held.created_at, held.email)).scalars(),
        ]
        return list(dict.fromkeys(found))

    def has_record(self, connection_id: ConnectionId, profile_id: ProfileId) -> bool:
        """Say whether a profile has, or had, a record at a connection."""
        query = select(exists().where(*_held(connection_id, t.record.c.profile_id == profile_id)))
        return bool(self.tx.execute(query).scalar_one())

    def number_called(self, connection_id: ConnectionId, since: datetime) -> int:
        """Count the records for which a call began since then, whatever came of it."""
        own = (creation.c.connection_id == connection_id, creation.c.called_at >= since)
        return int(self.tx.execute(select(func.count()).where(*own)).scalar_one())

    def number_waiting(self, connection_id: ConnectionId) -> int:
        """Count the records that wait to be made."""
        own = (creation.c.connection_id == connection_id, creation.c.state == WAITING)
        return int(self.tx.execute(select(func.count()).where(*own)).scalar_one())

    def call(self, key: str, now: datetime) -> None:
        """Keep that a call which makes the record begins."""
        self.tx.execute(update(creation).where(creation.c.key == key).values(called_at=now))

    def conclude(self, key: str, state: str, record: RecordKey) -> bool:
        """Keep which record it is; False where the person was erased meanwhile."""
        values = {"state": state, "object": record.object, "record_id": record.record_id}
        own = update(creation).where(creation.c.key == key).values(**values)
        return bool(self.tx.execute(own).rowcount)

    def withdraw(self, key: str) -> None:
        """Want a record no longer, unless a call for it began; it may be wanted again."""
        own = (creation.c.key == key, creation.c.called_at.is_(None))
        self.tx.execute(delete(creation).where(*own))

    def of(self, profile_id: ProfileId) -> list[Row[Any]]:
        """Return the records that were made, found or are to be made for a profile."""
        own = creation.c.profile_id == profile_id
        return list(self.tx.execute(select(creation).where(own).order_by(creation.c.key)))


def _lacking(connection: Connection, slots: Collection[Slot]) -> Select[Any]:
    own, known = t.profile.c, t.record.c
    signed = exists().where(
        alias.c.account_id == connection.account_id,
        alias.c.profile_id == own.id,
        alias.c.kind == "email",
        alias.c.verified.is_(True),
    )
    elsewhere = exists().where(known.profile_id == own.id, known.email != "", known.alive.is_(True))
    entered = exists().where(
        creation.c.connection_id == connection.id, creation.c.profile_id == own.id
    )
    return select(own.id).where(
        own.account_id == connection.account_id,
        own.slot.in_([int(slot) for slot in slots]),
        own.merged_into.is_(None),
        or_(signed, elsewhere),
        ~exists().where(*_held(connection.id, known.profile_id == own.id)),
        ~entered,
    )


def _held(connection_id: ConnectionId, whose: ColumnElement[bool]) -> tuple[Any, ...]:
    own = t.record.c
    return (whose, own.connection_id == connection_id, own.object.in_(sorted(PEOPLE)))


# In the transaction of a unit of work


def made(rows: Iterable[Row[Any]]) -> dict[RecordKey, Made]:
    """Return whose the records are that nobody has read as theirs yet."""
    return {
        RecordKey(ConnectionId(row.connection_id), row.object, row.record_id): Made(
            ProfileId(row.profile_id), row.state == MADE
        )
        for row in rows
        if row.joined_at is None
    }


def join(tx: Tx, keys: Iterable[RecordKey], now: datetime) -> None:
    """Keep that records were read as their profiles'."""
    for key in keys:
        own = (creation.c[name] == value for name, value in key._asdict().items())
        tx.execute(update(creation).where(*own).values(joined_at=now))


def rehome(tx: Tx, loser: ProfileId, survivor: ProfileId) -> None:
    """Have a joined profile's records count for the one that survives: one a connection."""
    theirs = select(creation.c.connection_id).where(creation.c.profile_id == loser)
    begun = or_(creation.c.state != WAITING, creation.c.called_at.is_not(None))
    begun_already = select(creation.c.connection_id).where(creation.c.profile_id == loser, begun)
    # What was begun stands before what only waits; of two that were begun the survivor's is kept.
    tx.execute(
        delete(creation).where(
            creation.c.profile_id == survivor,
            ~begun,
            creation.c.connection_id.in_(begun_already),
        )
    )
    kept = select(creation.c.connection_id).where(
        creation.c.profile_id == survivor, creation.c.connection_id.in_(theirs)
    )
    own = creation.c.profile_id == loser
    tx.execute(delete(creation).where(own, creation.c.connection_id.in_(kept)))
    tx.execute(update(creation).where(own).values(profile_id=survivor))


def forget(tx: Tx, profiles: Collection[ProfileId]) -> None:
    """Make no record for erased people, and know of none that was."""
    tx.execute(delete(creation).where(creation.c.profile_id.in_(profiles)))
    wanted = (t.outbox.c.profile_id.in_(profiles), t.outbox.c.purpose == Purpose.CREATE)
    tx.execute(delete(t.outbox).where(*wanted))
