"""The web process: granian serves the WSGI app from a few worker processes of its own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from connector import logs
from connector.runtime.port import wait_for_port

if TYPE_CHECKING:
    from connector.runtime.lifeline import Lifeline
    from connector.settings import Settings

APP = "connector.runtime.served:create_app"
THREADS = 16  # of one worker process; a sender that dawdles over its body holds one all the while
BACKLOG = 1024
CONNECTIONS = 512  # of one worker process, idle ones too: granian takes no more than this in
IDLE_MS = 75_000  # until a connection without a request is closed; proxies close theirs after 60 s
GRACE = 8  # seconds; the supervisor waits 10


def run_web(
    settings: Settings,
    lifeline: Lifeline,
    workers: int | None = None,
    *,
    target: str = APP,
) -> None:
    """Serve until SIGTERM; `target` names a factory of the app, called in each worker process."""
    lifeline.hold()
    logs.configure(settings)
    lifeline.pass_on()  # granian's worker processes are our children, not the supervisor's
    wait_for_port(settings.host, settings.port)
    logging.getLogger("_granian").addFilter(_is_news)
    Server(
        target,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers or settings.web_workers,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_MS),
        workers_kill_timeout=GRACE,
        respawn_failed_workers=True,
        log_access=False,  # paths carry tokens
        log_level=LogLevels.warning,
        log_dictconfig=_logging(),
    ).serve()


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out granian's advice on the number of threads: ours mostly wait."""
    return "Python threads" not in record.getMessage()


def _logging() -> dict[str, Any]:
    """Leave the handlers alone: granian's own would write past our redaction."""
    level = {"level": "WARNING"}
    return {
        "version": 1,
        "incremental": True,
        "formatters": {},
        "handlers": {},
        "loggers": {"_granian": {**level, "propagate": True}, "granian.access": dict(level)},
    }
