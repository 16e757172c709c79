"""Is it really HubSpot? The vectors are the ones HubSpot's own SDK agrees with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.errors import DeliveryRefused
from webhooks.verify import decode, hubspot_v1, hubspot_v3

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://www.example.com/webhook_uri"
BODY = b"{'example_field':'example_value'}"
STAMP = "1693657560000"
SENT = datetime.fromtimestamp(1693657560, UTC)
SIGNATURE = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="


def headers(signature: str = SIGNATURE, stamp: str = STAMP) -> dict[str, str]:
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def test_the_published_vector_is_accepted() -> None:
    hubspot_v3(SECRET, "POST", URL, BODY, headers(), SENT)


@pytest.mark.parametrize("minutes", [-4.9, 0, 4.9])
def test_five_minutes_of_skew_are_fine_both_ways(minutes: float) -> None:
    hubspot_v3(SECRET, "POST", URL, BODY, headers(), SENT + timedelta(minutes=minutes))


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 60, 600_000])
def test_more_is_stale_or_from_the_future(minutes: float) -> None:
    with pytest.raises(DeliveryRefused) as caught:
        hubspot_v3(SECRET, "POST", URL, BODY, headers(), SENT + timedelta(minutes=minutes))

    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [("PUT", URL, BODY), ("POST", f"{URL}/", BODY), ("POST", URL, BODY + b" ")],
)
def test_any_other_request_is_refused(method: str, url: str, body: bytes) -> None:
    with pytest.raises(DeliveryRefused):
        hubspot_v3(SECRET, method, url, body, headers(), SENT)


@pytest.mark.parametrize("signature", ["", "x", "é", "\udcff", SIGNATURE.lower(), SIGNATURE + "="])
def test_garbage_for_a_signature_is_refused(signature: str) -> None:
    with pytest.raises(DeliveryRefused):
        hubspot_v3(SECRET, "POST", URL, BODY, headers(signature), SENT)


@pytest.mark.parametrize("stamp", ["", "now", "1693657560", "٣" * 13, "1e12", "-693657560000"])
def test_garbage_for_a_timestamp_is_refused(stamp: str) -> None:
    with pytest.raises(DeliveryRefused):
        hubspot_v3(SECRET, "POST", URL, BODY, headers(stamp=stamp), SENT)


def test_twelve_escapes_are_decoded_and_no_other() -> None:
    escaped = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B%3a%20%26%25"

    assert decode(escaped) == ":/?@!$'()*,;:%20%26%25"


def test_the_old_signature_is_a_hash_of_secret_and_body() -> None:
    # SHA-256 of "abc": FIPS 180-4, example 1.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    hubspot_v1("a", b"bc", {"X-HubSpot-Signature": abc})
    with pytest.raises(DeliveryRefused):
        hubspot_v1("b", b"bc", {"X-HubSpot-Signature": abc})
