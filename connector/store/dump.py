"""A whole database as rows, out of one state and into an empty one; no file is known here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    column,
    func,
    inspect,
    select,
    table,
    text,
    update,
)

from connector.store import migrate
from connector.store import tables as t
from connector.store.engine import Database
from connector.store.types import EPOCH
from connector.store.watch import Watch
from connector.stored import UNKNOWN

AT_ONCE = 500  # rows
_VERSION = "alembic_version"
# What processes say of themselves is not true of another place and time.
_FLEETING = frozenset({_VERSION, "pulse"})


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One state of a database: its revision, and its rows as they are read."""

    revision: str
    blocks: Iterator[Block]


@contextmanager
def picture(database: Database) -> Iterator[Picture]:
    """Open one state of a database, however much is written meanwhile."""
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reading() as plain:
        tx = plain.execution_options(**options, stream_results=True)
        yield Picture(migrate.revision_of(tx), _blocks(tx))


def living(database: Database, since: datetime) -> list[str]:
    """Return the processes that have shown themselves in a database since then."""
    with database.reading() as tx:
        return [one.name for one in Watch(tx).living(since)] if "pulse" in _names(tx) else []


def connections(database: Database) -> list[str]:
    """Return the id of every connection."""
    with database.reading() as tx:
        return list(tx.execute(select(t.connection.c.id).order_by(t.connection.c.id)).scalars())


def is_empty(database: Database) -> bool:
    """Say whether nobody has stored anything yet."""
    with database.reading() as tx:
        names = _names(tx)
        return "account" not in names or tx.execute(select(t.account.c.id).limit(1)).first() is None


def fill(database: Database, revision: str, blocks: Iterable[Block], *, paused: bool) -> None:
    """Replace whatever a database holds, all or nothing, and bring it to the newest schema."""
    with database.writing() as tx:
        _drop_all(tx)
        migrate.bring(tx, revision)
        flags = {name: _flags(tx, name) for name in _names(tx)}
        for block in blocks:
            _insert(tx, block, flags[block.table])
        _count_on(tx)
        migrate.bring(tx)
        _begin_anew(tx)
        if paused:
            still = {"state": "paused", "reason": "restored from a backup"}
            tx.execute(update(t.connection).values(**still))


def _begin_anew(tx: Connection) -> None:
    """Take from the dead what they held, and trust nothing that was true of the CRMs then.

    Tokens rise, so that whoever still works with the old ones is fenced off, and writes that were
    under way are taken back; what our own fields hold in the CRMs is not known any more.
    """
    free = {"until": EPOCH, "holder": "", "token": t.lease.c.token + 1, "note": None}
    tx.execute(update(t.lease).values(**free))
    tx.execute(update(t.record).where(t.record.c.pushed != {}).values(pushed={UNKNOWN: UNKNOWN}))
    tx.execute(update(t.connection).values(rest_until=None, failures=0))


def _names(tx: Connection) -> list[str]:
    """Return every table, also those of newer code; whoever is pointed at comes first."""
    known = [one.name for one in t.metadata.sorted_tables]
    found = set(inspect(tx).get_table_names())
    return [name for name in known if name in found] + sorted(found - set(known))


def _blocks(tx: Connection) -> Iterator[Block]:
    for name in _names(tx):
        if name in _FLEETING:
            continue
        columns = tuple(one["name"] for one in inspect(tx).get_columns(name))
        query: Select[Any] = select(*table(name, *(column(one) for one in columns)).c)
        rows = iter(tx.execute(query))
        yield Block(name, columns, [])
        while some := [list(row) for row in islice(rows, AT_ONCE)]:
            yield Block(name, columns, some)


def _insert(tx: Connection, block: Block, flags: Collection[str]) -> None:
    if not block.rows:
        return
    target = table(block.table, *(column(one) for one in block.columns))
    # One database keeps truth as a number, the other does not take a number for it.
    rows: list[Mapping[str, Any]] = [
        {
            name: bool(value) if name in flags and value is not None else value
            for name, value in zip(block.columns, row, strict=True)
        }
        for row in block.rows
    ]
    tx.execute(target.insert(), rows)


def _flags(tx: Connection, name: str) -> frozenset[str]:
    columns = inspect(tx).get_columns(name)
    return frozenset(one["name"] for one in columns if isinstance(one["type"], Boolean))


def _drop_all(tx: Connection) -> None:
    found = MetaData()
    found.reflect(tx)
    found.drop_all(tx)


def _count_on(tx: Connection) -> None:
    """Have PostgreSQL number new rows behind the ones that were brought; SQLite does by itself."""
    if tx.dialect.name == "sqlite":
        return
    for own in t.metadata.sorted_tables:
        if own.autoincrement_column is not None and inspect(tx).has_table(own.name):
            _set_number(tx, own, own.autoincrement_column)


def _set_number(tx: Connection, own: Table, key: Column[int]) -> None:
    names = {"name": own.name, "key": key.name}
    sequence = tx.execute(text("SELECT pg_get_serial_sequence(:name, :key)"), names).scalar()
    newest = tx.execute(select(func.max(key))).scalar()
    if sequence and newest:
        again = {"sequence": sequence, "newest": newest}
        tx.execute(text("SELECT setval(:sequence, :newest)"), again)
