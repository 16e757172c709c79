"""`python -m soak`: a fault campaign; exit code 1 where anything was found."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from soak.campaign import Plan
from soak.faults import fitting
from soak.report import report
from soak.stage import staged

say = partial(print, flush=True)


def parser() -> argparse.ArgumentParser:
    """Return the command line; its defaults are the plan's."""
    usual = Plan()
    found = argparse.ArgumentParser(prog="soak", description=__doc__)
    found.add_argument("--minutes", type=float, default=usual.minutes)
    found.add_argument("--seed", type=int, default=usual.seed)
    found.add_argument("--database", choices=["sqlite", "postgres"], default=usual.database)
    found.add_argument("--through", choices=["procfile", "up"], default=usual.through)
    found.add_argument(
        "--disk", choices=["small", "real"], default=usual.disk, help="small: a tmpfs, when root"
    )
    found.add_argument("--only", default="", help="these faults, once each: 'kill web,429'")
    found.add_argument("--pace", type=float, default=usual.pace, help="seconds between deeds")
    found.add_argument("--visits", type=float, default=usual.visits, help="the same of visitors")
    found.add_argument("--patience", type=float, default=usual.patience)
    found.add_argument("--json", default="", metavar="FILE", help="write the report there too")
    return found


def run(plan: Plan) -> dict[str, Any]:
    """Run a campaign; return its report."""
    with staged(plan, say) as campaign:
        campaign.run(fitting(plan))
        return report(campaign)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, return the exit code."""
    chosen = vars(parser().parse_args(arguments))
    target = chosen.pop("json")
    only = tuple(name.strip() for name in chosen.pop("only").split(",") if name.strip())
    told = run(Plan(only=only, **chosen))
    text = json.dumps(told, indent=2)
    say(text)
    if target:
        Path(target).write_text(text + "\n")
    return 1 if told["findings"] else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds: everything is taken down
    sys.exit(main())
