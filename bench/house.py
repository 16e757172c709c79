"""A whole installation in a folder of its own; every process ends with it, by its id."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bench.events import APP, PORTAL, request
from bench.load import PATIENCE, Plan
from connector import bootstrap
from connector.domain.facts import AccountId, ConnectionId
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.pipeline import connecting
from connector.pipeline.connecting import Request
from connector.pipeline.installing import install
from connector.pipeline.services import Services
from connector.runtime import lifeline, valkey
from connector.runtime.folder import make_private
from connector.settings import PREFIX, Settings
from connector.stored import Connection
from simulators.hubspot.client import Control

HOST = "127.0.0.1"
ACCOUNT, CONNECTION = AccountId("acc_bench"), ConnectionId("con_bench")
SECRET = "bench-secret"  # noqa: S105 - made up
CHECKOUT = Path(__file__).parents[1]
STARTS_WITHIN, STOPS_WITHIN = 60.0, 15.0
Child = subprocess.Popen[bytes]
NOWHERE = f"http://{HOST}:9"


class House:
    """The product's settings, services and processes."""

    def __init__(self, folder: Path, **more: Any) -> None:
        make_private(folder / "data")
        self.folder = folder
        self.port = free_port()
        self.settings = Settings(
            **{
                "_env_file": None,  # the environment of whoever measures is left alone
                "data_dir": folder / "data",
                "port": self.port,
                "secret_keys": SecretStr(Fernet.generate_key().decode()),
                "allow_loopback_crm": True,
                "log_level": "WARNING",
                **more,
            },
        )
        self._children: list[Child] = []

    @property
    def url(self) -> str:
        """The product's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        """Where the product listens."""
        return HOST, self.port

    def request(self, path: str, content: bytes) -> bytes:
        """Return a signed request."""
        return request(self.address, path, SECRET, content)

    def services(self) -> Services:
        """Return services of this process on the house's database."""
        return bootstrap.build(self.settings)

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start a module as a process of the house."""
        return self._start([sys.executable, "-m", *words], environment or {})

    def start_valkey(self) -> Child:
        """Start the Valkey that `connector up` would start; return when it answers."""
        watched = (sys.executable, "-m", "connector.runtime.lifeline")
        child = self._start([*watched, *valkey.command(self.settings)], {})
        wait_for(lambda: valkey.answers(self.settings.socket), "Valkey")
        return child

    def start_twin(self, **settings: Any) -> Control:
        """Start a HubSpot twin as a process of its own; return its control."""
        words = ("simulators.hubspot", "--lifeline", "--settings", json.dumps(settings))
        log = self.folder / "twin"
        self._start([sys.executable, "-m", *words], {}, log)
        wait_for(lambda: log.exists() and b"\n" in log.read_bytes(), "the twin")
        return Control(json.loads(log.read_text().partition("\n")[0])["url"])

    def wait_until_up(self) -> None:
        """Return once the web process answers."""
        wait_for(lambda: _answers(f"{self.url}/healthz"), "the web process")

    def send(self, **plan: Any) -> dict[str, Any]:
        """Run the load generator against the web process."""
        words = asdict(Plan(HOST, self.port, **{"path": webhook_path(), "secret": SECRET} | plan))
        done = subprocess.run(
            [sys.executable, "-m", "bench.load"],
            env=self._environment(),
            input=json.dumps(words).encode(),
            capture_output=True,
            check=True,
            timeout=PATIENCE * 4 + words["seconds"] + words["most"] / 500,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def stop(self) -> None:
        """Stop what was started, last first."""
        while self._children:
            end(self._children.pop())

    def _start(self, command: list[str], more: Mapping[str, str], log: Path | None = None) -> Child:
        with (log or self.folder / "log").open("ab") as output:
            child = subprocess.Popen(  # noqa: S603 - our own modules
                command,
                env={**self._environment(), **more, lifeline.VARIABLE: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._children.append(child)
        return child

    def _environment(self) -> dict[str, str]:
        paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
        clean = {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}
        return clean | self.settings.environment() | {"PYTHONPATH": ":".join(filter(None, paths))}


@contextmanager
def housed(folder: Path, **more: Any) -> Iterator[House]:
    """Open a house in a fresh folder, and close it however the block ends."""
    folder.mkdir(parents=True)
    house = House(folder, **more)
    try:
        yield house
    finally:
        house.stop()


def end(child: Child) -> None:
    """Ask a process to end; kill it when it does not."""
    for insist in (child.terminate, child.kill):
        insist()
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOPS_WITHIN)
            return


def connect(services: Services, *, state: str = "paused") -> None:
    """Make an account with one connection; paused, nobody calls its CRM."""
    draft = Connection(
        *(CONNECTION, ACCOUNT, "hubspot", str(PORTAL), str(APP), NOWHERE, "v3"),
        *(state, "", 0),
    )
    with services.store.writing() as unit:
        now = services.now()
        unit.add_account("bench", (ACCOUNT, "hash", "00" * 32), now)
        made = unit.connect(draft, {"access_token": "t", "client_secret": SECRET}, None, now)
        unit.add_version(made, Lookup(preset("hubspot")), now)
        unit.set_state(made.id, state)


def connect_twin(services: Services, twin_url: str) -> Connection:
    """Make an account, connect the twin's portal to it and install our fields there."""
    with services.store.writing() as unit:
        unit.add_account("bench", (ACCOUNT, "hash", "00" * 32), services.now())
    secrets = {"access_token": "twin-token", "client_secret": SECRET}
    asked = Request(ACCOUNT, "hubspot", str(PORTAL), str(APP), twin_url, "v3", secrets)
    made = connecting.connect(services, asked)
    install(services, made.id, apply=True, token=None)
    return made


def webhook_path(connection_id: str = CONNECTION) -> str:
    """Return the path of a connection's webhooks."""
    return f"/webhooks/hubspot/{connection_id}"


def wait_for(ask: Callable[[], object], what: str, within: float = STARTS_WITHIN) -> float:
    """Ask until the answer is true; return the seconds that took."""
    began = time.monotonic()
    while not ask():
        if time.monotonic() - began > within:
            raise TimeoutError(f"{what}: not within {within:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=1).ok
    return False
