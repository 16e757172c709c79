"""The twin of the platform against the front door, over HTTP: what it tells is read as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from connector.adapters.platform import read
from connector.app import make_app
from connector.domain.facts import AccountId
from connector.domain.journeys import JourneyEvent
from connector.mapping.journey_words import Words
from connector.pipeline.hooking import Keys, hook
from simulators.platform.sender import Sender as Twin
from simulators.platform.visitors import Json, journeys
from tests.webhooks.conftest import Sender

KEYS = Keys("whsec_c2VjcmV0IG9mIHRoZSB0d2lu", "token-of-the-twin")


class House:
    """An installation that listens on loopback."""

    def __init__(self, url: str, folder: Path) -> None:
        self.house = Sender(url, folder)
        services = self.house.services
        connection, _ = hook(services, AccountId("acc_1"), KEYS, rotate=False)
        app = make_app(services, self.house.settings)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/platform/{connection.id}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self) -> dict[str, JourneyEvent]:
        """Return what was told, by its key."""
        with self.house.services.store.reading() as unit:
            deliveries = unit.waiting_deliveries(10_000)
        parts = [part for one in deliveries for part in read(one.body, one.received_at, Words())]
        assert all(isinstance(part, JourneyEvent) for part in parts)
        return {part.key: part for part in parts if isinstance(part, JourneyEvent)}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.house.services.store.database.close()


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    made = House(sqlite_url, tmp_path)
    yield made
    made.close()


def agree(event: JourneyEvent, told: Json) -> bool:
    """Say whether an event is what the twin told."""
    who, page = told["visitor"], told.get("page", {})
    return (
        (event.type, event.code) == (told["type"], told.get("code", ""))
        and event.occurred_at == datetime.fromisoformat(told["occurred_at"])
        and (event.device_id, event.email) == (who["device_id"], who.get("email", "").lower())
        and (event.known, event.lead_stage) == (who["state"], who["lead_stage"])
        and event.url == page.get("url", "")
        and event.origin == told["origin"]
        and len(event.engagement) == len(told.get("engagement", {}))
        and not event.more
    )


@pytest.mark.parametrize("shape", ["array", "events", "ndjson"])
def test_every_event_is_kept_once_however_it_comes(house: House, shape: str) -> None:
    told = journeys(5, 40, datetime.now(UTC) - timedelta(days=40))
    twin = Twin(house.url, [KEYS.secret], shape=shape)

    twin.send(told, doubled=0.2, shuffled=3)
    twin.close()

    events = house.events()
    assert twin.refused == []
    assert set(events) == {one["id"] for one in told}
    assert all(agree(events[one["id"]], one) for one in told)


def test_a_twin_that_can_not_sign_sends_by_token(house: House) -> None:
    told = journeys(5, 3, datetime.now(UTC) - timedelta(days=40))
    twin = Twin(house.url, token=KEYS.token, shape="object")

    twin.send(told)
    twin.close()

    assert set(house.events()) == {one["id"] for one in told}


def test_a_twin_with_another_secret_is_told_off(house: House) -> None:
    twin = Twin(house.url, ["whsec_b3RoZXI="])

    assert twin.deliver(b"[]") == 401
    twin.close()
    assert house.house.kept() == 0
