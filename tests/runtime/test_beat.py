from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from connector.runtime.beat import Beat, Patience, Stop

ROOT = Path(__file__).parents[2]
STUBBORN = """
import time
from connector.runtime.beat import Stop
Stop(grace=0.2).listen()
print("up", flush=True)
time.sleep(60)
"""


def test_patience_doubles_up_to_a_limit_and_starts_anew() -> None:
    patience = Patience(0.5, 3.0)

    waits = [patience.after_failure() for _ in range(4)]
    patience.after_success()

    assert waits == [0.5, 1.0, 2.0, 3.0]
    assert patience.after_failure() == 0.5


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1)])
def test_a_beat_goes_on_after_an_exception(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, calls = Stop(), []
    monkeypatch.setattr(stop, "pause", lambda _: None)

    def call() -> None:
        calls.append(1)
        if len(calls) == 3:
            stop.requested = True
        else:
            raise error

    with structlog.testing.capture_logs() as logs:
        beat = Beat("test", 1.0, call, stop)
        beat.run()

    assert len(calls) == 3
    assert [entry["again_in"] for entry in logs] == [1.0, 2.0]


def test_who_does_not_end_in_time_is_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"

        process.terminate()

        assert process.wait(20) == 0
