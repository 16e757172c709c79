"""Opens the database: SQLite behind a kernel lock around its writer, or PostgreSQL.

SQLite's own busy handler lets processes starve each other: one writer at a time, chosen by the
kernel, cuts the 99th percentile from a second to milliseconds (docs/adr/0003).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from connector.domain.errors import StoreBusy
from connector.store.appender import Appender
from connector.store.sql import Adding

PATIENCE = 2.0  # seconds; senders give up on us after five
# At most one thread a process asks for the gate this often; the others queue inside the process.
_POLL = 0.0001
_POSTGRES_WAIT = f"-c lock_timeout={int(PATIENCE * 1000)}"


class Gate:
    """Lets one writer in at a time, over threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._file: int | None = None
        self._pid = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the gate; raise StoreBusy when it does not open within PATIENCE."""
        end = time.monotonic() + PATIENCE
        if not self._thread.acquire(timeout=PATIENCE):
            raise StoreBusy("the database's writer is busy")
        try:
            self._lock(end)
            try:
                yield
            finally:
                fcntl.flock(self._handle(), fcntl.LOCK_UN)
        finally:
            self._thread.release()

    def _handle(self) -> int:
        # A forked child shares its parent's lock unless it opens the file itself.
        if self._file is None or self._pid != os.getpid():
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            self._pid = os.getpid()
        return self._file

    def _lock(self, end: float) -> None:
        while True:
            try:
                fcntl.flock(self._handle(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise StoreBusy("the database's writer is busy") from None
                time.sleep(_POLL)
            else:
                return


class Database:
    """One database; transactions are opened for reading or for writing."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._gate: Gate | None = None
        self._appender: Appender | None = None
        if self.is_sqlite:
            path = Path(parsed.database or "connector.db")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._gate = Gate(path.with_name(path.name + ".gate"))
            self.engine = _sqlite(url, "FULL")
            self._lazy = _sqlite(url, "NORMAL")
            log = path.with_name(path.name + "-wal")
            self._appender = Appender(lambda: _driver(path), log)
        else:
            self.engine = create_engine(
                url,
                hide_parameters=True,  # they are people's data, and errors are logged
                pool_pre_ping=True,
                pool_size=10,
                connect_args={"options": _POSTGRES_WAIT},
            )
            self._lazy = self.engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state and changes nothing."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Open a transaction that commits durably at its end, or not at all.

        One that is not `durable` survives the death of every process, but on SQLite's one machine
        a loss of power only after the next `flush` or durable commit: for what concerns nobody who
        could be left then. On PostgreSQL, whose clients are elsewhere, everything is durable.
        """
        engine = self.engine if durable else self._lazy
        with _translated():
            if self._gate is None:
                with engine.begin() as connection:
                    yield connection
                return
            with self._gate.held(), engine.connect() as connection:
                writer = connection.execution_options(bnb_writer=True)
                with writer.begin():
                    yield writer

    def append(self, adding: Adding, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows in a transaction of their own.

        On SQLite it is durable after the next `flush`, on PostgreSQL at once.
        """
        if self._gate is None or self._appender is None:
            with self.writing() as connection:
                connection.execute(adding.statement, rows)
            return
        text, values = adding.text(len(rows)), adding.values(rows)
        with _translated(), self._gate.held():
            self._appender.insert(text, values)

    def flush(self) -> None:
        """Wait until everything that was committed before is on the disk; raise StoreBusy."""
        if self._appender is None:
            return
        try:
            self._appender.flush()
        except OSError as error:
            raise StoreBusy("the disk does not take this now") from error

    def close(self) -> None:
        """Give every pooled connection back."""
        if self._appender is not None:
            self._appender.close()
        self.engine.dispose()
        self._lazy.dispose()


def _sqlite(url: str, synchronous: str) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, pool_size=20, connect_args={"timeout": PATIENCE}
    )
    event.listen(engine, "connect", lambda dbapi, _record: _prepare(dbapi, synchronous))
    event.listen(engine, "begin", _begin)
    return engine


def _driver(path: Path) -> sqlite3.Connection:
    driver = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
    _prepare(driver, "NORMAL")
    return driver


def _prepare(dbapi: Any, synchronous: str) -> None:
    """Set up a fresh SQLite connection; transactions are begun by us, not by the driver."""
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        f"busy_timeout={int(PATIENCE * 1000)}",
        "foreign_keys=ON",
        "cache_size=-65536",
        "journal_size_limit=67108864",
        "wal_autocheckpoint=8000",  # pages; at the default the same pages are copied too often
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("bnb_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors that pass with time into StoreBusy."""
    try:
        yield
    except OperationalError as error:
        raise StoreBusy("the database does not take this now") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreBusy("the database went away") from error
        raise
    except sqlite3.OperationalError as error:
        raise StoreBusy("the database does not take this now") from error
