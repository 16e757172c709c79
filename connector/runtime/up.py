"""The supervisor behind `connector up`: starts every process, keeps it alive, stops it in order.

It has one thread only: the kernel's lifeline follows the thread that starts a child.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from connector import logs
from connector.domain.errors import ConnectorError
from connector.runtime import lifeline, valkey
from connector.runtime.folder import alone
from connector.runtime.kept import MOST_WAIT, Kept
from connector.runtime.port import wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connector.settings import Settings

PROGRAM = (sys.executable, "-m", "connector")
VALKEY_STARTS_WITHIN = 5.0
LOOK_EVERY = 0.1
KILLED = 130
SAY = partial(print, flush=True)
GIVE_UP_DATA_AFTER = 3  # starts that failed at once

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A process of the product: the command that runs it, when it stops (lowest first).

    `most_wait` is for how long it is left dead at most, however often it dies.
    """

    name: str
    wave: int
    most_wait: float = MOST_WAIT


# Senders give up on a web server that stays away; nobody waits for the others. All of them stop
# together, so that a clean stop takes ten seconds at most: what was accepted needs SQL only.
ROWS = (Row("web", 0, most_wait=1.0), Row("worker", 0), Row("trainer", 0), Row("clock", 0))
LAST_WAVE = 9


def run_up(
    settings: Settings,
    *,
    program: Sequence[str] = PROGRAM,
    rows: Sequence[Row] = ROWS,
    say: Callable[[str], object] = SAY,
) -> int:
    """Run everything until a signal; return the exit code. Main thread only."""
    logs.configure(settings)
    try:
        with alone(settings.data_dir):
            wait_for_port(settings.host, settings.port)
            return _Supervisor(settings, _family(settings, program, rows), say).run()
    except ConnectorError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201 - for a person
        return 1


class _Supervisor:
    def __init__(
        self, settings: Settings, family: Sequence[Kept], say: Callable[[str], object]
    ) -> None:
        self._settings = settings
        self._family = family
        self._say = say
        self._signals = 0
        self._announced = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._count)
        self._tend_first()
        while not self._signals:
            for child in self._family:
                child.tend()
            self._announce()
            time.sleep(LOOK_EVERY)
        return self._stop()

    def _count(self, *_: object) -> None:
        self._signals += 1

    def _tend_first(self) -> None:
        """Give Valkey a head start, so that the others don't begin with an outage."""
        until = time.monotonic() + VALKEY_STARTS_WITHIN
        for child in (one for one in self._family if one.wave == LAST_WAVE):
            child.tend()
            while child.alive and not self._signals and time.monotonic() < until:
                if valkey.answers(self._settings.socket):
                    return
                time.sleep(0.02)

    def _announce(self) -> None:
        if not self._announced and _answers(self._settings):
            self._announced = True
            self._say(f"ready {_address(self._settings)}")

    def _stop(self) -> int:
        for wave in sorted({child.wave for child in self._family}):
            children = [child for child in self._family if child.wave == wave]
            for child in children:
                child.ask_to_stop()
            while any(child.stopping() for child in children):
                if self._signals > 1:
                    return self._kill_all()
                time.sleep(LOOK_EVERY / 2)
        return 0

    def _kill_all(self) -> int:
        for child in self._family:
            child.kill()
        return KILLED


def _family(settings: Settings, program: Sequence[str], rows: Sequence[Row]) -> list[Kept]:
    environment = {**os.environ, **settings.environment()}
    family = [
        Kept(
            row.name,
            row.wave,
            partial(_start, [*program, row.name], environment),
            most_wait=row.most_wait,
        )
        for row in rows
    ]
    if not settings.embedded:
        return family
    return [Kept("valkey", LAST_WAVE, partial(_start_valkey, settings, environment)), *family]


def _start(command: Sequence[str], environment: Mapping[str, str], _: int) -> lifeline.Child:
    return lifeline.start(command, environment)


def _start_valkey(
    settings: Settings, environment: Mapping[str, str], failed_starts: int
) -> lifeline.Child:
    valkey.clear_away(settings.socket)
    command = lifeline.foreign(valkey.command(settings))
    if failed_starts and failed_starts % GIVE_UP_DATA_AFTER == 0:
        log.warning("valkey_emptied", why="it does not start; it holds signals only")
        shutil.rmtree(settings.data_dir / "valkey" / "appendonlydir", ignore_errors=True)
    with valkey.log_file(settings).open("wb") as output:
        try:
            return lifeline.start(command, environment, output=output.fileno())
        except OSError as error:
            raise valkey.ValkeyMissing(f"no embedded Valkey: {error}") from error


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _answers(settings: Settings) -> bool:
    """Say whether the app behind the port answers, whatever it says."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
