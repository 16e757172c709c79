"""Whatever comes to the front door, it is answered as it should be, and never with a 500."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.domain.facts import ConnectionId
from tests.webhooks.conftest import SECRET, Sender, change

HERE = "/webhooks/hubspot/con_1"


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[Sender]:
    """Return a sender to an installation on SQLite, and once more on PostgreSQL."""
    made = Sender(database_url, tmp_path)
    yield made
    made.services.store.database.close()


@pytest.mark.parametrize(
    "name", ["con%00_1", "%00", "%ff%fe", "con_1'--", "c" * 3000, "%F0%9F%98%80", "con_1%2f", "."]
)
def test_no_name_of_a_connection_breaks_the_endpoint(either: Sender, name: str) -> None:
    answer = either.post([change()], f"/webhooks/hubspot/{name}")

    assert answer.status_code == 404


@pytest.mark.parametrize("length", [{"content_length": 8_000_000}, {}])
def test_a_body_that_is_too_large_is_read_before_it_is_refused(
    sender: Sender, length: dict[str, int]
) -> None:
    body = io.BytesIO(b"x" * 8_000_000)
    raw = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    answer = sender.client.post(HERE, input_stream=body, environ_overrides=raw, **length)

    assert (answer.status_code, body.read()) == (413, b"")


def test_a_connection_without_a_secret_takes_nothing(sender: Sender) -> None:
    with sender.services.store.writing() as unit:
        unit.set_secrets(ConnectionId("con_1"), {"access_token": "t"}, None)
        unit.set_secrets(ConnectionId("con_old"), {"access_token": "t"}, None)
    old = {"X-HubSpot-Signature": hashlib.sha256(b"[]").hexdigest()}

    assert sender.post([change()], secret="").status_code == 401
    answer = sender.client.post("/webhooks/hubspot/con_old", data=b"[]", headers=old)
    assert answer.status_code == 401


def test_the_signature_of_one_connection_opens_no_other(sender: Sender) -> None:
    sender.connect("con_2", "77", "v3")
    with sender.services.store.writing() as unit:
        unit.set_secrets(ConnectionId("con_2"), {"client_secret": "another"}, None)

    assert sender.post([change()], "/webhooks/hubspot/con_2").status_code == 401


def test_the_old_signature_does_not_count_where_the_new_one_is_asked_for(sender: Sender) -> None:
    old = hashlib.sha256(SECRET.encode() + b"[]").hexdigest()

    answer = sender.client.post(HERE, data=b"[]", headers={"X-HubSpot-Signature": old})

    assert answer.status_code == 401


@pytest.mark.parametrize("value", ["", " ", "é", "\udcff", "=" * 10_000, "null"])
@pytest.mark.parametrize("name", ["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"])
def test_garbage_in_a_header_is_a_401(sender: Sender, name: str, value: str) -> None:
    raw = {
        f"HTTP_{name.upper().replace('-', '_')}": value.encode("utf-8", "replace").decode("latin-1")
    }

    answer = sender.client.post(HERE, data=b"[]", environ_overrides=raw)

    assert answer.status_code == 401


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["portalId", "objectId", "subscriptionType", "occurredAt", "x"])
                | st.text(max_size=5),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    ).map(lambda found: __import__("json").dumps(found).encode())
)
def test_anything_that_is_signed_is_taken_in_and_breaks_nothing(
    sender: Sender, body: bytes
) -> None:
    assert sender.post(body).status_code == 204

    sender.work()
    assert sender.kept() == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    odd=st.fixed_dictionaries(
        {},
        optional={
            name: st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=8)
            | st.lists(st.integers(), max_size=2)
            for name in (
                *("eventId", "portalId", "occurredAt", "subscriptionType", "objectId"),
                *("propertyName", "propertyValue", "changeSource", "sourceId", "isSensitive"),
            )
        },
    )
)
def test_no_odd_row_breaks_what_comes_with_it(sender: Sender, odd: dict[str, object]) -> None:
    fresh = change(objectId=777, propertyName="email", propertyValue="a@x.io")

    assert sender.post([{**change(), **odd}, fresh]).status_code == 204
    sender.work()

    assert sender.kept() == 0
    assert "KeyError" not in sender.parked()
    assert sum(sender.slots().values()) >= 1


def test_a_locked_database_is_no_reason_for_a_500_at_the_app_s_url(
    sender: Sender, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = sender.post([change()], "/webhooks/hubspot", secret="app-secret")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert sender.post([change()]).status_code == 204
