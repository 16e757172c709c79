"""What the processes under test run instead of the product: jobs over a small SQLite file."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from connector.queue import JobName, Waker
from connector.runtime.lifeline import hold
from connector.settings import Settings

StartResponse = Callable[[str, list[tuple[str, str]]], object]


@contextmanager
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(os.environ["FAKES_FILE"], timeout=30)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS waiting (job, id, since REAL)")
        connection.execute("CREATE TABLE IF NOT EXISTS done (job, id, thread, pid, at REAL)")
        with connection:
            yield connection


def due(older_than: float) -> list[tuple[JobName, str]]:
    with store() as connection:
        query = "SELECT DISTINCT job, id FROM waiting WHERE since <= ? ORDER BY since"
        return connection.execute(query, (time.time() - older_than,)).fetchall()


def drain(key: str) -> None:
    Waker(Settings().redis_url).clear("drain", key)
    _note("tried", key)
    if key.startswith("bad"):
        raise ValueError(f"{key} is poisoned")
    if key.startswith("exits"):
        raise SystemExit(3)
    if key.startswith("slow"):
        time.sleep(float(key.removeprefix("slow")))
    with store() as connection:
        connection.execute("DELETE FROM waiting WHERE job = 'drain' AND id = ?", (key,))
    _note("drain", key)


def foreign(key: str) -> None:
    _note("foreign", key)


def housekeeping() -> None:
    _note("housekeeping", "")


def pulse(kind: str, /, *, last: bool = False) -> None:
    _note("left" if last else "pulse", kind)


def create_app() -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    hold()
    return app


def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the process, or with how many bytes of the body came in."""
    path = environ["PATH_INFO"]
    if path == "/refuse":
        start_response("413 Too Large", [("content-type", "text/plain")])
        return [b"too large"]
    if path == "/boom":
        raise RuntimeError("boom")
    if path == "/slow":
        _note("slow", "began")
        time.sleep(1.0)
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(_size(environ) if path == "/read" else os.getpid()).encode()]


def _size(environ: dict[str, Any]) -> int:
    return sum(len(part) for part in iter(lambda: environ["wsgi.input"].read(1 << 16), b""))


def _note(job: str, key: str) -> None:
    with store() as connection:
        row = (job, key, threading.current_thread().name, os.getpid(), time.time())
        connection.execute("INSERT INTO done VALUES (?, ?, ?, ?, ?)", row)
