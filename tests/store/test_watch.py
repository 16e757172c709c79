"""What watches over the house: nothing is lost in adding up, and the dead are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connector.store.engine import Database
from connector.store.migrate import upgrade
from connector.store.watch import Watch

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    upgrade(database_url)
    made = Database(database_url)
    yield made
    made.close()


def beat(database: Database, name: str, when: datetime = NOW, **counts: float) -> None:
    with database.writing() as tx:
        told = {(key, ""): value for key, value in counts.items()}
        Watch(tx).beat(name, "worker", told, when)


def test_what_processes_counted_is_added_up(database: Database) -> None:
    beat(database, "a", x=2, y=0.5)
    beat(database, "b", x=3)
    beat(database, "a")

    with database.reading() as tx:
        assert Watch(tx).tallies() == {("x", ""): 5.0, ("y", ""): 0.5}


def test_a_process_lives_until_it_leaves_or_falls_silent(database: Database) -> None:
    for name, when in (("a", NOW), ("b", NOW), ("c", NOW - timedelta(minutes=5))):
        beat(database, name, when)
    with database.writing() as tx:
        Watch(tx).leave("b")
        Watch(tx).forget_dead(NOW)

    with database.reading() as tx:
        assert [one.name for one in Watch(tx).living(NOW - timedelta(minutes=1))] == ["a"]
        assert len(Watch(tx).living()) == 2


def test_an_empty_house_waits_for_nothing(database: Database) -> None:
    with database.reading() as tx:
        assert Watch(tx).vitals() == (0, None, 0, None, 0, 0)
        assert Watch(tx).oldest_parked() == {}
