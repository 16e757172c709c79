from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin
    from tests.commands.conftest import Shell


@pytest.fixture
def bare(shell: Shell, twin: Twin, account: str) -> str:
    """Return a connection to a portal without our fields."""
    return shell.connect(twin, account)


def actions(told: dict[str, list[dict[str, str]]]) -> set[str]:
    return {step["action"] for step in told["steps"]}


def test_connections_are_listed_without_secrets(shell: Shell, bare: str, account: str) -> None:
    (item,) = shell.ask("connections")["items"]

    assert (item["connection_id"], item["account_id"]) == (bare, account)
    assert (item["system"], item["portal"], item["state"]) == ("hubspot", "4242", "active")
    assert bare in shell.run("connections").stdout


def test_a_plan_changes_nothing(shell: Shell, bare: str) -> None:
    plan = shell.ask("install", bare, "--plan")

    assert (plan["applied"], actions(plan)) == (False, {"create"})
    assert actions(shell.ask("install", bare, "--plan")) == {"create"}


def test_an_installation_is_kept_the_second_time(shell: Shell, bare: str) -> None:
    assert actions(shell.ask("install", bare, "--apply")) == {"create"}
    assert actions(shell.ask("install", bare, "--apply")) == {"keep"}


def test_a_removal_keeps_the_fields_by_default(shell: Shell, bare: str) -> None:
    shell.ask("install", bare, "--apply")

    assert actions(shell.ask("install", bare, "--destroy")) == {"keep"}
    assert actions(shell.ask("install", bare, "--plan", "--destroy", "--drop-fields")) == {"remove"}
    assert actions(shell.ask("install", bare, "--plan")) == {"keep"}


def test_a_removal_of_the_fields_is_done_on_request(shell: Shell, bare: str) -> None:
    shell.ask("install", bare, "--apply")

    gone = shell.ask("install", bare, "--destroy", "--drop-fields")

    assert (gone["applied"], actions(gone)) == (True, {"remove"})
    assert actions(shell.ask("install", bare, "--plan")) == {"create"}


def test_an_admins_own_token_is_used_once(shell: Shell, twin: Twin, bare: str) -> None:
    twin.settings(tokens={"admin-token": 1001})

    steps = shell.ask(
        "install", bare, "--apply", "--secrets", "-", stdin={"access_token": "admin-token"}
    )

    assert actions(steps) == {"create"}


@pytest.mark.parametrize(
    "flags", [[], ["--plan", "--apply"], ["--apply", "--destroy"], ["--apply", "--drop-fields"]]
)
def test_flags_that_contradict_each_other_are_refused(
    shell: Shell, bare: str, flags: list[str]
) -> None:
    assert "--destroy" in shell.refusal("install", bare, *flags)


def test_a_backfill_counts_what_it_read(shell: Shell, twin: Twin, bare: str) -> None:
    twin.seed(count=5)

    assert shell.ask("backfill", bare)["records"] == {"contact": 5, "company": 0, "deal": 0}
    assert "contact: 5" in shell.run("backfill", bare).stdout


def test_a_pass_counts_what_webhooks_missed(shell: Shell, twin: Twin, connection: str) -> None:
    ann = twin.edit("contacts", email="bob@example.com", lifecyclestage="lead")
    assert shell.ask("reconcile", connection) == {"connection_id": connection, "differed": 1}
    twin.delete("contacts", ann)

    assert shell.run("reconcile", connection).stdout == "1 records differed\n"
    assert shell.ask("reconcile", connection)["differed"] == 0


def test_won_deals_that_are_nobodys_are_listed(shell: Shell, twin: Twin, bare: str) -> None:
    deals = [{"properties": {"dealstage": stage}} for stage in ("closedwon", "closedlost")]
    made = twin.seed(object="deals", records=deals)
    shell.ask("backfill", bare)

    items = shell.ask("wins", bare)["items"]

    assert [(one["record_id"], one["stage"]) for one in items] == [(made[0], "closedwon")]


def test_calls_are_paused_and_resumed(shell: Shell, bare: str) -> None:
    assert shell.ask("pause", bare, "--reason", "audit")["state"] == "paused"
    assert shell.ask("connections")["items"][0]["reason"] == "audit"
    assert "connector resume" in shell.refusal("backfill", bare)
    assert shell.ask("resume", bare)["state"] == "active"


@pytest.mark.parametrize(
    "words", ["install con_x --plan", "backfill con_x", "reconcile con_x", "pause con_x"]
)
def test_an_unknown_connection_says_where_to_look(shell: Shell, words: str) -> None:
    assert "connector connections" in shell.refusal(*words.split())
