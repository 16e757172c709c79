"""One id from a webhook to the write that it leads to, as W3C Trace Context spells it.

What a process works on at the moment is kept here, so that log lines and calls can name it.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "traceparent"
_HEADER = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_ID = re.compile(r"[0-9a-f]{32}")
_now: ContextVar[tuple[str, ...]] = ContextVar("trace", default=())


def accept(header: str | None) -> str:
    """Return the trace id of a sender's header, a new one where it sent none that is valid."""
    found = _HEADER.fullmatch((header or "").strip())
    if found is None or not found[1].strip("0") or not found[2].strip("0"):
        return _new()
    # Only the first version may be without more behind it.
    return _new() if found[3] and found[0].startswith("00") else found[1]


def _new() -> str:
    """Make an id; it is no secret, and the system's randomness costs a wait for Python's lock."""
    return f"{random.getrandbits(128) or 1:032x}"


def header(own: str) -> str | None:
    """Return the header that hands a trace on, None for what is no trace id."""
    return f"00-{own}-{secrets.token_hex(8)}-01" if _ID.fullmatch(own) else None


@contextmanager
def following(traces: Iterable[str]) -> Iterator[None]:
    """Say what is worked on while the block runs."""
    token = _now.set(tuple(dict.fromkeys(one for one in traces if one)))
    try:
        yield
    finally:
        _now.reset(token)


def current() -> str:
    """Return the trace that is worked on, the first where there are several, "" for none."""
    return next(iter(_now.get()), "")


def all_current() -> tuple[str, ...]:
    """Return every trace that is worked on."""
    return _now.get()
