"""`python -m bench [NAME ...]`: measure, print JSON, and perhaps publish it in docs/benchmarks."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import footprint, growth, intake, jobs, journeys, marked, profiled, storm, writes
from bench.house import connect, housed
from bench.machine import describe, durability, pin
from bench.report import DOCS, publish, verdicts

Measure = Callable[..., dict[str, Any]]
# What is measured -> by what, and its sizes for a look and for publishing.
BENCHES: Mapping[str, tuple[Measure, dict[str, Any], dict[str, Any]]] = {
    "intake": (intake.ratio, {"pairs": 5}, {"pairs": 5, "seconds": 6.0}),
    "intake100": (
        intake.ratio,
        {"pairs": 3, "events": 100, "seconds": 3.0},
        {"pairs": 5, "events": 100},
    ),
    "tail": (intake.tail, {"seconds": 15.0}, {"seconds": 60.0}),
    "jobs": (jobs.compare, {"events": 5000, "jobs": 200}, {"events": 20_000, "jobs": 500}),
    "writes": (writes.count, {"contacts": 3000}, {"contacts": 10_000}),
    "storm": (storm.measure, {"events": 10_000}, {"events": 100_000, "within": 1800.0}),
    "growth": (growth.measure, {}, {"sizes": (*growth.SIZES, 1_000_000)}),
    "journeys": (journeys.measure, {"events": 50_000}, {"events": 1_000_000, "visitors": 100_000}),
    "marked": (marked.measure, {"contacts": 2000}, {"contacts": 10_000}),
    "footprint": (footprint.measure, {"times": 3}, {"times": 5}),
    "profile": (profiled.measure, {"events": 3000}, {"events": 10_000}),
}
OPTIONS = {
    "pairs": int,
    "events": int,
    "contacts": int,
    "jobs": int,
    "times": int,
    "seconds": float,
}


def main(words: list[str]) -> int:
    """Measure what was asked for, or everything; return 1 where the run is void."""
    asked = _parser().parse_args(words)
    told = {}
    cores = pin()
    with tempfile.TemporaryDirectory(prefix="bnb-bench-", dir=asked.dir) as folder:
        for name in asked.names or BENCHES:
            print(f"{name} ...", file=sys.stderr, flush=True)
            told[name] = _measure(name, asked, Path(folder) / name, cores)
            for line in verdicts(name, told[name]):
                print(f"  {line}", file=sys.stderr, flush=True)
    text = json.dumps(told, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    if any(one["durability"]["void"] for one in told.values()):
        return 1
    if asked.publish:
        publish(told, DOCS)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--full", action="store_true", help="the sizes that are published")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks as well")
    parser.add_argument("--dir", type=Path, help="a folder on the disk to measure, else the usual")
    for name, kind in OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind, help="for those that have it")
    return parser


def _measure(name: str, asked: argparse.Namespace, folder: Path, cores: int) -> dict[str, Any]:
    measure, look, full = BENCHES[name]
    known = inspect.signature(measure).parameters
    own = {one: getattr(asked, one) for one in OPTIONS if one in known and getattr(asked, one)}
    machine = describe(cores)
    with housed(folder / "probe") as house:
        services = house.services()
        connect(services)
        safe = durability(services, folder)
        services.store.database.close()
    print(
        f"  synchronous={safe['synchronous']}, fdatasync {safe['fdatasync_ms']} ms", file=sys.stderr
    )
    if safe["void"]:
        print(f"  void: {safe['void']}", file=sys.stderr)
    return {
        "command": " ".join(["make bench ARGS=" + json.dumps(" ".join([name, *_said(asked)]))]),
        "machine": machine,
        "durability": safe,
        "result": measure(folder, **{**(full if asked.full else look), **own}),
    }


def _said(asked: argparse.Namespace) -> list[str]:
    sizes = [f"--{one} {getattr(asked, one)}" for one in OPTIONS if getattr(asked, one)]
    return (["--full"] if asked.full else []) + sizes


if __name__ == "__main__":
    os.environ.pop("CONNECTOR_LIFELINE", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds: everything is stopped
    sys.exit(main(sys.argv[1:]))
