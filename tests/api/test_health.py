from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from pydantic import SecretStr

from connector import bootstrap, figures
from connector.api.health import Surroundings, blueprint
from connector.app import make_app
from connector.ports import Happening
from connector.store.engine import PATIENCE
from tests.api.conftest import Door, make_settings

if TYPE_CHECKING:
    from pathlib import Path

    from connector.pipeline.services import Services
    from connector.settings import Settings

COUNTS = {
    ("bb_ingest_requests_total", "result=kept,source=hubspot"): 2.0,
    ("bb_ingest_ack_seconds_bucket", "le=0.005"): 1.0,
    ("bb_ingest_ack_seconds_sum", ""): 0.5,
    ("bb_crm_requests_total", "crm=hubspot,status=429"): 1.0,
}


def ask(door: Door, path: str, remote: str = "203.0.113.9", **headers: str) -> Any:
    client = door.app.test_client()
    return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": remote})


def test_it_is_alive(door: Door) -> None:
    assert ask(door, "/healthz").json == {"status": "ok"}


def test_without_redis_it_is_ready_but_degraded(door: Door) -> None:
    answer = ask(door, "/readyz")

    assert (answer.status_code, answer.json["status"]) == (200, "degraded")


def test_with_redis_it_is_ready(database_url: str, tmp_path: Path, valkey: str) -> None:
    settings = make_settings(database_url, tmp_path).model_copy(update={"redis_url": valkey})
    services = bootstrap.build(settings)

    answer = make_app(services, settings).test_client().get("/readyz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    with services.store.reading() as unit:
        assert unit.inbox_backlog().pending == 0  # the probe left nothing
    services.store.database.close()


def test_a_database_that_takes_no_writes_is_not_ready(door: Door) -> None:
    with door.services.store.writing():
        answer = ask(door, "/readyz")

    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert ask(door, "/readyz").status_code == 200


def surrounded(door: Door, **more: Any) -> Any:
    """Return what /readyz says in other surroundings."""
    usual = Surroundings(lambda: True, lambda: "current", lambda: 10**12)
    app = Flask("surrounded")
    app.register_blueprint(blueprint(door.services, replace(usual, **more)))
    return app.test_client().get("/readyz")


def test_a_full_disk_is_not_ready(door: Door) -> None:
    answer = surrounded(door, free=lambda: 10_000_000)

    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert "9 MB free" in answer.json["reason"]


@pytest.mark.parametrize(("schema", "status"), [("older", 503), ("newer", 200), ("current", 200)])
def test_an_older_schema_is_not_ready_and_a_newer_one_is(
    door: Door, schema: str, status: int
) -> None:
    assert surrounded(door, schema=lambda: schema).status_code == status


def test_liveness_does_not_ask_the_database(door: Door) -> None:
    with door.services.store.writing():
        asked = time.monotonic()
        assert ask(door, "/healthz").status_code == 200

    assert time.monotonic() - asked < PATIENCE


def test_metrics_add_up_what_all_processes_counted(door: Door) -> None:
    with door.services.store.writing() as unit:
        for name in ("one", "two"):
            unit.watch.beat(name, "web", COUNTS, door.services.now())
        unit.watch.beat("two", "web", COUNTS, door.services.now())

    told = ask(door, "/metrics", "127.0.0.1").text

    assert 'bb_ingest_requests_total{result="kept",source="hubspot"} 6.0' in told
    assert 'bb_ingest_ack_seconds_bucket{le="0.005"} 3.0' in told
    assert 'bb_ingest_ack_seconds_bucket{le="+Inf"} 3.0' in told
    assert "bb_ingest_ack_seconds_sum 1.5" in told
    assert 'bb_processes{kind="web"} 2.0' in told
    assert 'bb_crm_429_total{crm="hubspot"} 3.0' in told


def test_metrics_tell_the_least_quota_of_a_crm(door: Door) -> None:
    fence = door.services.store.take(f"connection:{door.connection_id}")
    assert fence is not None
    door.services.store.drop(fence, {"daily": 1000, "day_used": 400})

    assert 'bb_crm_quota_remaining{crm="hubspot"} 600.0' in ask(door, "/metrics", "::1").text


def test_a_request_is_counted_and_told_with_the_next_sign_of_life(door: Door) -> None:
    figures.taken()
    door.app.test_client().post("/webhooks/hubspot/con_none")

    counted = figures.taken()

    assert counted == {("bb_ingest_requests_total", "result=refused,source=hubspot"): 1.0}


def test_the_installation_s_token_sees_everything_from_anywhere(
    services: Services, settings: Settings
) -> None:
    own = settings.model_copy(update={"metrics_token": SecretStr("scrape-me")})
    client = make_app(services, own).test_client()
    far = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}

    told = client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}, **far)
    refused = client.get("/metrics", headers={"Authorization": "Bearer scrape"}, **far)

    assert "bb_disk_free_bytes" in told.text
    assert refused.status_code == 401


def test_metrics_count_what_waits(door: Door, other: Door) -> None:
    for one in (door, other):
        one.keep("101", Happening.CREATED)

    told = ask(door, "/metrics", "127.0.0.1").text

    assert "bb_inbox_pending 2.0" in told
    assert "bb_dead_letters 0.0" in told
    assert "bb_outbox_pending 0.0" in told
    assert "bb_inbox_oldest_age_seconds" in told


def test_metrics_for_a_token_are_the_accounts_own(door: Door, other: Door) -> None:
    for one in (door, other):
        one.keep("101", Happening.CREATED)

    told = ask(door, "/metrics", Authorization=f"Bearer {door.token}")

    assert "bb_inbox_pending 1.0" in told.text


@pytest.mark.parametrize("remote", ["203.0.113.9", ""])
def test_metrics_are_not_for_strangers(door: Door, remote: str) -> None:
    assert ask(door, "/metrics", remote).status_code == 401
    assert ask(door, "/metrics", "127.0.0.1", **{"X-Forwarded-For": remote}).status_code == 401
