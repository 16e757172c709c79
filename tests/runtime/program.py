"""Stands in for `python -m connector` in the tests: the same processes around fake jobs."""

from __future__ import annotations

import sys

from connector.runtime.clock import run_clock
from connector.runtime.lifeline import Lifeline
from connector.runtime.up import run_up
from connector.runtime.web import run_web
from connector.runtime.worker import run_worker
from connector.settings import Settings

# Found beside this file: Python puts a script's own folder first.
DUE = "fakes.due"
JOBS = {"drain": "fakes.drain"}


def main(name: str) -> int:
    settings, line = Settings.load(), Lifeline.from_environment()
    match name:
        case "web":
            run_web(settings, line, target="fakes:create_app")
        case "worker":
            run_worker(settings, line, due=DUE, jobs=JOBS)
        case "clock":
            run_clock(settings, line, due=DUE, housekeeping="fakes.housekeeping", jobs=JOBS)
        case "up":
            return run_up(settings, program=(sys.executable, __file__))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
