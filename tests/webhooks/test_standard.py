"""The signatures of Standard Webhooks, held against the specification's own example."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import DeliveryRefused
from webhooks.standard import verify

# github.com/standard-webhooks: the example that its libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
STAMP = 1614265330
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(STAMP),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
THEN = datetime.fromtimestamp(STAMP, UTC)
OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes......").decode()


def signed(secret: str, body: bytes, stamp: int = STAMP, name: str = "msg_1") -> dict[str, str]:
    """Sign as the specification says, step by step."""
    key = base64.b64decode(secret.split("_", 1)[1])
    text = name.encode() + b"." + str(stamp).encode() + b"." + body
    told = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{told}",
    }


def refusal(
    headers: dict[str, str],
    *,
    secrets: tuple[str, ...] = (SECRET,),
    body: bytes = BODY,
    now: datetime = THEN,
) -> str:
    with pytest.raises(DeliveryRefused) as refused:
        verify(secrets, body, headers, now)
    assert refused.value.status == 401
    return str(refused.value)


def test_the_example_of_the_specification_is_verified() -> None:
    verify([SECRET], BODY, HEADERS, THEN)


def test_the_prefix_of_a_secret_may_be_left_out() -> None:
    verify([SECRET.removeprefix("whsec_")], BODY, HEADERS, THEN)


@given(body=st.binary(max_size=300), key=st.binary(min_size=1, max_size=64))
def test_whatever_was_signed_is_verified_and_nothing_else(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = signed(secret, body)

    verify([secret], body, headers, THEN)
    assert "does not match" in refusal(headers, secrets=(secret,), body=body + b" ")
    assert "does not match" in refusal({**headers, "webhook-id": "msg_2"}, secrets=(secret,))


def test_any_active_secret_fits_any_of_several_signatures() -> None:
    told = f"v1a,{'x' * 44} v1,{'A' * 43}= {HEADERS['webhook-signature']}"

    verify([OTHER, SECRET], BODY, {**HEADERS, "webhook-signature": told}, THEN)


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_***",)])
def test_without_a_secret_nothing_is_verified(secrets: tuple[str, ...]) -> None:
    assert "no secret" in refusal(HEADERS, secrets=secrets)


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    empty = {**HEADERS, "webhook-signature": signed("whsec_", BODY)["webhook-signature"]}

    assert "does not match" in refusal(empty, secrets=("whsec_", SECRET))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_what_is_more_than_five_minutes_off_is_refused(seconds: int) -> None:
    assert "five minutes" in refusal(HEADERS, now=THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_what_is_at_most_five_minutes_off_counts(seconds: int) -> None:
    verify([SECRET], BODY, HEADERS, THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("name", sorted(HEADERS))
@pytest.mark.parametrize("value", ["", " ", "v1,", "\udcff", "é" * 40, "-1", "1e9", "9" * 400])
def test_garbage_in_a_header_is_refused(name: str, value: str) -> None:
    assert refusal({**HEADERS, name: value})
