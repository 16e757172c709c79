"""Whoever answers a webhook does not wait for Redis."""

from __future__ import annotations

import threading

from connector.runtime.bell import Bell


def test_many_pulls_are_few_rings_and_one_after_the_last() -> None:
    rung, door = threading.Semaphore(0), threading.Event()

    def ring() -> None:
        rung.release()
        door.wait(10)

    bell = Bell(ring, rest=0)
    bell.pull()
    assert rung.acquire(timeout=10)
    for _ in range(100):
        bell.pull()
    door.set()

    assert rung.acquire(timeout=10)
    assert not rung.acquire(timeout=0.05)


def test_a_bell_that_broke_rings_again() -> None:
    rung = threading.Semaphore(0)

    def ring() -> None:
        rung.release()
        raise OSError

    bell = Bell(ring, rest=0)
    for _ in range(2):
        bell.pull()
        assert rung.acquire(timeout=10)
