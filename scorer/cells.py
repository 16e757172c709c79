"""Cells of tables, whoever made them: what is missing, and what one is as a word or a number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

NOTHING = frozenset({"", "nan", "nat", "null", "<na>", "n/a"})  # words that stand for none
MOST = 1e100  # a number beyond is told as this: its cube must still be one
YES_AND_NO = {"true": 1.0, "false": 0.0}
START = datetime(1970, 1, 1, tzinfo=UTC)


def is_missing(cell: Any) -> bool:
    """Return whether a cell says nothing: None, NaN, NaT, pandas.NA, or a word for these."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().lower() in NOTHING
    try:
        return bool(cell != cell)  # noqa: PLR0124 - NaN and NaT are not themselves
    except TypeError:  # pandas.NA knows neither
        return True
    except ValueError:  # an array knows both
        return False


def word_of(cell: Any) -> str:
    """Return a cell as a word, "" for none; 7 and 7.0 are one word, whatever stands beside."""
    if is_missing(cell):
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def words_of(cells: Iterable[Any]) -> list[str]:
    """Return cells as words; each different one is read once."""
    known: dict[str, str] = {}
    found = []
    for cell in cells:
        if not isinstance(cell, str):
            found.append(word_of(cell))
            continue
        if cell not in known:
            known[cell] = word_of(cell)
        found.append(known[cell])
    return found


def number_of(cell: Any) -> float:
    """Return a cell as a number, NaN where it is none; instants are seconds since 1970."""
    if is_missing(cell):
        return float("nan")
    if isinstance(cell, str) and cell.strip().lower() in YES_AND_NO:
        return YES_AND_NO[cell.strip().lower()]
    try:
        number = float(seconds_of(cell) if is_instant(cell) else cell)
    except OverflowError:
        return MOST if cell > 0 else -MOST
    except (TypeError, ValueError):
        return float("nan")
    return float(np.clip(number, -MOST, MOST)) if np.isfinite(number) else float("nan")


def is_instant(cell: Any) -> bool:
    """Return whether a cell is a date or a moment."""
    return isinstance(cell, date | np.datetime64)  # a datetime is a date


def seconds_of(instant: Any) -> float:
    """Return a date or a moment in seconds since 1970, UTC if unsaid."""
    if isinstance(instant, np.datetime64):
        return float((instant - np.datetime64(0, "s")) / np.timedelta64(1, "s"))
    return float((moment_of(instant) - START).total_seconds())


def moment_of(instant: date) -> datetime:
    """Return a date's midnight, or a datetime, with a time zone: UTC if unsaid."""
    if not isinstance(instant, datetime):
        instant = datetime(instant.year, instant.month, instant.day, tzinfo=UTC)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
