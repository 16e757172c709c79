"""Reads tables: a DataFrame, a dict of equally long columns, or rows of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scorer.kinds import Floats

# Strings that are numbers are read as numbers from so many different ones on: fewer are codes.
NUMERIC_FROM = 20

Column = Floats | list[str]  # numbers with NaN for missing, or words with "" for missing


def read_table(table: Any, names: Sequence[str] | None = None) -> dict[str, Column]:
    """Return a table's columns by name, those asked for where names are given."""
    raw = _raw(table)
    wanted = list(raw) if names is None else list(names)
    missing = [name for name in wanted if name not in raw]
    if missing:
        raise ValueError(f"the table lacks the columns {missing}; give those it was fitted on")
    columns = {name: read_column(raw[name]) for name in wanted}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns differ in length: {sorted(lengths)}")
    return columns


def read_column(values: Any) -> Column:
    """Return one column as numbers or as words."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        numbers = array.astype(np.float64)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    cells = [None if _is_missing(value) else value for value in array.astype(object)]
    if all(cell is None or isinstance(cell, bool | int | float | np.number) for cell in cells):
        return _numbers(cells)
    words = ["" if cell is None else str(cell).strip() for cell in cells]
    return _parsed(words)


def as_words(column: Column) -> list[str]:
    """Return a column as words, for one that was words when it was learned."""
    if isinstance(column, list):
        return column
    return ["" if np.isnan(value) else f"{value:g}" for value in column]


def as_numbers(column: Column) -> Floats:
    """Return a column as numbers, for one that was numbers when it was learned."""
    if not isinstance(column, list):
        return column
    return np.array([_number(word) for word in column], np.float64)


def _raw(table: Any) -> dict[str, Any]:
    if isinstance(table, Mapping):
        return {str(name): values for name, values in table.items()}
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):  # a DataFrame, whoever's
        return {str(name): table[name] for name in table.columns}
    array = np.asarray(table)
    if array.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise ValueError("give a DataFrame, a dict of columns, or rows of equal length")
    return {f"x{number}": array[:, number] for number in range(array.shape[1])}


def _is_missing(value: Any) -> bool:
    if value is None or value == "":
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - NaN and NaT are not themselves
    except TypeError:  # pandas.NA knows neither
        return True


def _numbers(cells: list[Any]) -> Floats:
    found = np.array([np.nan if cell is None else float(cell) for cell in cells], np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _parsed(words: list[str]) -> Column:
    told = {word for word in words if word}
    if len(told) < NUMERIC_FROM or any(np.isnan(_number(word)) for word in told):
        return words
    return np.array([_number(word) for word in words], np.float64)


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")
