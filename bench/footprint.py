"""How long it takes until something is there: imports, help, and the first 204."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from bench.events import body, journeys, sign
from bench.house import SECRET, housed
from bench.memory import peaks

NO_CONTENT = 204
WITHIN = 60.0
COMMANDS = {
    "python": ("-c", "pass"),
    "import_connector_cli": ("-c", "import connector.cli"),
    "connector_help": ("-m", "connector", "--help"),
}


def measure(folder: Path, *, times: int = 5) -> dict[str, Any]:
    """Return medians of several starts, in seconds; `python` alone is the floor of the others."""
    told: dict[str, Any] = {
        f"{name}_s": _median([_run(words) for _ in range(times)])
        for name, words in COMMANDS.items()
    }
    starts = [_first_204(folder / f"start{number}") for number in range(times)]
    told["first_204_s"] = _median([seconds for seconds, _ in starts])
    told["idle_memory_mb"] = starts[-1][1]
    return told | {"times": times}


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 3)


def _run(words: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - began


def _first_204(folder: Path) -> tuple[float, dict[str, float]]:
    """Return the seconds from `connector up` on an empty folder to its first kept webhook.

    The app-wide URL takes it, which needs no account: what it brings is kept and parked.
    """
    with housed(folder, hubspot_client_secret=SECRET) as house:
        content = body([next(journeys(0, 1))])
        began = time.perf_counter()
        up = house.start("connector", "up")
        url = f"{house.url}/webhooks/hubspot"
        while _status(url, content) != NO_CONTENT:
            if time.perf_counter() - began > WITHIN:
                raise TimeoutError("no 204 from a fresh installation")
            time.sleep(0.01)
        return time.perf_counter() - began, peaks(up.pid)


def _status(url: str, content: bytes) -> int:
    stamp = str(time.time_ns() // 1_000_000)
    headers = {
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": sign(SECRET, url, content, stamp),
    }
    try:
        return requests.post(url, data=content, headers=headers, timeout=5).status_code
    except requests.RequestException:
        return 0
