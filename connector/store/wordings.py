"""How the bodies of connections to the platform are read, and what they look like."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, ForeignKey, Index, Table, Text, delete, func, select
from sqlalchemy import Connection as Tx

from connector.mapping.journey_words import Words, dump, parse
from connector.store.columns import flag, metadata, of_account, of_connection, whole
from connector.store.sql import upsert
from connector.store.tables_journeys import journey
from connector.store.types import Document, Instant, RowId
from connector.stored import Connection

wording = Table(
    "wording",
    metadata,
    Column("connection_id", Text, ForeignKey("connection.id"), primary_key=True),
    of_account(),
    whole("version", 1),
    Column("document", Document, nullable=False),
    flag("capture"),
    Column("updated_at", Instant, nullable=False),
)

# The last bodies, without what is private in them.
captured = Table(
    "captured",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("shape", Document, nullable=False),
    Column("received_at", Instant, nullable=False),
    Index("ix_captured_connection", "connection_id", "id"),
)

# Bodies kept of a connection that captures.
CAPTURED = 20
_TYPES = 200


class Wording(NamedTuple):
    """How a connection's bodies are read; `version` 0 where nobody has said so yet."""

    words: Words
    capture: bool
    version: int


class Captured(NamedTuple):
    """A body without what is private in it."""

    id: int
    shape: Any
    received_at: datetime


class TypeSeen(NamedTuple):
    """How often a type and code of events came."""

    type: str
    code: str
    events: int


class Wordings:
    """Queries on connections to the platform."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def of(self, connection_id: str) -> Wording:
        """Return how a connection's bodies are read; the usual way where nothing is kept."""
        query = select(wording).where(wording.c.connection_id == connection_id)
        row = self.tx.execute(query).first()
        if row is None:
            return Wording(Words(), capture=False, version=0)
        words, capture = parse(row.document)
        return Wording(words, capture, row.version)

    def put(self, connection: Connection, words: Words, *, capture: bool, now: datetime) -> int:
        """Keep how a connection's bodies are read; return the version."""
        row = {
            "connection_id": connection.id,
            "account_id": connection.account_id,
            "document": dump(words, capture=capture),
            "capture": capture,
            "updated_at": now,
        }
        insert = upsert(self.tx, wording)
        fresh = {name: insert.excluded[name] for name in ("document", "capture", "updated_at")}
        again = {**fresh, "version": wording.c.version + 1}
        keys = ["connection_id"]
        self.tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=again), row)
        return self.of(connection.id).version

    def captures(self, connection_id: str) -> bool:
        """Say whether a connection captures bodies."""
        query = select(wording.c.capture).where(wording.c.connection_id == connection_id)
        return bool(self.tx.execute(query).scalar())

    def capture(self, connection: Connection, shape: object, received_at: datetime) -> None:
        """Keep what a body looks like, and forget the oldest beyond CAPTURED."""
        owner = {"account_id": connection.account_id, "connection_id": connection.id}
        self.tx.execute(captured.insert().values(**owner, shape=shape, received_at=received_at))
        own = captured.c.connection_id == connection.id
        newest = select(captured.c.id).where(own).order_by(captured.c.id.desc())
        last = self.tx.execute(newest.offset(CAPTURED).limit(1)).scalar()
        if last is not None:
            self.tx.execute(delete(captured).where(own, captured.c.id <= last))

    def captured(self, connection_id: str) -> list[Captured]:
        """Return the bodies that were captured, the newest first."""
        query = select(captured).where(captured.c.connection_id == connection_id)
        rows = self.tx.execute(query.order_by(captured.c.id.desc()))
        return [Captured(row.id, row.shape, row.received_at) for row in rows]

    def types_seen(self, connection_id: str) -> list[TypeSeen]:
        """Return which types and codes of events came how often, the most frequent first."""
        own, number = journey.c, func.count().label("number")
        query = select(own.type, own.code, number).where(own.connection_id == connection_id)
        grouped = query.group_by(own.type, own.code).order_by(number.desc(), own.type, own.code)
        return [TypeSeen(*row) for row in self.tx.execute(grouped.limit(_TYPES))]
