"""`connector import journeys`: files as they come, compressed or not, and what it lacks."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Shell

HISTORY = [
    {"id": f"e{n}", "type": "page_view", "occurred_at": "2026-05-01T10:00:00Z"}
    | {"visitor": {"device_id": f"d{n}"}}
    for n in range(3)
]
LINES = "".join(f"{json.dumps(one)}\n" for one in HISTORY).encode()
TABLE = b"id,type,occurred_at,device_id\ne1,page_view,2026-05-01T10:00:00Z,d1\n"


@pytest.fixture
def sender(shell: Shell) -> str:
    """Return an account whose platform is connected."""
    account = shell.account()
    shell.ask("connect", "platform", "--account", account)
    return account


@pytest.mark.parametrize(
    ("name", "content", "number"),
    [
        ("h.ndjson", LINES, 3),
        ("h.ndjson.gz", gzip.compress(LINES, mtime=0), 3),
        ("h.csv", TABLE, 1),
        ("h.csv.gz", gzip.compress(TABLE, mtime=0), 1),
    ],
)
def test_a_file_comes_in_whether_it_is_compressed_or_not(
    shell: Shell, sender: str, tmp_path: Path, name: str, content: bytes, number: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    told = shell.ask("import", "journeys", str(path), "--account", sender)

    assert (told["events"], told["unread"]) == (number, 0)


def test_a_file_that_was_cut_off_is_refused_in_words(
    shell: Shell, sender: str, tmp_path: Path
) -> None:
    path = tmp_path / "h.ndjson.gz"
    path.write_bytes(gzip.compress(LINES, mtime=0)[:-12])

    assert "can't be read" in shell.refusal("import", "journeys", str(path), "--account", sender)


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_is_shown_to_whoever_watches_at_a_terminal(
    sender: str,
    tmp_path: Path,
    watched: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "h.ndjson"
    path.write_bytes(LINES)
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [sys.executable, "-m", "connector", "import", "journeys", str(path), "--account", sender],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=theirs if watched else subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode() if watched else ""
    os.close(ours)

    assert done.returncode == 0
    assert b"read 3 events" in done.stdout
    assert ("events" in shown) is watched


def test_history_may_come_before_the_platform_is_connected(shell: Shell, tmp_path: Path) -> None:
    account = shell.account()
    path = tmp_path / "h.ndjson"
    path.write_bytes(LINES)

    told = shell.ask("import", "journeys", str(path), "--account", account)

    first, again = (shell.ask("connect", "platform", "--account", account) for _ in range(2))
    assert told["events"] == 3
    assert first == again


def test_nobodys_history_is_refused(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "h.ndjson"
    path.write_bytes(LINES)

    assert "acc_nobody" in shell.refusal("import", "journeys", str(path), "--account", "acc_nobody")
