"""A data folder of its own, the commands run in it, and a HubSpot portal next door."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from connector import bootstrap
from connector.cli import main
from connector.pipeline.drain import drain
from connector.pipeline.outgoing import deliver
from connector.settings import current
from simulators.hubspot.testing import Twin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = {"access_token": "twin-token", "client_secret": "twin-secret"}


class Shell:
    """Runs commands as an operator does."""

    def run(self, *words: str, stdin: object = None) -> Result:
        """Run a command; return its exit code and what it said."""
        text = None if stdin is None else json.dumps(stdin)
        return CliRunner().invoke(main, words, input=text)

    def ask(self, *words: str, stdin: object = None) -> Any:
        """Run a command that has to succeed, with --json; return what it printed."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def refusal(self, *words: str) -> str:
        """Run a command that has to fail; return its one line of an error."""
        done = self.run(*words)
        assert done.exit_code == 1, done.output
        assert done.stderr.startswith("error: ")
        return done.stderr

    def account(self, name: str = "ours") -> str:
        """Make an account."""
        return str(self.ask("account", "create", name)["account_id"])

    def connect(self, twin: Twin, account_id: str) -> str:
        """Connect the portal to an account."""
        where = ("--portal-id", str(twin.config.portal_id), "--app-id", str(twin.config.app_id))
        words = ("connect", "hubspot", "--account", account_id, *where, "--api-url", twin.url)
        return str(self.ask(*words, "--secrets", "-", stdin=SECRETS)["connection_id"])


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    for name in [name for name in os.environ if name.startswith("CONNECTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTOR_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CONNECTOR_ALLOW_LOOPBACK_CRM", "1")
    forget()
    yield Shell()
    forget()


def forget() -> None:
    """Forget the settings and services that this process keeps."""
    if bootstrap.services.cache_info().currsize:
        bootstrap.services().store.database.close()
    for kept in (current, bootstrap.services, bootstrap.waker):
        kept.cache_clear()


@pytest.fixture
def twin() -> Iterator[Twin]:
    with Twin(limit=10_000) as twin:
        yield twin


@pytest.fixture
def account(shell: Shell) -> str:
    return shell.account()


@pytest.fixture
def connection(shell: Shell, twin: Twin, account: str) -> str:
    """Return a connection to a portal with our fields and one lead in it, which is known."""
    made = shell.connect(twin, account)
    shell.ask("install", made, "--apply")
    twin.seed(records=[{"properties": {"email": "ann@example.com", "lifecyclestage": "lead"}}])
    shell.ask("backfill", made)
    return made


@pytest.fixture
def profile(connection: str) -> str:
    """Return the lead's profile."""
    return profiles(connection)[0]


def profiles(connection_id: str) -> list[str]:
    """Return every profile of a connection's account."""
    with bootstrap.services().store.reading() as unit:
        account_id = unit.connection(connection_id).account_id
        return [one.id for one in unit.people.found(account_id, {}, "", 100)]


def slot(connection_id: str, profile_id: str) -> int:
    """Return where a profile is."""
    with bootstrap.services().store.reading() as unit:
        account_id = unit.connection(connection_id).account_id
        found = unit.people.profile(account_id, profile_id)
    assert found
    assert found.slot
    return found.slot.value


def work(connection_id: str) -> None:
    """Do what the workers would do."""
    services = bootstrap.services()
    deliver(services, connection_id)
    with services.store.reading() as unit:
        account_id = unit.connection(connection_id).account_id
    drain(services, account_id)
