"""The few statements that are spelled differently on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]
T = TypeVar("T")
_MOST = 500  # values in one IN (...)


def add(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; those that are there already are left as they are."""
    if rows:
        run(tx, _adding(tx.dialect.name, table), rows)


def run(tx: Connection, statement: Any, rows: Sequence[Row]) -> None:
    """Run a statement for each of some rows with the same columns; it is made once, and kept."""
    if tx.dialect.name != "sqlite":
        tx.execute(statement, list(rows))
        return
    finished = _finished(statement, tuple(rows[0]))
    tx.exec_driver_sql(finished.text, finished.values(rows))


class Finished:
    """A statement as SQLite's driver takes it; what rows have in common is found out once."""

    def __init__(self, statement: Any, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(), column_keys=names)
        self.text = str(compiled)
        self._binds = [(name, _binder(compiled.binds[name])) for name in compiled.positiontup]

    def values(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        """Return the values of each row as the driver takes them."""
        binds = self._binds  # a list makes a tuple faster than a generator does
        return [
            tuple([bind(row[name]) if bind else row[name] for name, bind in binds]) for row in rows
        ]


@cache
def _finished(statement: Any, names: Sequence[str]) -> Finished:
    return Finished(statement, names)


class Adding:
    """An insert of rows with the same columns, finished for SQLite's driver.

    Rows that are there already are left as they are.
    """

    def __init__(self, table: Table, names: Sequence[str], dialect: str) -> None:
        self.statement = _adding(dialect, table)
        compiled = self.statement.compile(dialect=sqlite.dialect(), column_keys=names)
        self._head, values, self._tail = str(compiled).partition(f"({', '.join('?' * len(names))})")
        self._values = values
        self._columns = [(name, _binder(table.c[name])) for name in compiled.positiontup]

    def text(self, count: int) -> str:
        """Return the statement for so many rows at once."""
        return f"{self._head}{', '.join([self._values] * count)}{self._tail}"

    def values(self, rows: Iterable[Row]) -> list[Any]:
        """Return the values of rows as the driver takes them, one after the other."""
        return [
            bind(row[name]) if bind else row[name] for row in rows for name, bind in self._columns
        ]


def _binder(typed: Any) -> Any:
    """Return what prepares values of a column or parameter for the driver, None if nothing."""
    dialect = sqlite.dialect()
    return typed.type.dialect_impl(dialect).bind_processor(dialect)


def add_one(tx: Connection, table: Table, row: Row) -> bool:
    """Insert a row; say whether it was new."""
    return tx.execute(_adding_one(tx.dialect.name, table), dict(row)).first() is not None


@cache
def _adding(dialect: str, table: Table) -> Any:
    """Make the statement once: building it costs as much as running it."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table).on_conflict_do_nothing()


@cache
def _adding_one(dialect: str, table: Table) -> Any:
    # Not rowcount: on PostgreSQL it is -1 after an insert.
    return _adding(dialect, table).returning(*table.primary_key)


def put(tx: Connection, table: Table, rows: Sequence[Row], keep: Iterable[str] = ()) -> None:
    """Insert rows, or bring those that are there up to date, except their columns in `keep`."""
    if not rows:
        return
    run(tx, _putting(tx.dialect.name, table, tuple(rows[0]), frozenset(keep)), rows)


@cache
def _putting(dialect: str, table: Table, names: Sequence[str], keep: frozenset[str]) -> Any:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in {*keys, *keep}}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def upsert(tx: Connection, table: Table) -> Any:
    """Begin an insert that may say what to do about rows that are there."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def within(table: Any, account_id: str) -> ColumnElement[bool]:
    """Say that rows are of an account, for a query that finds them by other columns.

    SQLite takes an account for ten rows: given the choice it walks through all that it has. What
    no index holds is no choice.
    """
    of_account: ColumnElement[bool] = table.c.account_id.concat("") == account_id
    return of_account


def slices(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists that fit one statement."""
    rest = list(values)
    for start in range(0, len(rest), _MOST):
        yield rest[start : start + _MOST]
