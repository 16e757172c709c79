"""Small writes of many threads in one transaction: one writes for all who wait.

A transaction costs the same whatever is in it, and so does the wait for the disk. While one
thread writes and waits, the others line up; whoever is next takes all of them along. So the
slower the disk, the fuller the transactions.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from connector.domain.errors import StoreBusy

Item = TypeVar("Item")
LONGEST = 64  # items in one transaction, so that the writer is never held for long


class _Rider(Generic[Item]):
    """One item on its way; `called` opens when it has arrived or is to lead."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.error: Exception | None = None
        self.leads = False
        self.gone = False
        self.called = threading.Lock()
        self.called.acquire()

    def call(self) -> None:
        """Wake whoever waits with it."""
        self.called.release()


Group = list[_Rider[Item]]


class Convoy(Generic[Item]):
    """Writes items through `write`, one group at a time, and then through `settle` for good.

    Both store all they are given or raise. `patience`: how many seconds an item may wait.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], None],
        settle: Callable[[], None],
        patience: float,
    ) -> None:
        self._write = write
        self._settle = settle
        self._patience = patience
        self._mutex = threading.Lock()
        self._waiting: deque[_Rider[Item]] = deque()
        self._busy = False

    def ride(self, item: Item) -> bool:
        """Return once an item is stored; say whether this thread stored it (and perhaps others').

        Raises StoreBusy when its turn does not come in time, and what `write` raises.
        """
        rider = _Rider(item)
        with self._mutex:
            self._waiting.append(rider)
            rider.leads = not self._busy
            self._busy = True
        if not rider.leads and not rider.called.acquire(timeout=self._patience):
            self._give_up(rider)
        if rider.leads:
            self._lead()
        if rider.error is not None:
            raise rider.error
        return rider.leads

    def _give_up(self, rider: _Rider[Item]) -> None:
        """Wait no longer, unless it is our turn to lead this moment.

        It may be stored all the same; as it is not acknowledged, it will be sent again.
        """
        with self._mutex:
            rider.gone = not rider.leads
        if rider.gone:
            raise StoreBusy("the database's writer is busy")

    def _lead(self) -> None:
        """Write what waits, wait for the disk, and let the next one lead."""
        time.sleep(0)  # whoever is about to line up does so now: Python's lock is free for them
        group = self._board(LONGEST)
        try:
            written = self._write_all(group)
            try:
                if written:
                    self._settle()
            except Exception as error:  # noqa: BLE001 - each rider gets an answer of its own
                _fail(written, error)
        finally:
            self._hand_over()
        for rider in group:
            rider.call()

    def _write_all(self, group: Group[Item]) -> Group[Item]:
        """Write a group; return who of it was written. Where that fails, find out for whom."""
        try:
            self._write([rider.item for rider in group])
        except StoreBusy as error:
            # Those behind have waited as well: a try of their own would take them too long.
            behind = self._board(None)
            _fail([*group, *behind], error)
            for rider in behind:
                rider.call()
            return []
        except Exception as error:  # noqa: BLE001
            return self._write_each(group, error)
        except BaseException:
            _fail(group, StoreBusy("the server is going down"))
            for rider in group:
                rider.call()
            raise
        return group

    def _write_each(self, group: Group[Item], error: Exception) -> Group[Item]:
        if len(group) == 1:
            _fail(group, error)
            return []
        return [rider for rider in group if self._write_all([rider])]

    def _board(self, most: int | None) -> Group[Item]:
        """Take along who waits, but not who has given up."""
        with self._mutex:
            seats = len(self._waiting) if most is None else min(most, len(self._waiting))
            riders = [self._waiting.popleft() for _ in range(seats)]
            return [rider for rider in riders if not rider.gone]

    def _hand_over(self) -> None:
        """Call the first who waits to lead, or leave the place to whoever comes."""
        with self._mutex:
            heir = next((rider for rider in self._waiting if not rider.gone), None)
            self._busy = heir is not None
            if heir is not None:
                heir.leads = True
                heir.call()


def _fail(group: Group[Item], error: Exception) -> None:
    for rider in group:
        rider.error = error
