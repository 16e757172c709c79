"""Small writes of many threads in one transaction: one waits for the disk, the others ride along.

A commit costs a wait for the disk, whatever is in it. While one thread is at it, the others line
up; whoever gets in next takes all of them along.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from connector.domain.errors import StoreBusy

Item = TypeVar("Item")
LONGEST = 64  # items in one transaction, so that the writer is never held for long


class _Rider(Generic[Item]):
    """One item on its way."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.arrived = False
        self.error: Exception | None = None


class Convoy(Generic[Item]):
    """Writes items through `write`, which stores all it is given durably or raises.

    `patience` is how many seconds an item may wait for its turn.
    """

    def __init__(self, write: Callable[[Sequence[Item]], None], patience: float) -> None:
        self._write = write
        self._patience = patience
        self._waiting: deque[_Rider[Item]] = deque()
        self._turn = threading.Lock()

    def ride(self, item: Item) -> bool:
        """Return once an item is stored; say whether this thread stored it (and perhaps others').

        Raises StoreBusy when its turn does not come in time, and what `write` raises.
        """
        rider = _Rider(item)
        self._waiting.append(rider)
        if not self._turn.acquire(timeout=self._patience):
            # It may be stored at this moment; as it was not acknowledged, it will be sent again.
            rider.arrived = True
            raise StoreBusy("the database's writer is busy")
        try:
            leads = not rider.arrived
            while not rider.arrived:
                self._lead()
        finally:
            self._turn.release()
        if rider.error is not None:
            raise rider.error
        return leads

    def _lead(self) -> None:
        """Store what waits; where that fails, find out for whom."""
        group = self._board(LONGEST)
        try:
            self._write([rider.item for rider in group])
        except StoreBusy as error:
            # Those behind have waited as well: a try of their own would take them too long.
            _settle([*group, *self._board(None)], error)
        except Exception as error:  # noqa: BLE001 - each rider gets an answer of its own
            self._alone(group, error)
        except BaseException:
            _settle(group, StoreBusy("the server is going down"))
            raise
        else:
            _settle(group, None)

    def _board(self, most: int | None) -> list[_Rider[Item]]:
        """Take along who waits, but not who has given up."""
        seats = len(self._waiting) if most is None else min(most, len(self._waiting))
        riders = [self._waiting.popleft() for _ in range(seats)]
        return [rider for rider in riders if not rider.arrived]

    def _alone(self, group: Sequence[_Rider[Item]], error: Exception) -> None:
        """Store each by itself, after all of them together failed."""
        for rider in group:
            try:
                if len(group) > 1:
                    self._write([rider.item])
            except Exception as own:  # noqa: BLE001
                _settle([rider], own)
            else:
                _settle([rider], None if len(group) > 1 else error)


def _settle(group: Sequence[_Rider[Item]], error: Exception | None) -> None:
    for rider in group:
        rider.error = error
        rider.arrived = True
