"""`python -m simulators.platform`: have visitors come by, and post what they do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime, timedelta

from .sender import SHAPES, Sender
from .visitors import journeys


def parser() -> argparse.ArgumentParser:
    """Return the command line; secrets come by the environment, never as arguments."""
    found = argparse.ArgumentParser(prog="simulators.platform", description=__doc__)
    found.add_argument("target", help="the webhook URL; see PLATFORM_SECRET and PLATFORM_TOKEN")
    found.add_argument("--visitors", type=int, default=100)
    found.add_argument("--seed", type=int, default=1)
    found.add_argument("--days-ago", type=int, default=30)
    found.add_argument("--shape", choices=sorted(SHAPES), default="events")
    found.add_argument("--at-once", type=int, default=100)
    found.add_argument("--doubled", type=float, default=0.0, help="the part that is sent twice")
    found.add_argument("--shuffled", action="store_true", help="send in another order than theirs")
    return found


def main(arguments: list[str] | None = None) -> None:
    """Send, and say what became of it."""
    chosen = parser().parse_args(arguments)
    start = datetime.now(UTC) - timedelta(days=chosen.days_ago)
    events = journeys(chosen.seed, chosen.visitors, start)
    secrets = [one for one in os.environ.get("PLATFORM_SECRET", "").split(",") if one]
    token = os.environ.get("PLATFORM_TOKEN", "")
    sender = Sender(chosen.target, secrets, token, chosen.shape, chosen.at_once)
    shuffled = chosen.seed if chosen.shuffled else None
    sender.send(events, doubled=chosen.doubled, shuffled=shuffled)
    sender.close()
    told = {"events": len(events), "posts": sender.posts, "taken": sender.taken}
    sys.stdout.write(json.dumps({**told, "refused": sender.refused}) + "\n")
    sys.exit(1 if sender.refused else 0)


if __name__ == "__main__":
    main()
