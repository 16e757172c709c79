"""The platform beside a CRM: connected, mapped, looked at by the doctor, called for nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from connector import bootstrap, figures
from connector.adapters import platform as adapter
from connector.domain.facts import ConnectionId
from connector.domain.journeys import JourneyEvent
from connector.mapping.journey_words import Words
from connector.pipeline.outgoing import deliver
from connector.store.journeys import event_row
from connector.store.tables_journeys import journey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Shell

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def platform(shell: Shell, account: str) -> str:
    """Return the account's connection to the platform."""
    return str(shell.ask("connect", "platform", "--account", account)["connection_id"])


def doctor(shell: Shell, name: str) -> dict[str, str]:
    """Return what the doctor says of a connection, by the last word of each check."""
    told = json.loads(shell.run("doctor", "--json").stdout)
    checks = [one for one in told["checks"] if one["name"].startswith(name)]
    return {one["name"].split()[-1]: one["text"] for one in checks}


def test_it_is_connected_with_what_a_sender_needs(shell: Shell, account: str) -> None:
    told = shell.ask("connect", "platform", "--account", account)

    url = f"http://127.0.0.1:8000/webhooks/platform/{told['connection_id']}"
    assert told["webhook_url"] == url
    assert told["secret"].startswith("whsec_")
    assert told["token_url"].startswith(f"{url}/")
    assert shell.ask("connect", "platform", "--account", account) == told


def test_a_rotation_keeps_the_connection_and_changes_its_keys(shell: Shell, account: str) -> None:
    first = shell.ask("connect", "platform", "--account", account)

    second = shell.ask("connect", "platform", "--account", account, "--rotate")

    assert second["webhook_url"] == first["webhook_url"]
    assert second["secret"] != first["secret"]
    assert second["token_url"] != first["token_url"]


def test_accounts_have_connections_of_their_own(shell: Shell, platform: str) -> None:
    other = shell.ask("connect", "platform", "--account", shell.account("theirs"))

    assert other["connection_id"] != platform


def test_an_unknown_account_is_refused(shell: Shell) -> None:
    assert "no account" in shell.refusal("connect", "platform", "--account", "acc_x")


@pytest.mark.parametrize(
    "words", [("backfill",), ("reconcile",), ("install", "--plan"), ("wins",)], ids=lambda w: w[0]
)
def test_nothing_that_calls_a_crm_is_done_to_it(
    shell: Shell, platform: str, words: tuple[str, ...]
) -> None:
    name, *more = words

    assert "not to a CRM" in shell.refusal(name, platform, *more)


def test_no_worker_is_woken_to_call_it(shell: Shell, platform: str) -> None:
    shell.ask("pause", platform)
    shell.ask("resume", platform)

    bootstrap.housekeeping()

    assert ("deliver", platform) not in bootstrap.due(-60.0)
    assert deliver(bootstrap.services(), platform) == 0


def test_the_pipeline_is_saved_beside_it(
    shell: Shell, connection: str, platform: str, tmp_path: Path
) -> None:
    assert connection != platform
    file = tmp_path / "pipeline.yaml"
    file.write_text("labels: {7: In Demo}")

    assert shell.ask("pipeline", "import", str(file), "--dry-run")["dry_run"]
    assert shell.ask("pipeline", "import", str(file))["pipeline"]["labels"]


@pytest.mark.usefixtures("platform")
def test_its_words_go_out_and_in_as_yaml(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    document = {"fields": {"email": "user.mail"}, "types": {"x": "page_view"}, "capture": True}
    file.write_text(yaml.safe_dump(document))

    assert shell.ask("mapping", "import", str(file), "--dry-run")["version"] == 0
    assert shell.ask("mapping", "import", str(file))["version"] == 1
    assert shell.ask("mapping", "export") == {"system": "platform", **document}


def test_beside_a_crm_the_mapping_is_that_of_the_crm(
    shell: Shell, connection: str, platform: str
) -> None:
    assert connection
    assert shell.ask("mapping", "export")["system"] == "hubspot"
    assert shell.ask("mapping", "export", "--connection", platform)["system"] == "platform"


def test_the_doctor_says_what_comes_and_how(shell: Shell, platform: str) -> None:
    body = [
        {"type": "page_view", "visitor": {"device_id": "d"}},
        {"code": "trial_click", "visitor": {"device_id": "d"}},
        {"visitor": {}},
    ]
    figures.count("bb_platform_proofs_total", connection=platform, proof="token")
    bootstrap.pulse("web")
    keep(platform, json.dumps(body).encode())

    found = doctor(shell, platform)

    assert found["proofs"] == "deliveries kept: 1 by token"
    assert found["events"] == "custom/trial_click 1, page_view 1"
    assert (
        "seen: custom (Event, Events: custom), page_view (Pages, Page, Source," in found["columns"]
    )
    rule = "create a platform rule 'Form submitted' that calls this webhook"
    assert f"form_submitted (Form, Events: form submitted): {rule}" in found["columns"]
    assert found["unread"] == "1 deliveries and parts"
    assert found["capture"] == "off, 0 bodies kept"


def test_the_doctor_finds_a_fresh_connection_fine(shell: Shell, platform: str) -> None:
    told: dict[str, Any] = json.loads(shell.run("doctor", "--json").stdout)

    assert [one["name"] for one in told["checks"] if not one["ok"]] == []
    assert doctor(shell, platform)["events"] == "no event has come yet"


def keep(name: str, body: bytes) -> None:
    """Keep a body's events, as a split does."""
    with bootstrap.services().store.writing() as unit:
        owner = unit.connection(name).account_id
        for part in adapter.read(body, NOW, Words()):
            if isinstance(part, JourneyEvent):
                row = {**event_row(part), "account_id": owner, "connection_id": name}
                unit.tx.execute(journey.insert().values(**row, received_at=NOW))
            else:
                unit.park_part(owner, ConnectionId(name), (part.key, part.raw, part.reason), NOW)
