"""No child outlives its parent, however that one ends.

Three nets: on Linux the kernel kills the child (PR_SET_PDEATHSIG) as soon as the parent's thread
that started it is gone; in a Python child a thread watches the parent; a foreign program runs,
where there is no such kernel, under a small Python process that watches for it (`main`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VARIABLE = "CONNECTOR_LIFELINE"
LOOK_EVERY = 0.2
ORPHANED = 70
PR_SET_PDEATHSIG = 1

Child = subprocess.Popen[bytes]

_held_in: list[int] = []  # the process that already holds: after a fork it has to hold anew


@dataclass(frozen=True, slots=True)
class Lifeline:
    """The parent that this process lives and dies with; None: it stands alone."""

    parent: int | None = None

    @classmethod
    def from_environment(cls) -> Lifeline:
        """Read who our parent is, as it told us when it started us."""
        text = os.environ.get(VARIABLE, "")
        return cls(int(text)) if text.isdecimal() else cls()

    def hold(self) -> None:
        """End this process when the parent is gone; asking twice changes nothing."""
        if self.parent is None or os.getpid() in _held_in:
            return
        _held_in[:] = [os.getpid()]
        _die_with_parent()
        threading.Thread(target=_watch, args=(self.parent, _leave), daemon=True).start()

    def pass_on(self) -> None:
        """Make this process the one that its own children live with, also where it stands alone."""
        os.environ[VARIABLE] = str(os.getpid())


def hold() -> None:
    """End this process when its parent is gone, if it was told to; for an app factory."""
    Lifeline.from_environment().hold()


def start(
    command: Sequence[str], environment: Mapping[str, str], *, output: int | None = None
) -> Child:
    """Start a child that lives with this process; call from the main thread only.

    The kernel's net follows the parent *thread*. A process group of its own keeps the terminal's
    Ctrl-C from it, so that the parent chooses the order of stopping.
    """
    return subprocess.Popen(  # noqa: S603 - a command of our own
        command,
        env={**environment, VARIABLE: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=_before_exec(os.getpid()),  # noqa: PLW1509 - started from a single thread
        stdout=output,
        stderr=output,
    )


def foreign(command: Sequence[str]) -> list[str]:
    """Return how to run a program that can't watch its parent by itself."""
    if sys.platform == "linux":
        return list(command)
    return [sys.executable, "-m", __name__, *command]


def main(command: Sequence[str]) -> int:
    """Run a foreign program that is stopped with us, and killed when our parent is gone."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: program.terminate())

        def give_up() -> None:
            program.kill()
            _leave()

        parent = Lifeline.from_environment().parent or os.getppid()
        threading.Thread(target=_watch, args=(parent, give_up), daemon=True).start()
        return program.wait()


def _watch(parent: int, then: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    then()


def _leave() -> None:
    os._exit(ORPHANED)


def _prctl() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    call: Callable[[int, int], int] = ctypes.CDLL(None, use_errno=True).prctl
    return call


_PRCTL = _prctl()  # found before any fork: the child of a fork must not load libraries


def _die_with_parent() -> None:
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)


def _before_exec(parent: int) -> Callable[[], None]:
    def tie() -> None:
        _die_with_parent()
        if os.getppid() != parent:  # it died before the kernel was asked
            _leave()

    return tie


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
