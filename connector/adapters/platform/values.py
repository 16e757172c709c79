"""What a stranger's values come to: a text, an id, a number, a time; None where they are none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=5)
_LARGEST = 10**15
_IN_MILLISECONDS = 10**11  # as seconds that were the year 5138
_LONGEST_ID = 200
_LONGEST_EMAIL = 254
_MOST_KEYS = 100
_DEEPEST = 20
# No database keeps a NUL in a text, and half a character can't be said in UTF-8.
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_STAGE = re.compile(r"\d{1,2}", re.ASCII)
_LAST_STAGE = 10
_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
_YES_NO = {"true": 1.0, "false": 0.0}


def say(text: str) -> str:
    """Return a text without what can't be kept."""
    return _UNSAYABLE.sub("", text) if _UNSAYABLE.search(text) else text


def text(value: object, most: int = 500) -> str | None:
    """Return a text, cut where it is too long; a number counts as its digits."""
    if isinstance(value, str):
        return say(value.strip())[:most] or None
    return str(value) if is_whole(value) else None


def is_whole(value: object) -> bool:
    """Say whether a value is a whole number of a sane size."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST


def name(value: object) -> str | None:
    """Return an id; one that is too long is none, as half of it may be somebody else's."""
    told = text(value, _LONGEST_ID + 1)
    return None if told is None or len(told) > _LONGEST_ID else told


def email(value: object) -> str | None:
    """Return an address in lower case."""
    told = text(value, _LONGEST_EMAIL + 1) if isinstance(value, str) else None
    if told is None or len(told) > _LONGEST_EMAIL or not _EMAIL.fullmatch(told):
        return None
    return told.lower()


def stage(value: object) -> int | None:
    """Return a lead stage, 1 to 10."""
    digits = text(value) or ""
    told = int(digits) if _STAGE.fullmatch(digits) else 0
    return told if 1 <= told <= _LAST_STAGE else None


def number(value: object) -> float | None:
    """Return a number; yes and no are 1 and 0."""
    if isinstance(value, str):
        told = value.strip().lower()
        if told in _YES_NO:
            return _YES_NO[told]
        return float(told) if _NUMBER.fullmatch(told) else None
    if not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _LARGEST else None  # not so for NaN either


def when(value: object, received_at: datetime) -> tuple[datetime, bool] | None:
    """Return a moment, and whether it had to be drawn back from the future."""
    moment = _moment(value)
    if moment is None or moment < _EARLIEST:
        return None
    latest = received_at + _AHEAD
    return min(moment, latest), moment > latest


def _moment(value: object) -> datetime | None:
    """Read ISO 8601 (UTC where no zone is named), or seconds or milliseconds since 1970."""
    told = None if isinstance(value, bool) else number(value)
    try:
        if told is not None:
            seconds = told / 1000 if told >= _IN_MILLISECONDS else told
            return _EPOCH + timedelta(seconds=seconds)
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value.strip().upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def group(
    values: object, read: Callable[[object], T | None]
) -> tuple[dict[str, T], dict[str, object] | object]:
    """Read an object whose keys are free; return what it says, and what is left over."""
    if not isinstance(values, dict):
        return {}, values
    said: dict[str, T] = {}
    left: dict[str, object] = {}
    for key, value in values.items():
        told = read(value) if len(said) < _MOST_KEYS else None
        if told is not None:
            said[say(key)[:_LONGEST_ID]] = told
        elif value is not None:
            left[key] = value
    return said, left


def sane(value: object, depth: int = 0) -> object:
    """Return a document that can be kept and shown: nothing unsayable, endless or too deep."""
    if isinstance(value, str):
        return say(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > _DEEPEST and isinstance(value, dict | list):
        return None
    if isinstance(value, list):
        return [sane(one, depth + 1) for one in value]
    if isinstance(value, Mapping):
        return {say(str(key)): sane(one, depth + 1) for key, one in value.items()}
    return value
