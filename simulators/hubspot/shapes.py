"""The small shapes everything here speaks: JSON objects, times and ids."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object at the edge of the twin: what a client sent or will read."""


def iso(ms: int) -> str:
    """Write epoch milliseconds the way CRM responses do (2026-09-01T10:00:00.123Z)."""
    moment = dt.datetime.fromtimestamp(ms // 1000, tz=dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def to_ms(text: str | float) -> int:
    """Read epoch milliseconds, an ISO date or an ISO date-time; ValueError if it is neither."""
    if isinstance(text, int | float):
        return int(text)
    if text.lstrip("-").isdigit():
        return int(text)
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    # Not timestamp(): its float loses the last digit of some milliseconds.
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
