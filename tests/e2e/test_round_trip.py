"""An edit in HubSpot reaches its record's slot, whatever the installation runs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Installation, Make, wait_for

EDITS = (
    ({"lifecyclestage": "marketingqualifiedlead"}, "6"),
    ({"hs_lead_status": "OPEN"}, "5"),
    ({"hs_lead_status": "CONNECTED"}, "4"),
    ({"lifecyclestage": "customer"}, "8"),
)


def play(own: Installation) -> None:
    """Edit a contact step by step and see each slot on its record."""
    contact = own.twin.edit("contacts", email="ann@example.com", lifecyclestage="lead")
    wait_for(lambda: own.slot(contact) == "3")
    for properties, slot in EDITS:
        own.twin.edit("contacts", contact, **properties)
        wait_for(lambda slot=slot: own.slot(contact) == slot)  # type: ignore[misc]


def test_everything_in_one_command_with_nothing_installed(make: Make) -> None:
    play(make({}, ["up"]))


def test_what_no_webhook_told_is_found_while_everything_runs(make: Make) -> None:
    own = make({}, ["up"])
    own.twin.settings(target="")
    contact = own.twin.edit("contacts", email="ann@example.com", lifecyclestage="customer")

    told = own.run("reconcile", own.connection["connection_id"])

    assert told["differed"] in {0, 1}  # 0 where the clock's own pass was first
    wait_for(lambda: own.slot(contact) == "8")


def test_postgresql_redis_and_two_workers(make: Make, postgres_url: str, valkey: str) -> None:
    key = "4hMbGBZ2FpwnR3AWzHyDdNxZ6cK8Ay9EkiyTm6yVYOo="
    settings = {
        "CONNECTOR_DATABASE_URL": postgres_url,
        "CONNECTOR_REDIS_URL": valkey,
        "CONNECTOR_SECRET_KEYS": key,
    }
    names = ["web --strict", "worker --strict", "worker --strict", "clock --strict"]
    own = make(settings, names)

    play(own)
    contacts = [own.twin.edit("contacts", email=f"{n}@example.com") for n in range(60)]
    for contact in contacts:
        own.twin.edit("contacts", contact, lifecyclestage="marketingqualifiedlead")

    wait_for(lambda: all(own.slot(contact) == "6" for contact in contacts))


def test_no_redis_at_all(make: Make, tmp_path: Path) -> None:
    settings = {"CONNECTOR_REDIS_URL": f"unix://{tmp_path}/nobody.sock"}

    play(make(settings, ["web", "worker"]))


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "clock"])
def test_the_procfile_s_processes_name_what_is_missing(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connector", name, "--strict"]
    environment = {"CONNECTOR_DATA_DIR": str(tmp_path), "PATH": ""}

    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=40)

    assert done.returncode == 1
    for missing in ("CONNECTOR_DATABASE_URL", "CONNECTOR_REDIS_URL", "CONNECTOR_SECRET_KEYS"):
        assert missing in done.stderr.decode()
