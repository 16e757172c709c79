"""The product, known by its contract alone: console script, settings, HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import requests

from soak import processes
from soak.processes import Running, wait_for

CONNECTOR = Path(sys.executable).with_name("connector")
PROCFILE = {"web": 1, "worker": 2, "clock": 1}
START_WITHIN = 45.0
Through = Literal["procfile", "up"]
Json = dict[str, Any]


class Installation:
    """The processes of one installation, started one by one or through `connector up`."""

    def __init__(self, folder: Path, through: Through, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.through = through
        self.port = free_port()
        self.other_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")},
            "CONNECTOR_DATA_DIR": str(folder / "data"),
            "CONNECTOR_PORT": str(self.port),
            "CONNECTOR_PUBLIC_URL": self.url,
            "CONNECTOR_ALLOW_LOOPBACK_CRM": "1",
            "CONNECTOR_WEB_WORKERS": "2",
            "CONNECTOR_BRAKE_PER_HOUR": "1000000",
            **settings,
        }
        self._log = (folder / "product.log").open("ab")
        self.own: dict[str, list[subprocess.Popen[bytes]]] = {}
        self._sessions = threading.local()
        self.token = ""

    def spawn(self, role: str, **more: str) -> subprocess.Popen[bytes]:
        """Start one process of the product; extra settings make it a second one beside."""
        strict = [] if role == "up" else ["--strict"]
        process = subprocess.Popen(
            [CONNECTOR, role, *strict],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd=self.folder,
            start_new_session=True,
        )
        self.own.setdefault(role, []).append(process)
        return process

    def command(self, *words: str, told: object = None) -> Json:
        """Run a command; return the JSON that it prints."""
        done = subprocess.run(
            [CONNECTOR, *words, "--json"],
            env=self.environment,
            input=json.dumps(told).encode() if told else b"",
            capture_output=True,
            check=False,
            timeout=60,
            cwd=self.folder,
        )
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr.decode()[-1000:]}")
        found: Json = json.loads(done.stdout)
        return found

    def migrate(self) -> int:
        """Run the migrations as the Procfile's release process does; return the exit code."""
        command: list[str | Path] = [CONNECTOR, "migrate", "--strict"]
        done = subprocess.run(
            command,
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
            check=False,
            timeout=60,
            cwd=self.folder,
        )
        return done.returncode

    def ensure(self) -> bool:
        """Start what should run and does not; say whether the web server answers in time."""
        wanted = {"up": 1} if self.through == "up" else PROCFILE
        for role, count in wanted.items():
            known = processes.table()  # whose threads still end is dead, though nobody can say how
            running = self.own.get(role, [])
            living = [one for one in running if one.poll() is None and one.pid in known]
            self.own[role] = living
            for _ in range(count - len(living)):
                self.spawn(role)
        return wait_for(self.answers, START_WITHIN)

    def pids(self, role: str) -> list[int]:
        """Return the processes of a role, oldest first."""
        if self.through == "procfile" or role == "up":
            return [one.pid for one in self.own.get(role, []) if one.poll() is None]
        return [one.pid for one in self.family() if one.role == role]

    def family(self) -> list[Running]:
        """Return every process of the installation."""
        roots = [one.pid for many in self.own.values() for one in many if one.poll() is None]
        return [one for pid in roots for one in processes.tree(pid)]

    def answers(self, port: int | None = None) -> bool:
        """Say whether the web server answers."""
        try:
            reply = requests.get(f"http://127.0.0.1:{port or self.port}/healthz", timeout=2)
        except requests.RequestException:
            return False
        return reply.ok

    def get(self, path: str, **query: object) -> Json:
        """Ask the API; try again while it is away."""
        for _ in range(120):
            reply = self.ask("GET", path, query={k: str(v) for k, v in query.items()})
            if reply is not None and reply.ok:
                found: Json = reply.json()
                return found
            time.sleep(0.25)
        raise RuntimeError(f"the API does not answer GET {path}: {reply and reply.text}")

    def items(self, path: str, **query: object) -> Iterator[Json]:
        """Yield every item of a listing."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, limit=200, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]

    def ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, str] | None = None,
        timeout: float = 10,
    ) -> requests.Response | None:
        """Make one API call; None when there was no answer."""
        try:
            return self._session().request(
                method,
                f"{self.url}/api/v1/{path}",
                json=body,
                params=query,
                timeout=timeout,
                headers={"Authorization": f"Bearer {self.token}"},
            )
        except requests.RequestException:
            return None

    def outside(self, path: str) -> requests.Response | None:
        """Ask what lies outside the API, such as `readyz`."""
        try:
            return self._session().get(f"{self.url}/{path}", timeout=10)
        except requests.RequestException:
            return None

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "own"):
            self._sessions.own = requests.Session()
            self._sessions.own.trust_env = False
        own: requests.Session = self._sessions.own
        return own

    def close(self) -> None:
        """End everything."""
        family = self.family()
        for one in family:
            processes.send(one.pid, signal.SIGCONT)
            processes.send(one.pid, signal.SIGKILL)
        for many in self.own.values():
            for process in many:
                process.wait(10)
        self._log.close()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
