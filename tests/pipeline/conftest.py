from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from connector.store.migrate import upgrade
from tests.pipeline.house import House, quick_house

Build = Callable[..., House]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build houses on SQLite, with settings of their own."""
    with ExitStack() as rooms:
        yield lambda **more: rooms.enter_context(quick_house(**more))


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
