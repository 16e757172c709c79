"""Whose lease may be taken over at once."""

from __future__ import annotations

import subprocess
import sys

from connector import holder


def test_a_living_process_is_not_dead() -> None:
    assert not holder.is_dead(holder.name())


def test_a_process_of_this_machine_that_ended_is_dead() -> None:
    child = subprocess.run(
        [sys.executable, "-c", "from connector import holder; print(holder.name())"],
        capture_output=True,
        check=True,
        text=True,
    )

    assert holder.is_dead(child.stdout.strip())


def test_nothing_is_known_of_another_machine() -> None:
    assert not holder.is_dead("elsewhere:1/999999999/00")
    assert not holder.is_dead("")
