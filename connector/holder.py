"""Names this process as a holder of leases, and tells whether another one is dead.

A lease runs out by itself. Where its holder ran on this machine and was killed, nobody has to
wait for that.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path


def name() -> str:
    """Return a name for this process that no other one has."""
    return f"{_place()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Say whether a holder ran here and is gone; not knowing counts as alive."""
    place, _, rest = holder.partition("/")
    pid = rest.partition("/")[0]
    if place != _place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _place() -> str:
    """Name the machine and, in containers, the space in which process ids count."""
    try:
        space = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        space = ""
    return f"{socket.gethostname().replace('/', '_')}:{space}"
