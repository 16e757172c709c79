from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.adapters.platform.outward import Outward
from connector.app import make_app
from connector.domain.facts import ConnectionId
from connector.stored import Connection
from tests.api.conftest import NOW, Door

if TYPE_CHECKING:
    from connector.pipeline.services import Services
    from connector.settings import Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ONE = "connections/con_platform/target"
URL = "https://hooks.example/in"


@pytest.fixture
def platform(services: Services, settings: Settings) -> Door:
    """Return a way in of an account that the platform is connected to."""
    courier = Outward(allow_loopback=False, resolve=lambda host, _port: [ADDRESSES[host]])
    own = replace(services, courier=courier)
    made = Door(own, make_app(own, settings))
    draft = Connection(
        *(ConnectionId("con_platform"), made.account_id, "platform", "ours", ""),
        *("", "v1", "active", "", 0),
    )
    with services.store.writing() as unit:
        unit.connect(draft, {}, None, NOW)
    return made


ADDRESSES = {"hooks.example": "93.184.216.34", "inside.example": "10.0.0.7"}


def test_a_target_is_set_shown_without_its_secret_and_ended(platform: Door) -> None:
    assert platform.get(ONE).status_code == 404

    made = platform.put(ONE, {"url": URL}).json
    again = platform.put(ONE, {"url": URL, "silent": True}).json

    assert made["secret"].startswith("whsec_")
    assert again == made | {"silent": True}
    shown = {"connection_id": "con_platform", "url": URL, "silent": True}
    assert platform.get(ONE).json == shown | {"pending": 0, "parked": 0}
    assert platform.ask("DELETE", ONE).status_code == 200
    assert platform.get(ONE).status_code == 404


def test_a_secret_of_the_admins_own_is_taken(platform: Door) -> None:
    assert platform.put(ONE, {"url": URL, "secret": SECRET}).json["secret"] == SECRET


def test_every_fault_of_a_target_is_named(platform: Door) -> None:
    wrong = {"url": "https://inside.example/", "secret": "whsec_short"}

    reply = platform.put(ONE, wrong)

    assert reply.status_code == 422
    assert [fault.split(":")[0] for fault in reply.json["faults"]] == ["url", "secret"]


def test_another_accounts_target_is_not_found(platform: Door, other: Door) -> None:
    platform.put(ONE, {"url": URL})

    assert other.get(ONE).status_code == 404
    assert other.put(ONE, {"url": URL}).status_code == 404


def test_a_crm_is_told_no_moves(platform: Door) -> None:
    crm = f"connections/{platform.connection_id}/target"

    assert platform.put(crm, {"url": URL}).status_code == 422
