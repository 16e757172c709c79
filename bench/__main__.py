"""`python -m bench [EVENTS]`: what the pipeline does on this machine, and what its disk allows."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from bench.pipeline import measure

EVENTS = 5000
PROBES = 200


def main(words: list[str]) -> None:
    """Measure in a folder that goes afterwards; print one JSON document."""
    events = int(words[0]) if words else EVENTS
    with tempfile.TemporaryDirectory(prefix="bnb-bench-") as folder:
        result = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}",
            "database": "SQLite, WAL, synchronous=FULL",
            "fsync_p50_ms": probe(Path(folder)),
            **measure(Path(folder), events),
        }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


def probe(folder: Path) -> float:
    """Return the median of writing 4 KiB durably, in milliseconds: the floor of any commit."""
    times = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(PROBES):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(sorted(times)[PROBES // 2] * 1000, 3)


main(sys.argv[1:])
