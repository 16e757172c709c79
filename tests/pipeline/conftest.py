from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.store.migrate import upgrade
from tests.pipeline.house import House, fresh_sqlite

Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Build houses on SQLite, with settings of their own."""
    built: list[House] = []

    def make(**more: Any) -> House:
        built.append(House(fresh_sqlite(tmp_path), **more))
        return built[-1]

    yield make
    for one in built:
        one.close()


@pytest.fixture
def house(build: Build) -> House:
    return build()


@pytest.fixture
def either(database_url: str) -> Iterator[House]:
    """Build a house on SQLite, and once more on PostgreSQL."""
    upgrade(database_url)
    made = House(database_url)
    yield made
    made.close()
