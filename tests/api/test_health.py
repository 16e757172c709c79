from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector import bootstrap
from connector.app import make_app
from connector.ports import Happening
from tests.api.conftest import Door, make_settings

if TYPE_CHECKING:
    from pathlib import Path


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
