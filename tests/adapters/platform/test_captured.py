from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.platform import shape
from tests.adapters.platform.test_events import BODIES

BODY: dict[str, Any] = {
    "event": {"code": "billing_page", "type": "custom", "date": "2026-05-04T12:00:00Z"},
    "user": {
        "email_address": "ada@example.com",
        "first_name": "Ada",
        "phone": "+1 604 555 0100",
        "token": "deadbeefdeadbeef",
        "profile_image_url": "https://images.example/ada.png",
        "birthday": "1985-12-10",
        "postal_code": "V6B",
        "pin": 123456,
        "lead_stage": 5,
        "opted_in": True,
        "nothing": None,
        "ada@example.com": [],
    },
}


def test_keys_and_shapes_are_kept_and_nobodys_values_are_shown() -> None:
    found = shape(json.dumps(BODY).encode())

    assert found == {
        "events": 1,
        "first": [
            {
                "event": BODY["event"],
                "user": {
                    "email_address": "<e-mail, 15 characters>",
                    "first_name": "<text, 3 characters>",
                    "phone": "<number, 15 characters>",
                    "token": "<text, 16 characters>",
                    "profile_image_url": "<URL, 30 characters>",
                    "birthday": "<number, 10 characters>",
                    "postal_code": "<text, 3 characters>",
                    "pin": "<number, 6 characters>",
                    "lead_stage": 5,
                    "opted_in": True,
                    "nothing": None,
                    "<key, 15 characters>": [],
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "X7K9Q2"),
        ("source", "john.smith"),
        ("status", "Jane-Doe"),
        ("birth", "1980-05-04T00:00:00"),
        ("birth_date", "1980-05-04T00:00:00Z"),
        ("dateOfBirth", "1980-05-04T00:00:00Z"),
        ("", "trial_click"),
    ],
)
def test_what_may_be_somebody_s_is_told_by_its_size(key: str, value: str) -> None:
    found: Any = shape(json.dumps({key: value}).encode())

    assert value not in json.dumps(found)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "trial-click.v2"),
        ("eventType", "page_view"),
        ("source", "google"),
        ("occurredAt", "2026-05-04T12:00:00Z"),
        ("event_date", "2026-05-04 12:00:00+02:00"),
        ("timestamp", "2026-05-04T12:00:00.123Z"),
    ],
)
def test_what_is_the_system_s_own_is_shown(key: str, value: str) -> None:
    assert shape(json.dumps({key: value}).encode()) == {"events": 1, "first": [{key: value}]}


def test_of_many_events_the_first_are_shown() -> None:
    found = shape(json.dumps([{"type": "page_view"}] * 900).encode())

    assert found == {"events": 900, "first": [{"type": "page_view"}] * 3}


@pytest.mark.parametrize("body", [b"Dear Ada, 7!", b'{"name": "Ada 7!", '])
def test_of_a_body_that_nobody_can_read_the_outline_is_shown(body: bytes) -> None:
    found: Any = shape(body)

    assert "no JSON" in found["unreadable"]
    assert "aaa" in found["begins"]
    assert "Ada" not in found["begins"]


@given(body=BODIES)
def test_any_body_has_a_shape_that_can_be_kept(body: bytes) -> None:
    json.dumps(shape(body), allow_nan=False).encode()


@given(
    secret=st.text(st.characters(categories=("L", "N")), min_size=8, max_size=40),
    key=st.sampled_from(["email", "first_name", "name", "token", "secret", "id", "x", "note"]),
)
def test_what_is_private_is_never_in_a_shape(secret: str, key: str) -> None:
    found = shape(json.dumps({"user": {key: secret, secret + "@x.y": secret}}).encode())

    assert secret not in json.dumps(found, ensure_ascii=False)
