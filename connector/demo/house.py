"""The processes of the demo, in a data folder of their own; all of them end with it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

import connector
from connector.demo.http import Talk, Unexpected
from connector.domain.errors import ConnectorError
from connector.runtime import lifeline
from connector.runtime.folder import alone, make_private
from connector.settings import PREFIX, Settings, SettingsRefused

HOST = "127.0.0.1"
STARTS_WITHIN = 45.0
STOPS_WITHIN = 5.0
LOOK_EVERY = 0.05
CHECKOUT = Path(connector.__file__).parents[1]

Answer = TypeVar("Answer")


class DidNotStart(ConnectorError):
    """A process of the demo ended, or said nothing, before it was ready."""


@dataclass(frozen=True, slots=True)
class House:
    """Where things are: the folder, the product's address and its processes."""

    folder: Path
    url: str
    up: lifeline.Child
    twin: lifeline.Child

    def twin_url(self) -> str:
        """Return the twin's address once it listens."""
        said = _wait(self.twin, self.folder / "twin.log", lambda: self._line("twin.log"))
        return str(json.loads(said)["url"])

    def wait_until_up(self) -> None:
        """Return once the product answers."""
        talk = Talk(self.url)
        _wait(self.up, self.log, lambda: _answers(talk))

    @property
    def log(self) -> Path:
        """Where the product's processes write their logs."""
        return self.folder / "up.log"

    def _line(self, name: str) -> str:
        first, end, _ = (self.folder / name).read_text().partition("\n")
        return first if end else ""


@contextmanager
def open_house() -> Iterator[House]:
    """Start the product and a twin in a fresh folder; stop both at the end, however it comes."""
    wanted = _settings()
    root = wanted.data_dir / "demo"
    make_private(root)
    with alone(root):
        folder = root / "data"
        shutil.rmtree(folder, ignore_errors=True)
        make_private(folder)
        port = _free_port(wanted.port)
        _move_in(folder, port)
        twin = _start(folder, "twin.log", "simulators.hubspot", "--lifeline")
        up = _start(folder, "up.log", "connector", "up")
        try:
            yield House(folder, f"http://{HOST}:{port}", up, twin)
        finally:
            _stop(up)
            _stop(twin)


def _settings() -> Settings:
    """Read the settings without making the folder and the keys that they name."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsRefused(str(error)) from None


def _free_port(usual: int) -> int:
    """Return the port that was asked for, the usual one else, if it is free; any if it is not."""
    for port in (usual, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise DidNotStart("there is no free port")


def _move_in(folder: Path, port: int) -> None:
    """Leave behind every setting of ours, `.env` too: none may lead to real data."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(_environment(folder, port))
    os.chdir(folder)


def _environment(folder: Path, port: int) -> Mapping[str, str]:
    paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        f"{PREFIX}DATA_DIR": str(folder),
        f"{PREFIX}HOST": HOST,
        f"{PREFIX}PORT": str(port),
        f"{PREFIX}PUBLIC_URL": f"http://{HOST}:{port}",
        f"{PREFIX}ALLOW_LOOPBACK_CRM": "1",
        f"{PREFIX}WEB_WORKERS": "1",
    }


def _start(folder: Path, log: str, module: str, *arguments: str) -> lifeline.Child:
    command = lifeline.foreign([sys.executable, "-m", module, *arguments])
    with (folder / log).open("wb") as output:
        return lifeline.start(command, os.environ, output=output.fileno())


def _wait(child: lifeline.Child, log: Path, ask: Callable[[], Answer]) -> Answer:
    """Return the first answer that is true."""
    until = time.monotonic() + STARTS_WITHIN
    while not (answer := ask()):
        if child.poll() is not None or time.monotonic() > until:
            raise DidNotStart(_last_words(log), advice=f"see {log}")
        time.sleep(LOOK_EVERY)
    return answer


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    said = (errors or lines or ["it said nothing"])[-1].removeprefix("error: ")
    return f"the demo's processes did not start: {said}"


def _answers(talk: Talk) -> bool:
    try:
        talk.get("readyz")
    except Unexpected:
        return False
    return True


def _stop(child: lifeline.Child) -> None:
    """Ask a process to end, twice if need be, then kill it."""
    for insist in (child.terminate, child.terminate, child.kill):
        insist()
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOPS_WITHIN)
            return
