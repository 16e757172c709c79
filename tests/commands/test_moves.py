from __future__ import annotations

from typing import TYPE_CHECKING

from connector import bootstrap
from connector.domain.slots import Slot
from connector.pipeline.moving import move
from tests.commands.conftest import forget, profiles, slot, work

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from simulators.hubspot.testing import Twin
    from tests.commands.conftest import Shell


def put(connection: str, profile: str, goal: Slot) -> None:
    """Move a profile as a person does."""
    services = bootstrap.services()
    with services.store.reading() as unit:
        account_id = unit.connection(connection).account_id
    move(services, account_id, profile, goal, "by hand")


def test_a_batch_is_listed_and_undone(shell: Shell, connection: str, profile: str) -> None:
    put(connection, profile, Slot.SIXTH)
    batch = shell.ask("batches", "--limit", "1")["items"][0]

    trial = shell.ask("undo", batch["batch_id"], "--dry-run")
    told = shell.ask("undo", batch["batch_id"])

    assert (batch["cause"], batch["reason"], batch["moves"]) == ("move", "by hand", 1)
    assert trial["moved"] == told["moved"] == [profile]
    assert slot(connection, profile) == 3
    assert any(one["undone_at"] for one in shell.ask("batches")["items"])


def test_an_unknown_batch_says_where_to_look(shell: Shell) -> None:
    assert "connector batches" in shell.refusal("undo", "bat_x")


def test_a_person_comes_back_on_a_reconsent(shell: Shell, connection: str, profile: str) -> None:
    put(connection, profile, Slot.DO_NOT_CONTACT)

    told = shell.ask("reconsent", profile, "--reason", "form of 4 May")

    assert told["moved"] == [profile]
    assert slot(connection, profile) == 3


def test_who_has_not_opted_out_needs_no_reconsent(
    shell: Shell, connection: str, profile: str
) -> None:
    assert "not in slot 10" in shell.refusal("reconsent", profile, "--reason", "x")
    assert "no such profile" in shell.refusal("reconsent", "prf_x", "--reason", "x")
    assert slot(connection, profile) == 3


def test_a_file_brings_many_back_and_lists_the_rest(
    shell: Shell, twin: Twin, connection: str, tmp_path: Path
) -> None:
    twin.seed(records=[{"properties": {"email": "bob@example.com", "lifecyclestage": "lead"}}])
    shell.ask("backfill", connection)
    for one in profiles(connection):
        put(connection, one, Slot.DO_NOT_CONTACT)
    file = tmp_path / "consents.csv"
    file.write_text("name,email\nAnn,ANN@example.com\nAnn,ann@example.com\nCid,cid@example.com\n")

    told = shell.ask("reconsent", "--file", str(file), "--reason", "campaign")

    assert len(told["moved"]) == 1
    assert told["skipped"] == [{"profile_id": "cid@example.com", "why": "no such profile"}]


def test_a_file_without_a_column_to_go_by_is_refused(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("name\nAnn\n")

    assert "profile_id or email" in shell.refusal("reconsent", "--file", "x.csv", "--reason", "x")
    assert "can't be read" in shell.refusal("reconsent", "--file", "no.csv", "--reason", "x")
    assert "either" in shell.refusal("reconsent", "--reason", "x")


def test_what_the_crm_refuses_is_parked_and_replayed(
    shell: Shell, twin: Twin, connection: str, profile: str
) -> None:
    shell.ask("install", connection, "--destroy", "--drop-fields")
    put(connection, profile, Slot.FIFTH)
    work(connection)
    assert shell.ask("replay", "--dry-run")["rows"] == 1
    assert shell.ask("replay", "--filter", "no such text")["rows"] == 0

    shell.ask("install", connection, "--apply")
    shell.ask("replay", "outbox")
    work(connection)

    record = twin.ask("GET", "records/contacts")["ids"][0]
    assert twin.value("contacts", record, "bnb_lead_slot") == "5"


def test_the_inbox_is_replayed_by_name(shell: Shell) -> None:
    assert shell.ask("replay", "inbox") == {"what": "inbox", "rows": 0, "dry_run": False}


def test_held_writes_are_listed_and_released(
    shell: Shell, connection: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.ask("held") == {"items": []}
    monkeypatch.setenv("CONNECTOR_BRAKE_PER_HOUR", "1")
    forget()
    put(connection, profile, Slot.SIXTH)
    work(connection)
    put(connection, profile, Slot.FOURTH)

    (hold,) = shell.ask("held")["items"]

    assert hold["writes"] == shell.ask("release", hold["hold_id"])["released"] == 1
    assert "connector held" in shell.refusal("release", hold["hold_id"])
