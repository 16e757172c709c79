from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from connector.queue import Waker
from connector.runtime.beat import Stop
from connector.runtime.sweeper import Retries, Sweeper

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from connector.queue import JobName


class Desk:
    """Two jobs wait; remembers what was asked and what ran."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.ran: list[str] = []

    def due(self, older_than: float) -> list[tuple[JobName, str]]:
        self.asked.append(older_than)
        return [("drain", "bad"), ("drain", "good")]

    def run(self, key: str) -> None:
        self.ran.append(key)
        if key == "bad":
            raise ValueError(key)


def test_with_redis_it_wakes_what_has_waited_long(valkey: str) -> None:
    desk, waker = Desk(), Waker(valkey)

    Sweeper(waker, desk.due, {"drain": desk.run}).sweep(Stop())

    assert desk.asked == [2.0]
    assert desk.ran == []


def test_without_redis_it_runs_what_has_hardly_waited(tmp_path: Path) -> None:
    desk, waker = Desk(), Waker(f"unix://{tmp_path}/nobody")
    sweeper = Sweeper(waker, desk.due, {"drain": desk.run})

    with structlog.testing.capture_logs() as logs:
        sweeper.sweep(Stop())
        sweeper.sweep(Stop())

    assert desk.asked == [0.2, 0.2]
    assert desk.ran == ["bad", "good", "good"]  # the poisoned one has to wait
    assert [entry["event"] for entry in logs].count("job_failed") == 1


def test_a_redis_that_takes_no_more_is_passed_by(
    valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, waker = Desk(), Waker(valkey)
    monkeypatch.setattr(waker, "wake", lambda *_: False)

    Sweeper(waker, desk.due, {"drain": desk.run}).sweep(Stop())

    assert desk.ran == ["bad", "good"]


def test_it_begins_nothing_once_the_end_is_asked_for(tmp_path: Path) -> None:
    desk, stop = Desk(), Stop()
    stop.requested = True

    Sweeper(Waker(f"unix://{tmp_path}/x"), desk.due, {"drain": desk.run}).sweep(stop)

    assert desk.ran == []


def test_retries_forget_a_job_that_worked() -> None:
    retries = Retries()

    assert [retries.failed("drain", "a"), retries.failed("drain", "a")] == [1.0, 2.0]
    assert not retries.may_run("drain", "a")
    assert retries.may_run("drain", "b")
    retries.worked("drain", "a")
    assert retries.may_run("drain", "a")
