"""When the product had worked off what it had acknowledged."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from soak.backlog import NEVER, Backlog
from soak.installation import Installation


def test_what_was_acknowledged_counts_once_nothing_as_old_waits(tmp_path: Path) -> None:
    with closing(Installation(tmp_path, "procfile", {})) as own:
        backlog = Backlog(own, threading.Event())
    backlog.looks = [(900, NEVER), (1500, 950), (2000, 1000), (2500, 1001), (3000, NEVER)]

    assert backlog.worked_off(1000) == 2500
    assert backlog.worked_off(2600) == 3000
    assert backlog.worked_off(3100) == NEVER
