"""A backup brought back into an empty folder is the same house; a damaged one changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, text, update

from connector import bootstrap
from connector.app import make_app
from connector.domain.slots import Slot
from connector.pipeline import moving
from connector.settings import current
from connector.store import tables as t
from connector.stored import Parcel
from tests.commands.conftest import forget, profiles, work

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin
    from tests.commands.conftest import Shell

PATHS = ("profiles", "connections", "outbox?state=sent", "batches", "reports/funnel")


def answers(token: str, *more: str) -> dict[str, Any]:
    """Return what the API says to an account."""
    client = make_app(bootstrap.services(), current()).test_client()
    headers = {"Authorization": f"Bearer {token}"}
    return {
        path: client.get(f"/api/v1/{path}", headers=headers).get_json() for path in (*PATHS, *more)
    }


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str = "") -> None:
    """Go on in another data folder, as on another machine."""
    monkeypatch.setenv("CONNECTOR_DATA_DIR", str(folder))
    if url:
        monkeypatch.setenv("CONNECTOR_DATABASE_URL", url)
    forget()


@pytest.fixture
def token(shell: Shell, twin: Twin) -> str:
    """Return the token of an account with a connection whose lead was moved and written."""
    account = shell.ask("account", "create", "ours")
    connection = shell.connect(twin, account["account_id"])
    shell.ask("install", connection, "--apply")
    twin.seed(records=[{"properties": {"email": "ann@example.com", "lifecyclestage": "lead"}}])
    shell.ask("backfill", connection)
    work(connection)
    return str(account["api_token"])


@pytest.mark.parametrize("secret", [None, "correct horse"])
def test_an_empty_folder_becomes_the_same_house(
    shell: Shell, token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str | None
) -> None:
    before = answers(token)
    words = ["--passphrase", str(tmp_path / "secret")] if secret else []
    (tmp_path / "secret").write_text(f"{secret}\n")
    shell.ask("backup", "house.backup", *words)
    elsewhere(monkeypatch, tmp_path / "other")

    told = shell.run("restore", "house.backup", *words)

    assert told.exit_code == 0, told.output
    assert "connector backfill con_" in told.stderr
    forget()
    assert answers(token) == before
    assert {one["ok"] for one in json.loads(shell.run("doctor", "--json").stdout)["checks"]} == {
        True
    }


def test_a_backup_moves_a_house_to_postgresql_and_back(
    shell: Shell, token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres_url: str
) -> None:
    before = answers(token)
    shell.ask("backup", "one.backup")
    elsewhere(monkeypatch, tmp_path / "other", postgres_url)
    shell.ask("restore", "one.backup")
    assert answers(token) == before
    services = bootstrap.services()
    services.store.keep(Parcel("hubspot", None, b"new", services.now()))
    shell.ask("backup", "two.backup")
    monkeypatch.delenv("CONNECTOR_DATABASE_URL")
    elsewhere(monkeypatch, tmp_path / "third")

    shell.ask("restore", "two.backup")

    assert answers(token) == before
    with bootstrap.services().store.reading() as unit:
        assert [one.body for one in unit.waiting_deliveries(9)] == [b"new"]


def test_a_file_is_private_and_never_replaced_without_a_word(shell: Shell, account: str) -> None:
    assert account
    shell.ask("backup", "house.backup")
    before = Path("house.backup").read_bytes()

    assert Path("house.backup").stat().st_mode & 0o777 == 0o600
    assert "is there already" in shell.refusal("backup", "house.backup")
    assert Path("house.backup").read_bytes() == before
    assert "the secret keys are in this file" in shell.run("backup", "h", "--overwrite").stderr
    assert [path.name for path in Path().glob("*.part")] == []


def test_without_its_passphrase_a_backup_tells_nothing(
    shell: Shell, token: str, tmp_path: Path
) -> None:
    assert token
    (tmp_path / "right").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    shell.ask("backup", "house.backup", "--passphrase", "right")

    assert "is encrypted" in shell.refusal("restore", "house.backup", "--replace")
    wrong = ("restore", "house.backup", "--replace", "--passphrase", "wrong")
    assert "not the right one" in shell.refusal(*wrong)
    assert current().keys[0].encode() not in Path("house.backup").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99, 1.0])
def test_a_damaged_file_is_refused_before_anything_is_touched(
    shell: Shell, token: str, share: float
) -> None:
    before = answers(token)
    shell.ask("backup", "house.backup")
    whole = Path("house.backup").read_bytes()
    place = min(int(len(whole) * share), len(whole) - 1)
    altered = bytearray(whole)
    altered[place] ^= 1

    for damaged in (whole[:place], bytes(altered), whole + b"x"):
        Path("damaged").write_bytes(damaged)
        assert shell.refusal("restore", "damaged", "--replace")
    assert answers(token) == before


def test_a_house_that_is_lived_in_is_not_replaced_unless_told(shell: Shell, account: str) -> None:
    shell.ask("backup", "house.backup")
    shell.account("another")

    assert "is not empty" in shell.refusal("restore", "house.backup")
    shell.ask("restore", "house.backup", "--replace")

    forget()
    with bootstrap.services().store.reading() as unit:
        assert [one.id for one in unit.accounts()] == [account]


def test_a_database_that_processes_work_on_is_left_alone(shell: Shell, account: str) -> None:
    assert account
    shell.ask("backup", "house.backup")
    services = bootstrap.services()
    with services.store.writing() as unit:
        unit.watch.beat("elsewhere:1/7/ab", "worker", {}, services.now())

    assert "stop them first" in shell.refusal("restore", "house.backup", "--replace")


def test_a_backup_of_newer_code_is_refused(shell: Shell, account: str) -> None:
    assert account
    store = bootstrap.services().store
    with store.database.writing() as tx:
        (known,) = tx.exec_driver_sql("SELECT version_num FROM alembic_version").one()
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    shell.ask("backup", "house.backup")
    with store.database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})

    assert "newer program" in shell.refusal("restore", "house.backup", "--replace")


def test_keys_that_are_set_must_open_what_is_restored(
    shell: Shell, token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.ask("backup", "house.backup")
    own = Fernet.generate_key().decode()
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", own)
    elsewhere(monkeypatch, tmp_path / "other")

    assert "--keys-to" in shell.refusal("restore", "house.backup")
    shell.ask("restore", "house.backup", "--keys-to", "kept.keys")
    kept = Path("kept.keys").read_text().split()
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", ",".join([own, *kept]))
    forget()

    assert answers(token)["profiles"]["items"]
    assert Path("kept.keys").stat().st_mode & 0o777 == 0o600


def test_what_was_under_way_is_looked_at_again(shell: Shell, connection: str) -> None:
    store = bootstrap.services().store
    fence = store.take(f"connection:{connection}")
    assert fence is not None
    with store.database.writing() as tx:
        tx.execute(update(t.outbox).values(state="sending", token=fence.token))
        tx.execute(update(t.record).values(pushed={"bnb_lead_slot": "3"}))
    shell.ask("backup", "house.backup")

    shell.ask("restore", "house.backup", "--replace", "--paused")

    again = store.take(f"connection:{connection}")
    assert again is not None
    assert again.token > fence.token
    with store.database.reading() as tx:
        assert set(tx.execute(select(t.connection.c.state)).scalars()) == {"paused"}
        assert list(tx.execute(select(t.record.c.pushed)).scalars()) == [{"?": "?"}]


def test_a_human_s_edit_since_the_backup_stands(shell: Shell, twin: Twin, connection: str) -> None:
    (profile,) = profiles(connection)
    services = bootstrap.services()
    with services.store.reading() as unit:
        account = unit.connection(connection).account_id
    moving.move(services, account, profile, Slot(6), "by hand")
    shell.ask("backup", "house.backup")
    work(connection)
    (contact,) = {row["id"] for row in twin.writes()}
    twin.edit("contacts", contact, lifecyclestage="opportunity")
    shell.ask("restore", "house.backup", "--replace")
    forget()

    for _ in range(3):
        work(connection)

    assert twin.value("contacts", contact, "lifecyclestage") == "opportunity"
