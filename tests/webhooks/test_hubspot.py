"""What the endpoints answer, whatever is sent: the status of the contract, never a 500."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.webhooks.conftest import APP_SECRET, SECRET, Sender, change

MEGABYTE = 1024 * 1024


def test_an_edit_is_taken_in_without_redis(sender: Sender) -> None:
    answer = sender.post([change()])

    sender.work()
    assert (answer.status_code, answer.data) == (204, b"")
    assert sender.slots() == {6: 1}


def test_the_same_request_again_is_answered_and_does_nothing(sender: Sender) -> None:
    statuses = [sender.post([change(occurredAt=1_790_000_000_000)]).status_code for _ in range(3)]

    assert statuses == [204, 204, 204]
    assert sender.kept() == 1


def test_a_wrong_signature_is_refused(sender: Sender) -> None:
    assert sender.post([change()], secret="another").status_code == 401
    assert sender.kept() == 0


@pytest.mark.parametrize("age", [301.0, -301.0, 86_400.0])
def test_stale_and_future_requests_are_refused(sender: Sender, age: float) -> None:
    assert sender.post([change()], age=age).status_code == 401


def test_an_unknown_connection_is_not_found(sender: Sender) -> None:
    assert sender.post([change()], "/webhooks/hubspot/con_nobody").status_code == 404


def test_other_methods_are_not_allowed(sender: Sender) -> None:
    assert sender.client.get("/webhooks/hubspot/con_1").status_code == 405


@pytest.mark.parametrize("size", [MEGABYTE + 1, 32 * MEGABYTE])
def test_too_much_is_refused(sender: Sender, size: int) -> None:
    assert sender.post(b"x" * size).status_code == 413


def test_a_megabyte_is_not_too_much(sender: Sender) -> None:
    assert sender.post(b" " * (MEGABYTE - 2) + b"[]").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"17",
        b"null",
        b'"text"',
        b"[NaN]",
        b"[" + b"9" * 6000 + b"]",
    ],
)
def test_what_makes_no_sense_is_kept_and_put_aside(sender: Sender, body: bytes) -> None:
    assert sender.post(body).status_code == 204

    sender.work()
    assert len(sender.parked()) == 1


@pytest.mark.parametrize(
    "faulty",
    [
        {"objectId": "501; drop table"},
        {"objectId": None},
        {"objectId": True},
        {"occurredAt": "yesterday"},
        {"occurredAt": 10**30},
        {"propertyValue": {"deep": []}},
        {"propertyValue": "\ud800"},
        {"propertyValue": "a\x00b"},
        {"subscriptionType": 5},
        {"portalId": [4242]},
    ],
)
def test_one_bad_row_is_put_aside_and_the_rest_flows(
    sender: Sender, faulty: dict[str, object]
) -> None:
    bad = {**change(objectId=502), **faulty}

    assert sender.post([bad, change(), 17, None]).status_code == 204

    sender.work()
    assert sender.slots() == {6: 1}
    assert len(sender.parked()) >= 3


def test_ten_thousand_events_in_a_body_are_taken_in(sender: Sender) -> None:
    row = {
        "portalId": 4242,
        "subscriptionType": "contact.creation",
        "occurredAt": 1_790_000_000_000,
    }
    rows = [{**row, "objectId": n} for n in range(1, 10_001)]
    body = json.dumps(rows, separators=(",", ":")).encode()

    assert len(body) < MEGABYTE
    assert sender.post(body).status_code == 204
    sender.work()
    assert sender.parked() == []


def test_another_account_s_portal_is_put_aside(sender: Sender) -> None:
    assert sender.post([change(portal=4243), change()]).status_code == 204

    sender.work()
    assert sender.slots() == {6: 1}
    assert sender.parked() == ["portal 4243 is not this connection's"]


def test_the_app_s_url_finds_the_connection_by_portal(sender: Sender) -> None:
    rows = [change(), change(portal=99)]

    assert sender.post(rows, "/webhooks/hubspot", secret=APP_SECRET).status_code == 204

    sender.work()
    assert sender.slots() == {6: 1}


def test_the_app_s_url_takes_the_app_s_secret_alone(sender: Sender) -> None:
    assert sender.post([change()], "/webhooks/hubspot", secret=SECRET).status_code == 401


def test_the_old_signature_counts_where_it_was_asked_for(sender: Sender) -> None:
    body = json.dumps([change(portal=4243)]).encode()
    told = {"X-HubSpot-Signature": hashlib.sha256(SECRET.encode() + body).hexdigest()}

    old = sender.client.post("/webhooks/hubspot/con_old", data=body, headers=told)
    new = sender.client.post("/webhooks/hubspot/con_1", data=body, headers=told)

    assert (old.status_code, new.status_code) == (204, 401)


def test_a_locked_database_is_a_503(sender: Sender, tmp_path: Path) -> None:
    assert sender.post([change()]).status_code == 204
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    answer = sender.post([change(objectId=777)])

    other.execute("ROLLBACK")
    other.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert sender.post([change(objectId=777)]).status_code == 204


def test_a_sender_s_trace_stays_with_what_it_sent(sender: Sender) -> None:
    sent = "4bf92f3577b34da6a3ce929d0e0e4736"

    with capture_logs() as said:
        sender.post([change()], traceparent=f"00-{sent}-00f067aa0ba902b7-01")

    with sender.services.store.reading() as unit:
        assert [one.trace for one in unit.waiting_deliveries(10)] == [sent]
    (line,) = [one for one in said if one["event"] == "delivery_kept"]
    assert (line["event"], line["trace"], line["status"]) == ("delivery_kept", sent, 204)
    assert set(line) == {"event", "system", "trace", "status", "dur_ms", "log_level"}
