"""A picture is one state of the database, however much is written while it is taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector.runtime import backup
from connector.store import inbox
from connector.store import tables as t
from connector.store.engine import Database
from connector.store.migrate import upgrade
from connector.stored import Parcel

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    upgrade(database_url)
    with closing(Database(database_url)) as made:
        yield made


def keep(database: Database, number: int) -> None:
    """Commit a pair of rows, one in each of two tables."""
    with database.writing() as tx:
        row = inbox.delivery_row(Parcel("hubspot", None, f"{number}".encode(), NOW))
        tx.execute(t.delivery.insert().values(**row))
        tx.execute(t.tally.insert().values(name=f"{number}", labels="", value=number))


def test_a_backup_under_load_is_one_state_with_all_that_was_acknowledged(
    database: Database, tmp_path: Path
) -> None:
    done = threading.Event()
    kept = 0

    def write() -> None:
        nonlocal kept
        while not done.is_set():
            keep(database, kept)
            kept += 1

    for kept in range(700):
        keep(database, kept)
    kept += 1
    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = kept
        for name in ("a", "b", "c"):
            told = backup.save(database, ("k",), tmp_path / name, NOW, None, overwrite=False)
            assert told.rows["delivery"] == told.rows["tally"] >= before
            before = kept
    finally:
        done.set()
        writer.join()

    assert backup.look(tmp_path / "c", None).rows == told.rows


def test_what_is_restored_goes_on_being_numbered(database: Database, tmp_path: Path) -> None:
    for number in range(3):
        keep(database, number)
    backup.save(database, ("k",), tmp_path / "file", NOW, None, overwrite=False)

    told = backup.look(tmp_path / "file", None)
    backup.load(database, tmp_path / "file", told, None, paused=False)
    keep(database, 3)

    with database.reading() as tx:
        assert tx.execute(select(func.count(), func.max(t.delivery.c.id))).one() == (4, 4)
