"""`python -m simulators.hubspot`: run a twin until it is stopped."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from .app import Running
from .config import Config


def parser() -> argparse.ArgumentParser:
    """Return the command line; every option sets one setting of the portal."""
    found = argparse.ArgumentParser(prog="simulators.hubspot", description=__doc__)
    found.add_argument("--port", type=int, default=0)
    found.add_argument("--lifeline", action="store_true", help="end when the parent process ends")
    usual = Config()
    for name in ("portal_id", "app_id", "limit", "search_limit", "daily_limit"):
        found.add_argument(_option(name), type=int, default=getattr(usual, name))
    for name in ("client_id", "client_secret", "token", "refresh_token", "target", "signed_url"):
        found.add_argument(_option(name), default=getattr(usual, name))
    for name in ("token_seconds", "index_lag_seconds", "collect_seconds", "limit_seconds"):
        found.add_argument(_option(name), type=float, default=getattr(usual, name))
    found.add_argument("--settings", type=json.loads, default={}, help="more settings, as JSON")
    return found


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def main(arguments: list[str] | None = None) -> None:
    """Run until a signal comes, or until the parent is gone."""
    chosen = vars(parser().parse_args(arguments))
    port, lifeline = chosen.pop("port"), chosen.pop("lifeline")
    config = Config()
    more = chosen.pop("settings")
    config.change({**chosen, **more})
    parent = os.getppid()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    running = Running(config, port)
    told = {"url": running.url, "portal_id": config.portal_id}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    while not over.wait(0.5):
        if lifeline and os.getppid() != parent:
            break
    running.stop()


if __name__ == "__main__":
    main()
