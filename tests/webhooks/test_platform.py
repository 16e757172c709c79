"""The platform's way in: signed, or with a token; whatever comes is answered as it should be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from connector import logs
from connector.domain.facts import AccountId
from connector.intake import StoreIntake
from connector.pipeline.hooking import OVERLAP, Keys, hook, proofs
from connector.settings import Settings
from tests.webhooks.conftest import Sender

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

FIRST = Keys("whsec_" + base64.b64encode(b"one" * 8).decode(), "token-one-token-one")
SECOND = Keys("whsec_" + base64.b64encode(b"two" * 8).decode(), "token-two-token-two")
THIRD = Keys("whsec_" + base64.b64encode(b"six" * 8).decode(), "token-six-token-six")
EVENT = {"id": "evt_1", "type": "page_view", "visitor": {"device_id": "d1"}}


class Platform:
    """Posts events as the platform does."""

    def __init__(self, url: str, folder: Path) -> None:
        self.house = Sender(url, folder)
        self.services = self.house.services
        self.client = self.house.client
        self.name = self.hook(FIRST)
        self.path = f"/webhooks/platform/{self.name}"

    def hook(self, keys: Keys, *, rotate: bool = False) -> str:
        connection, _ = hook(self.services, AccountId("acc_1"), keys, rotate=rotate)
        return str(connection.id)

    def sign(self, body: bytes, keys: Keys = FIRST, age: float = 0.0) -> dict[str, str]:
        stamp = str(int(time.time() - age))
        key = base64.b64decode(keys.secret.removeprefix("whsec_"))
        told = hmac.new(key, f"m1.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(told).decode()
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        return dict(zip(names, ("m1", stamp, signature), strict=True))

    def post(self, body: bytes = b"", keys: Keys = FIRST, age: float = 0.0) -> TestResponse:
        body = body or json.dumps(EVENT).encode()
        return self.client.post(self.path, data=body, headers=self.sign(body, keys, age))

    def post_by_token(self, token: str) -> TestResponse:
        return self.client.post(f"{self.path}/{token}", data=json.dumps(EVENT))


@pytest.fixture
def platform(sqlite_url: str, tmp_path: Path) -> Iterator[Platform]:
    made = Platform(sqlite_url, tmp_path)
    yield made
    made.services.store.database.close()


@pytest.fixture
def logging_as_usual() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_signed_body_is_kept_as_it_came(platform: Platform) -> None:
    body = b'{"events": [  ]}'

    answer = platform.post(body)

    assert (answer.status_code, answer.data) == (202, b"")
    with platform.services.store.reading() as unit:
        (delivery,) = unit.waiting_deliveries(10)
    assert (delivery.body, delivery.system) == (body, "platform")
    assert (delivery.account_id, delivery.connection_id) == ("acc_1", platform.name)


def test_the_same_body_again_is_one_delivery(platform: Platform) -> None:
    assert [platform.post().status_code for _ in range(3)] == [202, 202, 202]
    assert platform.house.kept() == 1


def test_a_token_in_the_path_or_in_a_header_is_as_good(platform: Platform) -> None:
    header = {"X-BB-Token": FIRST.token}

    assert platform.post_by_token(FIRST.token).status_code == 202
    assert platform.client.post(platform.path, data=b"[1]", headers=header).status_code == 202
    assert platform.house.kept() == 2


@pytest.mark.parametrize(
    "token", ["", "x", "token-one-token-on", "é", "%00", FIRST.secret, "t" * 9999]
)
def test_a_wrong_token_is_a_401(platform: Platform, token: str) -> None:
    assert platform.post_by_token(token).status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_signature(platform: Platform) -> None:
    body = b"[]"

    answer = platform.client.post(f"{platform.path}/x", data=body, headers=platform.sign(body))

    assert answer.status_code == 401


def test_a_wrong_a_stale_and_a_missing_signature_are_401(platform: Platform) -> None:
    assert platform.post(keys=SECOND).status_code == 401
    assert platform.post(age=301).status_code == 401
    assert platform.client.post(platform.path, data=b"[]").status_code == 401
    assert platform.house.kept() == 0


@pytest.mark.parametrize(
    "path", ["", "/", "/con_unknown", "/con_1", "/a/b/c", "/%00", "/con_unknown/token"]
)
def test_an_unknown_connection_is_a_404(platform: Platform, path: str) -> None:
    assert platform.client.post(f"/webhooks/platform{path}", data=b"[]").status_code == 404


def test_the_platforms_connection_is_none_of_the_crms(platform: Platform) -> None:
    assert platform.house.post([], f"/webhooks/hubspot/{platform.name}").status_code == 404


def test_a_body_of_more_than_eight_megabytes_is_a_413(platform: Platform) -> None:
    assert platform.post(b"[" + b" " * (8 * 2**20 - 2) + b"]").status_code == 202
    assert platform.post(b"[" + b" " * (8 * 2**20 - 1) + b"]").status_code == 413


def test_old_keys_are_good_after_a_rotation(platform: Platform) -> None:
    assert platform.hook(SECOND, rotate=True) == platform.name

    assert [platform.post(keys=keys).status_code for keys in (FIRST, SECOND)] == [202, 202]
    assert platform.post_by_token(FIRST.token).status_code == 202


def test_of_three_keys_the_oldest_is_good_no_more(platform: Platform) -> None:
    platform.hook(SECOND, rotate=True)
    platform.hook(THIRD, rotate=True)

    answers = [platform.post(keys=keys).status_code for keys in (FIRST, SECOND, THIRD)]

    assert answers == [401, 202, 202]


def test_to_connect_again_changes_no_key(platform: Platform) -> None:
    assert platform.hook(SECOND) == platform.name
    assert platform.post(keys=FIRST).status_code == 202
    assert platform.post(keys=SECOND).status_code == 401


@pytest.mark.usefixtures("logging_as_usual")
def test_no_token_and_no_secret_reaches_a_log(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(data_dir=tmp_path))
    platform = Platform(sqlite_url, tmp_path)
    platform.post_by_token(FIRST.token)
    platform.post_by_token("almost" + FIRST.token)
    platform.client.post(platform.path, headers={"X-BB-Token": "header" + FIRST.token})
    logging.getLogger("granian.access").warning("POST %s/%s 202", platform.path, FIRST.token)
    platform.post(keys=SECOND)
    platform.services.store.database.close()

    told = "".join(capsys.readouterr())

    assert "delivery_kept" in told
    assert "the token is not this connection's" in told
    assert FIRST.token not in told
    assert FIRST.secret not in told


def test_new_keys_are_good_at_once(platform: Platform) -> None:
    platform.post()

    platform.hook(SECOND, rotate=True)

    assert platform.post(keys=SECOND).status_code == 202
    platform.hook(THIRD, rotate=True)
    assert platform.post_by_token(THIRD.token).status_code == 202


def test_what_a_sender_is_verified_by_is_never_shown(platform: Platform) -> None:
    platform.hook(SECOND, rotate=True)

    sender = StoreIntake(platform.services, platform.house.settings).sender(
        "platform", platform.name
    )

    assert sender
    assert sender.secrets == (SECOND.secret, FIRST.secret)
    assert not any(word in repr(sender) for word in (*FIRST, *SECOND))


def test_keys_that_were_replaced_end_by_the_clock(platform: Platform) -> None:
    platform.hook(SECOND, rotate=True)
    with platform.services.store.reading() as unit:
        kept = unit.secrets(unit.connection(platform.name).id)
    now = platform.services.now()

    assert proofs(kept, now + OVERLAP - timedelta(minutes=1))[1] == (SECOND.token, FIRST.token)
    assert proofs(kept, now + OVERLAP) == ((SECOND.secret,), (SECOND.token,))
