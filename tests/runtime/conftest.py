"""A house: one data folder, the real processes in it, and a look at all of them from outside."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
import redis

from connector.runtime import valkey
from connector.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
PATIENCE = 30.0
MARK = "HOUSE_MARK"
Answer = TypeVar("Answer")
Row = tuple[str, str, str, int]


class House:
    """Starts processes in a folder of their own and sees them all, orphans too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = folder / "jobs.db"
        self.port = _free_port()
        self.environment = {
            **{key: value for key, value in os.environ.items() if "CONNECTOR_" not in key},
            "PYTHONPATH": str(ROOT),
            "FAKES_FILE": str(self.jobs),
            "CONNECTOR_DATA_DIR": str(folder / "var"),
            "CONNECTOR_PORT": str(self.port),
            "CONNECTOR_WEB_WORKERS": "1",
            MARK: secrets.token_hex(8),
        }
        self.settings = Settings(data_dir=folder / "var", port=self.port)
        self.settings.data_dir.mkdir(mode=0o700)
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start one of our processes."""
        return self._spawn([sys.executable, str(PROGRAM), name], name, environment)

    def start_valkey(self) -> subprocess.Popen[bytes]:
        """Start the server that belongs to the folder, and wait for it."""
        valkey.clear_away(self.settings.socket)
        process = self._spawn(valkey.command(self.settings), "valkey", {})
        self.wait(lambda: valkey.answers(self.settings.socket))
        return process

    def _spawn(
        self, command: list[str], name: str, environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        return child

    def words(self, name: str) -> str:
        """Return what a process has said."""
        return (self.folder / f"{name}.log").read_text()

    def wait(self, ask: Callable[[], Answer], within: float = PATIENCE) -> Answer:
        """Return the first answer that is true; fail, with what was said, if there is none."""
        until = time.monotonic() + within
        while not (answer := ask()):
            if time.monotonic() > until:
                said = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
                pytest.fail(f"not within {within} s; the processes said:\n{said[-8000:]}")
            time.sleep(0.03)
        return answer

    def processes(self, of: str = "") -> list[int]:
        """Return every living process of this house, or those whose command has a word in it."""
        found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [pid for pid in found if self._lives_here(pid) and of in _command(pid)]

    def _lives_here(self, pid: int) -> bool:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            return self.environment[MARK].encode() in environment or str(self.folder) in _command(
                pid
            )
        return False

    def redis(self) -> redis.Redis:
        """Return a client of the folder's own server."""
        return redis.Redis(unix_socket_path=str(self.settings.socket))

    def put(self, *ids: str) -> None:
        """Let a drain wait for each id."""
        with closing(self._store()) as store, store:
            store.executemany(
                "INSERT INTO waiting VALUES ('drain', ?, ?)", [(one, time.time()) for one in ids]
            )

    def done(self, job: str = "drain") -> list[Row]:
        """Return what was done, oldest first: job, id, thread, process."""
        with closing(self._store()) as store:
            query = "SELECT job, id, thread, pid FROM done WHERE job = ? ORDER BY at"
            return store.execute(query, (job,)).fetchall()

    def ids_done(self) -> set[str]:
        """Return the ids that were drained."""
        return {row[1] for row in self.done()}

    def _store(self) -> sqlite3.Connection:
        store = sqlite3.connect(self.jobs, timeout=30)
        store.execute("CREATE TABLE IF NOT EXISTS waiting (job, id, since REAL)")
        store.execute("CREATE TABLE IF NOT EXISTS done (job, id, thread, pid, at REAL)")
        return store

    def clear_away(self) -> None:
        """Kill whatever is left."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for child in self._children:
            child.wait(PATIENCE)


@pytest.fixture
def house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="house-"))
    house = House(folder)
    try:
        yield house
    finally:
        house.clear_away()
        shutil.rmtree(folder, ignore_errors=True)


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
