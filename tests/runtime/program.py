"""Stands in for `python -m connector` in the tests: the same processes around fake jobs."""

from __future__ import annotations

import sys
from typing import Any

from connector.runtime.beat import load
from connector.runtime.lifeline import Lifeline
from connector.settings import Settings

# The fakes are found beside this file: Python puts a script's own folder first.
FAKES: dict[str, dict[str, Any]] = {
    "web": {"target": "fakes:create_app"},
    "worker": {"due": "fakes.due", "pulse": "fakes.pulse", "jobs": {"drain": "fakes.drain"}},
    "trainer": {"due": "fakes.due", "pulse": "fakes.pulse", "jobs": {"train": "fakes.drain"}},
    "clock": {
        "due": "fakes.due",
        "housekeeping": "fakes.housekeeping",
        "pulse": "fakes.pulse",
        "jobs": {"drain": "fakes.drain"},
    },
}


def main(name: str) -> int:
    place = "worker" if name == "trainer" else name
    settings, run = Settings.load(), load(f"connector.runtime.{place}.run_{name}")
    if name == "up":
        return int(run(settings, program=(sys.executable, __file__)))
    run(settings, Lifeline.from_environment(), **FAKES[name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
