"""What a family of processes takes, as the kernel counts it: memory and processor time."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_PEAK, _NOW = "VmHWM:", "VmRSS:"
_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # places in /proc/PID/stat behind the name


def peaks(root: int) -> dict[str, float]:
    """Return the peak resident size in MB of a process and of all below it, by name.

    Several of one name are numbered; empty where the kernel does not tell.
    """
    found: dict[str, float] = {}
    for pid in family(root):
        name = _name(pid)
        names = [name, *(f"{name} worker {number}" for number in range(1, 100))]
        if peak := _size(pid, _PEAK):
            found[next(one for one in names if one not in found)] = peak
    return found


def resident(root: int) -> dict[str, float]:
    """Return the resident size in MB now, summed up by name."""
    found: dict[str, float] = defaultdict(float)
    for pid in family(root):
        found[_name(pid)] += _size(pid, _NOW)
    return {name: round(size, 1) for name, size in found.items()}


def processor(root: int) -> float:
    """Return the seconds of processor time that a process and all below it have taken."""
    ticks = 0
    for pid in family(root):
        try:
            counts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(counts[_USER]) + int(counts[_SYSTEM])
    return ticks / _TICKS


def family(root: int) -> list[int]:
    """Return a process and all below it."""
    try:
        below = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except OSError:
        return []
    return [root, *(pid for child in below for pid in family(int(child)))]


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "ended"
    if "connector" in words:
        return words[words.index("connector") + 1]
    return Path(words[0]).name


def _size(pid: int, what: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    told = next((line for line in lines if line.startswith(what)), f"{what} 0")
    return round(int(told.split()[1]) / 1024, 1)
