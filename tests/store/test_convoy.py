"""Small writes of many threads share one transaction, and none is acknowledged unstored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import StoreBusy
from connector.store.convoy import LONGEST, Convoy

Write = Callable[[Sequence[int]], None]


class Disk:
    """Stores numbers; the first group waits at the door until it is let in."""

    def __init__(self, *, poison: frozenset[int] = frozenset(), busy: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.poison = poison
        self.busy = busy
        self.settled = 0
        self.at_it = threading.Event()
        self.door = threading.Event()

    def write(self, items: Sequence[int]) -> None:
        if not self.groups:
            self.groups.append([])
            self.at_it.set()
            self.door.wait(10)
            if self.busy:
                raise StoreBusy("full")
        if self.poison & set(items):
            raise ValueError(self.poison & set(items))
        self.groups.append(list(items))

    def settle(self) -> None:
        self.settled += 1

    def stored(self) -> list[int]:
        return sorted(item for group in self.groups for item in group)


def send(disk: Disk, items: Sequence[int], patience: float = 10) -> list[Future[bool]]:
    """Send the first, and the others while it is being written; return what became of each."""
    convoy = Convoy(disk.write, disk.settle, patience)
    with ThreadPoolExecutor(len(items)) as pool:
        rides = [pool.submit(convoy.ride, items[0])]
        disk.at_it.wait(10)
        rides += [pool.submit(convoy.ride, item) for item in items[1:]]
        while len(convoy._waiting) < len(items) - 1:
            pass
        if patience == 10:
            disk.door.set()
        else:
            for ride in rides[1:]:
                ride.exception(10)
            disk.door.set()
    return rides


def test_who_waits_while_another_writes_rides_along() -> None:
    disk = Disk()

    rides = send(disk, range(9))

    assert [len(group) for group in disk.groups[1:]] == [1, 8]
    assert disk.stored() == list(range(9))
    assert sum(ride.result() for ride in rides) == 2


def test_a_convoy_has_an_end() -> None:
    disk = Disk()

    send(disk, range(LONGEST + 6))

    assert [len(group) for group in disk.groups[1:]] == [1, LONGEST, 5]


@given(st.frozensets(st.integers(0, 7)))
def test_what_cannot_be_stored_harms_nobody_else(poison: frozenset[int]) -> None:
    disk = Disk(poison=poison)

    rides = send(disk, range(8))

    assert {n for n, ride in enumerate(rides) if ride.exception()} == poison
    assert disk.stored() == sorted(set(range(8)) - poison)


def test_a_busy_disk_turns_away_all_who_wait() -> None:
    disk = Disk(busy=True)

    rides = send(disk, range(4))

    assert {type(ride.exception()) for ride in rides} == {StoreBusy}
    assert disk.stored() == []


def test_whoever_waits_too_long_is_turned_away_and_not_taken_along() -> None:
    disk = Disk()

    rides = send(disk, range(3), patience=0.05)

    assert rides[0].result() is True
    for ride in rides[1:]:
        with pytest.raises(StoreBusy):
            ride.result()
    assert disk.stored() == [0]


def test_a_thread_that_is_ended_while_it_writes_leaves_nobody_waiting() -> None:
    def stop(_items: Sequence[int]) -> None:
        raise SystemExit

    convoy = Convoy(stop, lambda: None, 10)

    with pytest.raises(SystemExit):
        convoy.ride(1)
    with pytest.raises(SystemExit):
        convoy.ride(2)


def test_what_the_disk_did_not_take_is_acknowledged_to_nobody() -> None:
    def settle() -> None:
        raise StoreBusy("full")

    disk = Disk()
    disk.door.set()

    with pytest.raises(StoreBusy):
        Convoy(disk.write, settle, 10).ride(1)


@given(st.lists(st.integers(0, 99), max_size=60), st.integers(1, 8))
def test_nobody_is_forgotten_or_stored_twice(items: list[int], threads: int) -> None:
    disk = Disk()
    disk.door.set()
    convoy = Convoy(disk.write, disk.settle, 10)

    with ThreadPoolExecutor(threads) as pool:
        wrote = list(pool.map(convoy.ride, items))

    assert disk.stored() == sorted(items)
    assert sum(wrote) == disk.settled
