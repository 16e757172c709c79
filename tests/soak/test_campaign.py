"""A short campaign in the gate; `make soak` runs long ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = {
    "sqlite": "kill everything,kill a worker,duplicates,lost reply,opt-out race",
    "postgres": "kill web,kill all workers,shuffled,invalid JSON,flush Valkey",
}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_nothing_is_lost_doubled_or_diverged_by_faults(database: str, tmp_path: Path) -> None:
    words = ["--seed", "1", "--database", database, "--only", SHORT[database], "--patience", "10"]
    command = [sys.executable, "-m", "soak", *words, "--json", str(tmp_path / "report.json")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=600)

    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    told = json.loads((tmp_path / "report.json").read_text())
    assert (told["lost"], told["doubled"], told["diverged"], told["orphans"]) == (0, 0, 0, 0)
    assert told["acked"] > 0
    assert sum(told["kills"].values()) > 0
