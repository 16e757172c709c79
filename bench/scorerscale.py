"""How training and scoring grow with rows, each size in a process of its own, on one thread."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import describe, pin

ROWS = (10_000, 100_000, 1_000_000)
PROFILES = (1_000, 10_000)
SCORED = 50_000  # rows at most that scoring is timed on
CALLS = 300  # of one profile each
PARTS = (50, 95, 99)
CHUNK = 10_000
KEY = b"a key of the bench"
NOW = "2026-06-30T12:00:00Z"
MB = 1024  # kilobytes; what the kernel counts in

Json = dict[str, Any]


def measure(rows: Sequence[int] = ROWS, profiles: Sequence[int] = PROFILES) -> Json:
    """Return what training and scoring take at each size, and what serving one profile takes."""
    cores = pin()
    machine = describe(cores)
    with tempfile.TemporaryDirectory(prefix="bnb-bench-") as folder:
        model = str(Path(folder) / "model")
        told = {
            "rows": [_child("matrix", str(size)) for size in rows],
            "journeys": [_child("journeys", str(size), model) for size in profiles],
            "serving": _child("serving", model) if profiles else {},
        }
    return {"machine": machine, "result": told}


def matrix(size: str) -> Json:
    """Train on a built matrix of so many rows, and score some of it with and without reasons."""
    from bench.scorermade import matrix as made  # noqa: PLC0415 - each child its own imports
    from scorer import learning, points  # noqa: PLC0415
    from scorer.levels import learn_sparse  # noqa: PLC0415
    from scorer.measures import auc  # noqa: PLC0415
    from scorer.members import Sample  # noqa: PLC0415
    from scorer.sentences import sentence  # noqa: PLC0415

    told, won = made(int(size))
    names = [f"column {number}" for number in range(told.shape[1])]
    groups = [f"group {number // 8}" for number in range(told.shape[1])]
    found: Json = {"rows": told.shape[0], "columns": told.shape[1], "won": int(won.sum())}
    found |= {"cells_a_row": told.nnz / told.shape[0], "made_mb": _peak()}
    with _clocked(found, "train"):
        scales = learn_sparse(names, groups, told)
        sample = Sample(scales, scales.code_sparse(told), won, np.ones(len(won)))
        learned = learning.learn(sample, 0)
    found |= {"peak_mb": _peak(), "auc": auc(won[learned.seen], learned.unseen_points)}
    some = told[:SCORED]
    parts = [some[start : start + CHUNK] for start in range(0, some.shape[0], CHUNK)]
    with _clocked(found, "score"):
        for part in parts:
            learned.model.log_odds(scales, scales.code_sparse(part))
    with _clocked(found, "reasons"):
        for part in parts:
            points.reasons(learned.model, scales, scales.code_sparse(part))
    with _clocked(found, "sentences"):
        whole = points.reasons(learned.model, scales, scales.code_sparse(parts[0]))
        for one in whole.as_dicts():
            sentence(one)
    counts = {"score": some.shape[0], "reasons": some.shape[0], "sentences": parts[0].shape[0]}
    return found | {f"{name}_per_s": many / found[f"{name}_s"] for name, many in counts.items()}


def journeys(size: str, path: str) -> Json:
    """Build features of so many profiles with ten events each, then train, and keep the model."""
    from bench.scorermade import log  # noqa: PLC0415
    from scorer import JourneyScorer  # noqa: PLC0415
    from scorer.building import build  # noqa: PLC0415
    from scorer.events import read_events, read_time  # noqa: PLC0415
    from scorer.features import learn_schema  # noqa: PLC0415
    from scorer.landmarks import make_rows, read_wins  # noqa: PLC0415

    raw, customers = log(int(size))
    found: Json = {"profiles": int(size), "events": len(raw["url"]), "made_mb": _peak()}
    with _clocked(found, "read"):
        events = read_events(raw)
    now = read_time(NOW)
    rows = make_rows(events, read_wins(events, customers, now), now, None)
    with _clocked(found, "build"):
        schema = learn_schema(events)
        told = build(events, schema, rows.who, rows.when)
    found |= {"rows": told.shape[0], "columns": told.shape[1], "build_mb": _peak()}
    found["cells_a_row"] = told.nnz / max(1, told.shape[0])
    del told, events
    with _clocked(found, "fit"):
        scorer = JourneyScorer().fit(raw, customers, NOW)
    Path(path).write_bytes(scorer.to_bytes(KEY))
    return found | {"peak_mb": _peak(), "model_kb": Path(path).stat().st_size / 1024}


def serving(path: str) -> Json:
    """Load a model in a fresh process and score one profile after another."""
    before = _peak()
    found: Json = {"bare_mb": before}
    with _clocked(found, "import"):
        from scorer import JourneyScorer  # noqa: PLC0415
    found["import_mb"] = _peak()
    with _clocked(found, "load"):
        scorer = JourneyScorer.from_bytes(Path(path).read_bytes(), KEY)
    from bench.scorermade import log  # noqa: PLC0415

    raw, _ = log(CALLS)
    taken, spent = [], []
    for number in range(CALLS):
        own = {name: values[10 * number : 10 * number + 10] for name, values in raw.items()}
        wall, cpu = time.perf_counter(), time.process_time()
        scorer.explain(own, own["profile_id"][:1], NOW)
        taken.append(1000 * (time.perf_counter() - wall))
        spent.append(1000 * (time.process_time() - cpu))
    for name, all_of_them in (("ms", taken), ("cpu_ms", spent)):
        found |= {f"{name}_{part}": float(np.percentile(all_of_them, part)) for part in PARTS}
    slow = sorted(name for name in sys.modules if name.split(".")[0] == "sklearn")
    return found | {"peak_mb": _peak(), "sklearn_modules": len(slow)}


CHILDREN: Mapping[str, Callable[..., Json]] = {
    "matrix": matrix,
    "journeys": journeys,
    "serving": serving,
}


@contextmanager
def _clocked(found: Json, name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found[f"{name}_s"] = time.perf_counter() - wall
    found[f"{name}_cpu_s"] = time.process_time() - cpu


def _child(*words: str) -> Json:
    print(f"  {' '.join(words[:2])} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.scorerscale", *words]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=alone)  # noqa: S603
    told: Json = json.loads(done.stdout)
    print(f"    {json.dumps(told)}", file=sys.stderr, flush=True)
    return told


def _peak() -> float:
    """Return the most that this process has held; what it was started from may have held more."""
    lines = (
        Path("/proc/self/status").read_text().splitlines() if Path("/proc/self").exists() else []
    )
    told = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return next(told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / MB


if __name__ == "__main__":
    print(json.dumps(CHILDREN[sys.argv[1]](*sys.argv[2:])))
