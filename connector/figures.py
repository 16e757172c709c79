"""What this process has counted since it last told the database; threads may share it.

Counters only: what can be counted in SQL when somebody asks is not counted here.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

Key = tuple[str, str]  # a name, and its labels as `a=b,c=d`

# Upper bounds of the buckets in seconds: an answer to a sender, a turn of a job.
BUCKETS: Mapping[str, tuple[float, ...]] = {
    "bb_ingest_ack_seconds": (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    "bb_first_score_seconds": (1.0, 5.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0, 604_800.0),
    "bb_training_seconds": (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    "bb_drain_seconds": (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
}

_KEYS: Mapping[str, Sequence[Key]] = {
    name: [(f"{name}_bucket", f"le={most}") for most in (*bounds, "+Inf")]
    for name, bounds in BUCKETS.items()
}

_lock = threading.Lock()
_counts: Counter[Key] = Counter()


def count(name: str, number: float = 1, **labels: object) -> None:
    """Add to a counter."""
    key = (name, ",".join(f"{label}={value}" for label, value in sorted(labels.items())))
    with _lock:
        _counts[key] += number  # type: ignore[assignment] # a Counter counts fractions too


def observe(name: str, seconds: float) -> None:
    """Add a duration to a histogram: its bucket, their sum and their number."""
    keys, total = _KEYS[name], (f"{name}_sum", "")
    key = keys[bisect_left(BUCKETS[name], seconds)]
    with _lock:
        _counts[key] += 1
        _counts[total] += seconds  # type: ignore[assignment] # as above


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Observe how long the block takes, however it ends."""
    began = time.perf_counter()
    try:
        yield
    finally:
        observe(name, time.perf_counter() - began)


def taken() -> dict[Key, float]:
    """Return what was counted since the last time, and begin anew."""
    with _lock:
        found = {key: float(value) for key, value in _counts.items()}
        _counts.clear()
    return found


def give_back(counts: Mapping[Key, float]) -> None:
    """Keep for the next time what could not be told."""
    with _lock:
        _counts.update(counts)
