"""SQLite's driver itself, held open for small inserts that senders wait for.

What is built up and torn down around a pooled connection's transaction costs several times what
is done in it, and each call into the driver lets another thread have Python's lock first: here an
insert is one call, and so is the wait for the disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Not on macOS, where the plain one does the same.
_sync = getattr(os, "fdatasync", os.fsync)


class Appender:
    """Inserts rows and waits for the disk; `connect` opens its connection when first needed.

    One thread at a time may insert, and it holds the gate.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], log: Path) -> None:
        self._connect = connect
        self._log = log
        self._driver: sqlite3.Connection | None = None
        self._file: int | None = None

    def insert(self, text: str, values: Sequence[Any]) -> None:
        """Run one statement, which is a transaction of its own; it is not durable yet."""
        if self._driver is None:
            self._driver = self._connect()
        self._driver.execute(text, values)

    def flush(self) -> None:
        """Wait until what was committed before, by whomever, is on the disk; raise OSError.

        SQLite's own wait at a commit is the same one, for the same file; here it needs no lock.
        The file stays the same as long as anybody has the database open, and we have.
        """
        if self._file is None:
            self._file = os.open(self._log, os.O_RDONLY)
        _sync(self._file)

    def close(self) -> None:
        """Give the connection and the file back."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        if self._file is not None:
            os.close(self._file)
            self._file = None
