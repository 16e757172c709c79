"""How the platform's bodies are read, as it is kept: on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector.domain.facts import AccountId, ConnectionId
from connector.domain.journeys import JourneyEvent
from connector.mapping.journey_words import Words
from connector.store.engine import Database
from connector.store.journeys import event_row
from connector.store.migrate import upgrade
from connector.store.secrets import SecretBox
from connector.store.store import Store
from connector.store.tables_journeys import journey
from connector.store.wordings import CAPTURED, TypeSeen
from connector.stored import Connection

NOW = datetime(2026, 5, 4, tzinfo=UTC)
WORDS = Words({"email": ("user", "mail")}, {"x": "page_view"})


class House:
    """A store with two connections to the platform."""

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.store = Store(Database(url), SecretBox([Fernet.generate_key().decode()]), "test")
        self.one, self.two = self.connect("one"), self.connect("two")

    def connect(self, name: str) -> Connection:
        account_id, made = AccountId(f"acc_{name}"), ConnectionId(f"con_{name}")
        draft = Connection(made, account_id, "platform", name, "", "", "", "active", "", 0)
        with self.store.writing() as unit:
            unit.add_account(name, (account_id, name, "seal"), NOW)
            return unit.connect(draft, {"secret": "s", "token": "t"}, None, NOW)

    def put(self, words: Words, *, capture: bool) -> int:
        with self.store.writing() as unit:
            return unit.wordings.put(self.one, words, capture=capture, now=NOW)


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    made = House(database_url)
    yield made
    made.store.database.close()


def test_words_are_kept_by_connection_and_every_change_counts(house: House) -> None:
    assert [house.put(WORDS, capture=True), house.put(Words(), capture=False)] == [1, 2]
    assert house.put(WORDS, capture=True) == 3

    with house.store.reading() as unit:
        one, two = unit.wordings.of("con_one"), unit.wordings.of("con_two")
    assert (one.words, one.capture, one.version) == (WORDS, True, 3)
    assert (two.words, two.capture, two.version) == (Words(), False, 0)


def test_of_captured_bodies_the_newest_stay(house: House) -> None:
    for number in range(CAPTURED + 5):
        with house.store.writing() as unit:
            unit.wordings.capture(house.two, "other", NOW)
            unit.wordings.capture(house.one, {"n": number}, NOW + timedelta(seconds=number))

    with house.store.reading() as unit:
        found = unit.wordings.captured("con_one")
        others = unit.wordings.captured("con_two")
    assert [one.shape["n"] for one in found] == [*reversed(range(5, CAPTURED + 5))]
    assert len(others) == CAPTURED


def test_types_are_counted_by_code_the_most_frequent_first(house: House) -> None:
    kinds = [("page_view", ""), ("custom", "a"), ("page_view", ""), ("custom", "b")]
    with house.store.writing() as unit:
        for number, (kind, code) in enumerate(kinds):
            row = event_row(JourneyEvent(str(number), kind, NOW, code=code))
            owner = {"account_id": house.one.account_id, "connection_id": house.one.id}
            unit.tx.execute(journey.insert().values(**row, **owner, received_at=NOW))

    with house.store.reading() as unit:
        assert unit.wordings.types_seen("con_one") == [
            TypeSeen("page_view", "", 2),
            TypeSeen("custom", "a", 1),
            TypeSeen("custom", "b", 1),
        ]
        assert unit.wordings.types_seen("con_two") == []
