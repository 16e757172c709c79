"""A process says that it lives, and hands over what it has counted."""

from __future__ import annotations

from typing import Protocol

from connector.runtime.beat import Beat, Stop

EVERY = 10.0  # seconds; what is counted in them is lost with a killed process


class Tell(Protocol):
    """Stores one sign of life of a process of some kind; the last one says that it ends."""

    def __call__(self, kind: str, /, *, last: bool = False) -> None:
        """Store it; raise ConnectorError."""
        ...


def beats(tell: Tell, kind: str, stop: Stop) -> Beat:
    """Return the beat of a process."""
    return Beat("pulse", EVERY, lambda: tell(kind), stop)


def end(tell: Tell, kind: str) -> None:
    """Take leave; the process ends whether that works or not."""
    Beat("pulse", EVERY, lambda: tell(kind, last=True), Stop()).once()
