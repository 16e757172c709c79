"""`connector demo` as a person runs it: every process is real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from connector.demo.story import SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
WITHIN = 120.0  # seconds, on a machine that runs other tests too
Answer = TypeVar("Answer")


class Theatre:
    """A demo in a folder of its own, and a look at all of its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._play: subprocess.Popen[str] | None = None

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        own = {name: text for name, text in os.environ.items() if "CONNECTOR_" not in name}
        own |= {
            "PYTHONPATH": str(ROOT),
            "CONNECTOR_DATA_DIR": str(self.folder),
            "CONNECTOR_PORT": str(_free_port()),
        }
        with (self.folder / "told").open("w") as told:
            self._play = subprocess.Popen(
                [sys.executable, "-m", "connector", "demo", *arguments],
                cwd=self.folder,
                env=own | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                start_new_session=True,
            )
        return self._play

    def told(self) -> str:
        return (self.folder / "told").read_text()

    def processes(self, of: str = "") -> list[int]:
        found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [pid for pid in found if self._plays_here(pid) and of in _command(pid)]

    def _plays_here(self, pid: int) -> bool:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
            return str(self.folder).encode() in Path(f"/proc/{pid}/environ").read_bytes()
        return False

    def clear_away(self) -> None:
        if self._play is not None:
            self._play.kill()
            self._play.communicate()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    with tempfile.TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as folder:
        theatre = Theatre(Path(folder))
        try:
            yield theatre
        finally:
            theatre.clear_away()


def test_the_whole_story_goes_well_and_everything_ends(theatre: Theatre) -> None:
    # Settings that would lead to real data are left behind.
    (theatre.folder / ".env").write_text("CONNECTOR_REDIS_URL=redis://127.0.0.1:9\n")
    play = theatre.start("--once", CONNECTOR_DATABASE_URL="sqlite:////nowhere/real.db")

    stdout, _ = play.communicate(timeout=WITHIN)

    told = json.loads(stdout.splitlines()[-1])
    assert play.returncode == 0, theatre.told()
    assert told["ok"]
    assert told["median_seconds"] <= 3
    assert list(dict.fromkeys(step["scene"] for step in told["steps"])) == [
        title for title, _ in SCENES
    ]
    assert all(step["ok"] and step["seconds"] >= 0 for step in told["steps"])
    assert theatre.processes() == []


def test_with_the_worker_stopped_it_fails_and_says_so(theatre: Theatre) -> None:
    play = theatre.start("--once")
    os.kill(_wait(lambda: theatre.processes("connector worker"))[0], signal.SIGSTOP)

    stdout, _ = play.communicate(timeout=WITHIN)

    assert play.returncode == 1
    assert not json.loads(stdout)["ok"]
    assert "the demo failed" in theatre.told()
    assert "worker" in theatre.told()
    assert theatre.processes() == []


def test_it_stays_until_it_is_interrupted(theatre: Theatre) -> None:
    play = theatre.start()
    assert play.stdout is not None
    places = dict(_until(play.stdout.readline, "data"))

    reply = _get(f"{places['API']}/profiles?slot=8", places["token"])
    assert {"zoe@customers.example"} <= {one for row in reply["items"] for one in row["emails"]}
    play.send_signal(signal.SIGINT)

    assert play.wait(WITHIN) == 0
    assert theatre.processes() == []


def test_nothing_outlives_a_killed_demo(theatre: Theatre) -> None:
    play = theatre.start("--once")
    _wait(lambda: theatre.processes("connector worker"))

    play.kill()
    play.wait()

    _wait(lambda: not theatre.processes())


def test_a_second_demo_leaves_the_first_alone(theatre: Theatre) -> None:
    first = theatre.start("--once")
    _wait(lambda: theatre.processes("connector up"))
    second = subprocess.run(
        [sys.executable, "-m", "connector", "demo", "--once"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CONNECTOR_DATA_DIR": str(theatre.folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"in use by process {first.pid}" in second.stderr
    assert theatre.processes("connector up")


def _until(read: Callable[[], str], last: str) -> Iterator[tuple[str, str]]:
    """Read what is told about where things are, as (word, value)."""
    while line := read():
        word, _, value = line.partition(" ")
        yield word, value.strip()
        if word == last:
            return


def _get(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - our own address
        return json.load(reply)


def _wait(ask: Callable[[], Answer]) -> Answer:
    until = time.monotonic() + WITHIN
    while not (answer := ask()):
        assert time.monotonic() < until
        time.sleep(0.03)
    return answer


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
