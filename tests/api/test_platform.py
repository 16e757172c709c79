"""A connection to the platform over the API: its mapping, and what its bodies look like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connector.domain.errors import Unreadable
from connector.domain.journeys import JourneyEvent
from connector.pipeline import wording
from connector.pipeline.hooking import Keys, hook
from connector.stored import Delivery

if TYPE_CHECKING:
    from tests.api.conftest import Door

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WORDS = {"system": "platform", "fields": {"email": "user.mail"}, "types": {"x": "page_view"}}
BODY = json.dumps({"type": "x", "user": {"mail": "Ada@example.com"}}).encode()


@pytest.fixture
def platform(door: Door) -> str:
    """Return the account's connection to the platform."""
    connection, _ = hook(door.services, door.account_id, Keys("whsec_eA==", "t"), rotate=False)
    return str(connection.id)


def deliver(door: Door, name: str, body: bytes = BODY) -> list[Any]:
    """Read a delivery of the platform, as a split does."""
    delivery: Any = Delivery(1, door.account_id, name, "platform", body, NOW)  # type: ignore[arg-type]
    return wording.read(door.services, delivery)


def test_a_mapping_that_nobody_has_saved_is_the_usual(door: Door, platform: str) -> None:
    answer = door.get(f"connections/{platform}/mapping")

    assert answer.json == {"system": "platform", "fields": {}, "types": {}, "capture": False}


def test_a_saved_mapping_says_how_bodies_are_read(door: Door, platform: str) -> None:
    saved = door.put(f"connections/{platform}/mapping", WORDS)

    assert saved.json == {"version": 1, "would_move": 0, "items": [], "batch_id": None}
    assert door.get(f"connections/{platform}/mapping").json == {**WORDS, "capture": False}
    (event,) = deliver(door, platform)
    assert isinstance(event, JourneyEvent)
    assert (event.type, event.code, event.email) == ("page_view", "x", "ada@example.com")


def test_every_fault_of_a_mapping_is_named(door: Door, platform: str) -> None:
    wrong = {"system": "hubspot", "fields": {"e_mail": "x"}, "types": {"x": "?"}}

    answer = door.put(f"connections/{platform}/mapping", wrong)

    assert answer.status_code == 422
    assert len(answer.json["faults"]) == 3


def test_a_mapping_can_be_checked_only(door: Door, platform: str) -> None:
    body = {"mapping": WORDS, "dry_run": True}

    assert door.put(f"connections/{platform}/mapping", body).json["version"] == 0
    assert door.get(f"connections/{platform}/mapping").json["types"] == {}


def test_the_last_twenty_bodies_are_captured_where_it_is_switched_on(
    door: Door, platform: str
) -> None:
    who = {"name": "Ada", "visitor": {"device_id": "d1"}}
    deliver(door, platform, json.dumps({"type": "early", **who}).encode())
    door.put(f"connections/{platform}/mapping", {"capture": True})
    for number in range(22):
        deliver(door, platform, json.dumps({"type": f"t{number}", **who}).encode())

    found = door.get(f"connections/{platform}/captured?limit=200").json["items"]

    assert len(found) == 20
    hidden = {"name": "<text, 3 characters>", "visitor": {"device_id": "<text, 2 characters>"}}
    assert found[0]["body"] == {"events": 1, "first": [{"type": "t21", **hidden}]}


def test_a_body_that_does_not_fit_the_mapping_is_captured_too(door: Door, platform: str) -> None:
    door.put(f"connections/{platform}/mapping", {"capture": True})

    with pytest.raises(Unreadable):
        deliver(door, platform)

    (found,) = door.get(f"connections/{platform}/captured").json["items"]
    assert found["body"]["first"] == [{"type": "x", "user": {"mail": "<e-mail, 15 characters>"}}]


def test_a_crms_connection_has_captured_nothing(door: Door) -> None:
    assert door.get(f"connections/{door.connection_id}/captured").json["items"] == []


@pytest.mark.parametrize("list_", ["unmapped", "wins"])
def test_what_only_a_crm_has_is_refused(door: Door, platform: str, list_: str) -> None:
    answer = door.get(f"connections/{platform}/{list_}")

    assert answer.status_code == 409
    assert "not to a CRM" in answer.json["detail"]


def test_a_pipeline_is_saved_beside_the_platform(door: Door, platform: str) -> None:
    assert platform
    assert door.put("pipeline", {"labels": {"7": "In Demo"}}).status_code == 200


def test_another_accounts_bodies_are_not_shown(other: Door, platform: str) -> None:
    assert other.get(f"connections/{platform}/captured").status_code == 404
