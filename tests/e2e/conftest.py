"""A whole installation: real processes, a real twin, everything over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from simulators.hubspot.testing import Twin

PATIENCE = 40.0
SECRET = "twin-app-secret"


class Installation:
    """The product in a folder of its own, connected to a twin."""

    def __init__(self, folder: Path, twin: Twin, settings: Mapping[str, str]) -> None:
        self.twin = twin
        self.port = _free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")},
            "CONNECTOR_DATA_DIR": str(folder / "data"),
            "CONNECTOR_PORT": str(self.port),
            "CONNECTOR_ALLOW_LOOPBACK_CRM": "1",
            "CONNECTOR_WEB_WORKERS": "1",
            **settings,
        }
        self.log = (folder / "log").open("wb")

    def start(self, *names: str) -> None:
        """Start processes of the product by the names of their commands."""
        for name in names:
            command = [sys.executable, "-m", "connector", *name.split()]
            self.processes.append(
                subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=self.log)
            )

    def wait_until_up(self) -> None:
        """Wait until the web server answers."""
        wait_for(lambda: _answers(f"http://127.0.0.1:{self.port}/healthz"))

    def run(self, *words: str, told: object = None) -> Any:
        """Run a command; return the JSON that it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "connector", *words, "--json"],
            env=self.environment,
            input=json.dumps(told).encode() if told else b"",
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def connect(self) -> None:
        """Make an account, connect the twin to it and install our fields there."""
        account = self.run("account", "create", "Acme")
        self.token = account["api_token"]
        secrets = {"access_token": "twin-token", "client_secret": SECRET}
        words = ("connect", "hubspot", "--account", account["account_id"], "--portal-id", "4242")
        where = ("--app-id", "1001", "--api-url", self.twin.url, "--secrets", "-")
        self.connection = self.run(*words, *where, told=secrets)
        self.run("install", self.connection["connection_id"], "--apply")
        self.twin.settings(target=self.connection["webhook_url"])

    def slot(self, contact: str) -> str | None:
        """Return the slot that stands on a contact's record in the CRM."""
        value: str | None = self.twin.value("contacts", contact, "bnb_lead_slot")
        return value

    def stop(self) -> None:
        """End every process that was started."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


Make = Callable[[Mapping[str, str], Sequence[str]], Installation]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes an installation from settings and process names."""
    made: list[Installation] = []
    with Twin(client_secret=SECRET, limit=1000) as twin:

        def run(settings: Mapping[str, str], names: Sequence[str]) -> Installation:
            own = Installation(tmp_path, twin, settings)
            made.append(own)
            own.start(*names)
            own.wait_until_up()
            own.connect()
            return own

        yield run
        for own in made:
            own.stop()


def wait_for(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds; fail when it does not in time."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code < 500
    except requests.RequestException:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
