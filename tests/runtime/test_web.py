from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from connector.runtime.port import PortTaken, wait_for_port

if TYPE_CHECKING:
    from tests.runtime.conftest import House

SIZE = 32 * 1024 * 1024


def ask(house: House, path: str = "/", body: bytes | None = None) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST" if body else "GET", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def answered(house: House) -> int:
    with suppress(OSError, http.client.HTTPException):
        return int(ask(house)[1])
    return 0


def test_it_takes_large_bodies_and_says_nothing_of_paths(house: House) -> None:
    house.start("web")
    house.wait(lambda: answered(house))

    assert ask(house, "/read", b"x" * SIZE) == (200, str(SIZE).encode())
    assert ask(house, "/refuse", b"x" * (1 << 20))[0] == 413
    assert ask(house, "/boom?hunter2", b"x")[0] == 500
    assert answered(house)

    assert "hunter2" not in house.words("web")
    assert '"level": "error"' in house.words("web")


def test_it_answers_what_it_has_begun_before_it_ends(house: House) -> None:
    web = house.start("web")
    house.wait(lambda: answered(house))
    answers: list[tuple[int, bytes]] = []
    request = threading.Thread(target=lambda: answers.append(ask(house, "/slow")))

    request.start()
    house.wait(lambda: house.done("slow"))
    web.terminate()

    assert web.wait(15) == 0
    request.join()
    assert answers[0][0] == 200
    assert house.processes("program.py") == []


def test_a_killed_worker_process_is_replaced(house: House) -> None:
    house.start("web")
    first = house.wait(lambda: answered(house))

    os.kill(first, signal.SIGKILL)

    house.wait(lambda: answered(house) not in (0, first))


@pytest.mark.parametrize("parent", [str(os.getpid()), ""], ids=["supervised", "alone"])
def test_no_worker_process_outlives_a_killed_server(house: House, parent: str) -> None:
    web = house.start("web", CONNECTOR_LIFELINE=parent, CONNECTOR_WEB_WORKERS="2")
    house.wait(lambda: len(house.processes("program.py")) == 3 and answered(house))

    web.kill()
    web.wait()

    house.wait(lambda: not house.processes("program.py"), within=3)


def test_a_taken_port_is_said_and_not_shared() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match="another program"):
            wait_for_port("127.0.0.1", port, patience=0.0)

    wait_for_port("127.0.0.1", port)


def test_a_worker_process_holds_on_to_its_parent_before_it_loads_the_application() -> None:
    code = "import sys, connector.runtime.served; print({'flask', 'sqlalchemy'} & {*sys.modules})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "set()"
