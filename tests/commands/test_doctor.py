from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import redis
from cryptography.fernet import Fernet

from connector import bootstrap
from connector.ports import Event, Happening
from connector.stored import Arrival, Parcel
from scorer import JourneyScorer
from tests.commands.conftest import forget
from tests.scorer.people import AS_OF, START, event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from simulators.hubspot.testing import Twin
    from tests.commands.conftest import Shell


def wrong(shell: Shell) -> dict[str, str]:
    """Return what the doctor finds wrong, by the last word of its name, with its advice."""
    done = shell.run("doctor", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    found = {one["name"].split()[-1]: one["advice"] for one in told["checks"] if not one["ok"]}
    assert (done.exit_code, told["ok"]) == ((1, False) if found else (0, True))
    return found


def test_an_empty_house_is_fine(shell: Shell) -> None:
    assert wrong(shell) == {}


def test_a_connection_that_stands_is_fine(shell: Shell, connection: str) -> None:
    assert wrong(shell) == {}
    assert f"ok    {connection} fields: installed" in shell.run("doctor").stdout


def test_missing_fields_are_found_with_the_command_that_helps(
    shell: Shell, connection: str
) -> None:
    shell.ask("install", connection, "--destroy", "--drop-fields")

    assert wrong(shell) == {"fields": f"run `connector install {connection} --apply`"}
    assert f"-> run `connector install {connection}" in shell.run("doctor").stdout


def test_a_portal_that_no_longer_lets_us_in_is_found(
    shell: Shell, twin: Twin, connection: str
) -> None:
    assert connection
    twin.settings(token="another")

    assert "connect" in wrong(shell)["crm"]


def test_a_portal_that_is_another_is_found(shell: Shell, twin: Twin, connection: str) -> None:
    assert connection
    twin.settings(portal_id=77)

    assert "connect it again" in wrong(shell)["crm"]


def test_a_portal_that_is_away_is_found(shell: Shell, twin: Twin, connection: str) -> None:
    assert connection
    twin.close()

    assert set(wrong(shell)) == {"crm"}


def test_a_paused_connection_is_found(shell: Shell, connection: str) -> None:
    shell.ask("pause", connection)

    assert "connector resume" in wrong(shell)["state"]


def test_a_poller_that_no_longer_comes_round_is_found(shell: Shell, connection: str) -> None:
    shell.ask("reconcile", connection)
    assert wrong(shell) == {}
    services = bootstrap.services()
    long_ago = services.now() - timedelta(hours=2)
    with services.store.writing() as unit:
        one, poll = unit.connection(connection), unit.polls.get(connection)
        assert poll is not None
        unit.polls.put(one, replace(poll, ended_at=long_ago))

    assert f"connector reconcile {connection}" in wrong(shell)["reconcile"]


def test_parked_rows_are_found(shell: Shell, connection: str) -> None:
    services = bootstrap.services()
    now = services.now()
    with services.store.writing() as unit:
        own = unit.connection(connection)
        event = Event("k", Happening.MERGED, "", "contact", "1", now, "1")
        unit.add_events(own.account_id, [Arrival(0, own.id, event, now)])
        unit.park_event(unit.waiting_events(own.account_id, 1)[0].id, "it broke")

    assert "connector replay inbox" in wrong(shell)["inbox"]


def test_lost_keys_are_found(
    shell: Shell, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", Fernet.generate_key().decode())
    forget()

    assert "CONNECTOR_SECRET_KEYS" in wrong(shell)["keys"]


def test_a_redis_that_was_set_and_is_away_is_found(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONNECTOR_REDIS_URL", f"unix://{tmp_path}/no.sock")

    assert "CONNECTOR_REDIS_URL" in wrong(shell)["redis"]


def test_a_database_that_is_away_is_the_only_finding(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://postgres@/none?host={tmp_path}"
    monkeypatch.setenv("CONNECTOR_DATABASE_URL", url)

    assert set(wrong(shell)) == {"database"}


def test_a_redis_that_throws_jobs_away_is_found(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, valkey: str
) -> None:
    monkeypatch.setenv("CONNECTOR_REDIS_URL", valkey)
    with redis.Redis.from_url(valkey) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = wrong(shell)
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert "noeviction" in found["eviction"]
    assert wrong(shell) == {}


def test_what_waits_too_long_is_found(shell: Shell, account: str) -> None:
    services = bootstrap.services()
    long_ago = services.now() - timedelta(seconds=61)
    services.store.keep(Parcel("hubspot", (account, "con"), b"[]", long_ago))

    assert "worker" in wrong(shell)["inbox"]


def test_parked_rows_are_named_before_they_go(shell: Shell, account: str) -> None:
    services = bootstrap.services()
    long_ago = services.now() - timedelta(days=80, seconds=-60)
    services.store.keep(Parcel("hubspot", (account, "con"), b"[]", long_ago))
    with services.store.writing() as unit:
        unit.close_delivery(unit.waiting_deliveries(1)[0].id, "no connection")

    assert "the oldest are deleted in 10 days" in wrong(shell)["inbox"]


def test_a_process_that_is_missing_is_found(shell: Shell, account: str) -> None:
    assert account
    services = bootstrap.services()
    with services.store.writing() as unit:
        for kind in ("web", "clock", "trainer"):
            unit.watch.beat(kind, kind, {}, services.now())
        unit.watch.beat("w", "worker", {}, services.now() - timedelta(minutes=2))

    done = shell.run("doctor")

    assert done.exit_code == 1
    assert "WRONG processes: no worker has shown itself for 45 s" in done.stdout


def test_a_training_that_failed_is_found_with_what_to_do(shell: Shell, account: str) -> None:
    services = bootstrap.services()
    with services.store.writing() as unit:
        own = unit.account(account).id
        unit.models.want(own, "customers", services.now())
        unit.models.begin(own, services.now())
        unit.models.end(own, services.now(), "MemoryError: too much")

    done = shell.run("doctor")

    assert f"WRONG training of {account}: MemoryError: too much" in done.stdout
    assert f"run `connector train {account}`" in done.stdout


def test_a_model_that_scores_nobody_says_what_it_lacks(shell: Shell, account: str) -> None:
    whole = JourneyScorer().fit([event("a", START, "/")], [], AS_OF)
    serve(account, whole.to_bytes(key(account)), whole.report_)

    done = shell.run("doctor")

    said = f"model of {account}: untrained, learned 0 days ago; 0 usable customers of 0; from 1 on"
    assert said in done.stdout


def test_a_model_that_was_cut_short_is_found(shell: Shell, account: str) -> None:
    serve(account, b"bnb-score-1\n cut", {})

    done = shell.run("doctor")

    assert f"WRONG model of {account}: mdl_1 was cut short" in done.stdout
    assert f"run `connector train {account}`" in done.stdout


def key(account: str) -> bytes:
    with bootstrap.services().store.reading() as unit:
        return unit.models.key(unit.account(account).id)


def serve(account: str, artefact: bytes, report: Mapping[str, Any]) -> None:
    """Have a model serve."""
    services = bootstrap.services()
    row = {"id": "mdl_1", "account_id": account, "made_at": services.now(), "held": ""}
    row |= {"state": "serving", "score_state": "untrained", "report": dict(report)}
    with services.store.writing() as unit:
        unit.models.add(row | {"artefact": artefact})
