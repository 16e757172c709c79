"""Rows as CSV that a spreadsheet opens without running any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

# What makes a cell a formula to Excel, LibreOffice or Google Sheets (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def sheet(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as CSV with a head line, the same whatever the rows hold.

    A value that is a mapping becomes a column a key; one that nobody named comes last.
    """
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys((*columns, *(name for row in flat for name in row))))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writerow({name: cell(name) for name in names})
    writer.writerows({name: cell(value) for name, value in row.items()} for row in flat)
    return text.getvalue()


def cell(value: object) -> object:
    """Return a value as a cell; a text that would be a formula is quoted as text."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {str(key): each for key, each in value.items()}
        else:
            found[name] = value
    return found
