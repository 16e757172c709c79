from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from connector.runtime import lifeline, valkey
from connector.runtime.kept import MOST_WAIT, Kept

if TYPE_CHECKING:
    from tests.runtime.conftest import House

ROOT = Path(__file__).parents[2]
# Both without the kernel's net, as on a system that has none.
WATCHED = """
import time
from connector.runtime import lifeline
lifeline._PRCTL = None
lifeline.hold()
lifeline.hold()
print("held", flush=True)
time.sleep(60)
"""
PARENT = """
import os, subprocess, sys, time
environment = {**os.environ, "CONNECTOR_LIFELINE": str(os.getpid())}
subprocess.Popen([sys.executable, *sys.argv[1:]], env=environment)
time.sleep(60)
"""


WATCHER = ("-m", "connector.runtime.lifeline", "sleep", "60")


def asleep(house: House) -> bool:
    commands = (Path(f"/proc/{pid}/comm") for pid in house.processes("sleep 60"))
    with suppress(FileNotFoundError):
        return any(command.read_text() == "sleep\n" for command in commands)
    return False


def parent_of(house: House, *command: str) -> subprocess.Popen[bytes]:
    """Start a parent that starts a child, and wait for both."""
    parent = house._spawn([sys.executable, "-c", PARENT, *command], "parent", {})
    house.wait(lambda: len(house.processes()) >= 2)
    return parent


def test_a_python_child_sees_its_parent_die(house: House) -> None:
    parent = parent_of(house, "-c", WATCHED)
    house.wait(lambda: "held" in house.words("parent"))

    parent.kill()
    parent.wait()

    house.wait(lambda: not house.processes(), within=3)


def test_a_foreign_program_ends_with_its_parent(house: House) -> None:
    parent = parent_of(house, *WATCHER)
    house.wait(lambda: asleep(house))

    parent.kill()
    parent.wait()

    house.wait(lambda: not house.processes(), within=3)


def test_a_foreign_program_is_stopped_with_its_watcher(house: House) -> None:
    parent_of(house, *WATCHER)
    house.wait(lambda: asleep(house))
    (watcher,) = set(house.processes("connector.runtime.lifeline")) - set(house.processes(PARENT))

    os.kill(watcher, signal.SIGTERM)

    house.wait(lambda: not asleep(house))


def test_who_has_no_parent_is_left_alone() -> None:
    code = "from connector.runtime import lifeline; lifeline.hold(); print(lifeline._held_in)"

    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)

    assert said == b"[]\n"


def test_a_server_left_behind_is_ended_before_the_next_starts(house: House) -> None:
    left = house.start_valkey()

    valkey.clear_away(house.settings.socket)

    assert left.wait(10) == 0
    assert not house.settings.socket.exists()


def test_a_child_that_dies_is_started_again_slower_each_time() -> None:
    starts: list[int] = []

    def launch(failed_starts: int) -> lifeline.Child:
        starts.append(failed_starts)
        return lifeline.start(["false"], dict(os.environ))

    child = Kept("false", 0, launch)
    until = time.monotonic() + 20
    while len(starts) < 4 and time.monotonic() < until:
        child.tend()
        time.sleep(0.005)

    assert starts == [0, 1, 2, 3]
    child.ask_to_stop()
    while child.stopping() and time.monotonic() < until:
        time.sleep(0.005)
    assert not child.alive


def test_a_child_that_ran_well_is_started_again_as_soon_as_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connector.runtime.kept.HEALTHY_AFTER", 0.0)
    with capture_logs() as said:
        die_four_times(MOST_WAIT)

    assert [line["again_in"] for line in said if line["event"] == "child_died"] == [0.01] * 4


def test_no_child_is_left_dead_for_longer_than_its_most() -> None:
    with capture_logs() as said:
        die_four_times(0.02)

    waits = [line["again_in"] for line in said if line["event"] == "child_died"]
    assert waits == [0.01, 0.02, 0.02, 0.02]


def die_four_times(most_wait: float) -> None:
    """Tend a child that ends at once, as often as that."""
    deaths = 0

    def launch(_: int) -> lifeline.Child:
        nonlocal deaths
        deaths += 1
        return lifeline.start(["false"], dict(os.environ))

    child = Kept("false", 0, launch, most_wait=most_wait)
    until = time.monotonic() + 20
    while (deaths < 4 or child._process is not None) and time.monotonic() < until:
        child.tend()
        time.sleep(0.002)
    child.ask_to_stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.runtime.kept.FIRST_WAIT", 0.01)
