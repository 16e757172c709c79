"""Processes as the kernel shows them: trees, roles, real signals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
ROLES = ("web", "worker", "clock", "up")


@dataclass(frozen=True)
class Running:
    """One process; its birth tells it from a later one with the same number."""

    pid: int
    parent: int
    birth: str
    words: tuple[str, ...]

    @property
    def role(self) -> str:
        """Return which of our processes it is, "" for others, "child" for what they forked."""
        if "valkey-server" in self.words[0] if self.words else False:
            return "valkey"
        return next((name for name in ROLES if name in self.words[1:4]), "")


def table() -> dict[int, Running]:
    """Return every process that is not a zombie."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError, ValueError):
                one = _read(folder)
                if one is not None:
                    found[one.pid] = one
    return found


def _read(folder: Path) -> Running | None:
    stat = (folder / "stat").read_text().rpartition(")")[2].split()
    if stat[0] in {"Z", "X"}:
        return None
    words = (folder / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    return Running(int(folder.name), int(stat[1]), stat[19], tuple(words))


def tree(pid: int) -> list[Running]:
    """Return a process and all that descend from it."""
    known = table()
    return list(_descend(pid, known)) if pid in known else []


def _descend(pid: int, known: Mapping[int, Running]) -> Iterator[Running]:
    yield known[pid]
    for one in known.values():
        if one.parent == pid:
            yield from _descend(one.pid, known)


def still_alive(family: list[Running]) -> list[Running]:
    """Return who of a family still runs, whoever adopted it."""
    now = table()
    return [one for one in family if one.pid in now and now[one.pid].birth == one.birth]


def send(pid: int, number: signal.Signals) -> bool:
    """Send a real signal; say whether there was somebody to take it."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def wait_for(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; say whether it came about in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
