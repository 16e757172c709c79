from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector.domain.errors import LeaseLost
from connector.store import leases
from connector.store.engine import Database
from connector.store.migrate import upgrade
from connector.store.secrets import SecretBox
from connector.store.store import Store
from connector.stored import Parcel

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIFE = timedelta(seconds=30)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(Database(database_url), SecretBox([Fernet.generate_key().decode()]), "me")
    yield made
    made.database.close()


def take(store: Store, now: datetime, dead: str = "") -> leases.Fence | None:
    with store.database.writing() as tx:
        return leases.take(tx, "account:1", "me", now, LIFE, lambda holder: holder == dead)


def test_the_first_one_to_ask_gets_a_lease_that_never_was(store: Store) -> None:
    fence = take(store, NOW)

    assert fence is not None
    assert fence.token == 1


def test_a_lease_that_is_held_is_not_given_twice(store: Store) -> None:
    take(store, NOW)

    assert take(store, NOW + timedelta(seconds=29)) is None


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_token(store: Store) -> None:
    take(store, NOW)

    after = take(store, NOW + timedelta(seconds=31))

    assert after is not None
    assert after.token == 2


def test_a_lease_of_a_dead_holder_is_taken_before_it_runs_out(store: Store) -> None:
    take(store, NOW)

    after = take(store, NOW + timedelta(seconds=1), dead="me")

    assert after is not None
    assert after.token == 2


def test_a_lease_given_back_is_free_at_once_and_passes_its_note_on(store: Store) -> None:
    first = store.take("connection:1")
    assert first is not None
    store.drop(first, {"calls": 7})

    second = store.take("connection:1")

    assert second is not None
    assert second.note == {"calls": 7}


def test_nothing_is_committed_under_a_lease_that_another_took(store: Store) -> None:
    lost = take(store, NOW)
    assert lost is not None
    take(store, NOW + timedelta(seconds=31))

    with pytest.raises(LeaseLost), store.writing(lost) as unit:
        unit.add_account("ghost", ("acc", "hash", "seal"), NOW)

    with store.reading() as unit:
        assert unit.accounts() == []


def test_giving_back_a_lost_lease_does_not_free_the_new_holders(store: Store) -> None:
    lost = take(store, NOW)
    assert lost is not None
    mine = take(store, NOW + timedelta(seconds=31))
    store.drop(lost)

    assert mine is not None
    assert take(store, NOW + timedelta(seconds=40)) is None


def test_the_same_bytes_are_one_delivery(store: Store) -> None:
    for _ in range(2):
        store.keep(Parcel("hubspot", None, b"[]", NOW))

    with store.reading() as unit:
        assert len(unit.waiting_deliveries(10)) == 1
