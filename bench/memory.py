"""Peak memory of a family of processes, as the kernel kept it."""

from __future__ import annotations

from pathlib import Path

_PEAK = "VmHWM:"


def peaks(root: int) -> dict[str, float]:
    """Return the peak resident size in MB of a process and of all below it, by name.

    Several of one name are numbered; empty where the kernel does not tell.
    """
    found: dict[str, float] = {}
    for pid in family(root):
        name = _name(pid)
        names = [name, *(f"{name} worker {number}" for number in range(1, 100))]
        if peak := _peak(pid):
            found[next(one for one in names if one not in found)] = peak
    return found


def family(root: int) -> list[int]:
    """Return a process and all below it."""
    try:
        below = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except OSError:
        return []
    return [root, *(pid for child in below for pid in family(int(child)))]


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "connector" in words:
        return words[words.index("connector") + 1]
    return Path(words[0]).name


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    told = next((line for line in lines if line.startswith(_PEAK)), f"{_PEAK} 0")
    return round(int(told.split()[1]) / 1024, 1)
