"""Reads tables: a DataFrame, a dict of equally long columns, or rows of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from scorer.cells import MOST, is_instant, is_missing, number_of, word_of, words_of
from scorer.kinds import Floats

# Strings that are numbers are read as numbers from so many different ones on: fewer are codes.
NUMERIC_FROM = 20
NUMERIC_SHARE = 0.95  # of the cells that say something; the others are then missing
NUMBERS = bool | int | float | np.number | np.bool_ | Decimal

Column = Floats | list[str]  # numbers with NaN for missing, or words with "" for missing


def read_table(table: Any, names: Sequence[str] | None = None) -> dict[str, Column]:
    """Return a table's columns by name, those asked for where names are given."""
    raw = _raw(table)
    wanted = _wanted(raw, list(raw) if names is None else list(names))
    return _equally_long({name: read_column(cells) for name, cells in wanted.items()})


def read_as(table: Any, numbers: Mapping[str, bool]) -> dict[str, Column]:
    """Return the columns that were learned from, cell by cell as they were read then.

    A row reads the same whatever rows stand beside it. Rows without names go by their place.
    """
    raw = _raw(table)
    if not _has_names(table) and list(raw) != list(numbers):
        if len(raw) != len(numbers):
            raise ValueError(f"the table has {len(raw)} columns; it was fitted on {len(numbers)}")
        raw = dict(zip(numbers, raw.values(), strict=True))
    wanted = _wanted(raw, list(numbers))
    readers = {name: _numbers if is_number else _words for name, is_number in numbers.items()}
    return _equally_long({name: readers[name](_array(wanted[name])) for name in wanted})


def read_column(values: Any) -> Column:
    """Return one column as numbers or as words, whichever its cells are."""
    array = _array(values)
    return _numbers(array) if _is_numeric(array) else _words(array)


def as_words(column: Column) -> list[str]:
    """Return a column as words, for one that was words when it was learned."""
    return column if isinstance(column, list) else [word_of(value) for value in column.tolist()]


def as_numbers(column: Column) -> Floats:
    """Return a column as numbers, for one that was numbers when it was learned."""
    return _numbers(_array(column)) if isinstance(column, list) else column


def _raw(table: Any) -> dict[str, Any]:
    if isinstance(table, Mapping):
        return {str(name): values for name, values in table.items()}
    if _has_names(table):
        return {str(name): table[name] for name in table.columns}
    array = np.asarray(table)
    if array.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise ValueError("give a DataFrame, a dict of columns, or rows of equal length")
    return {f"x{number}": array[:, number] for number in range(array.shape[1])}


def _has_names(table: Any) -> bool:
    """Return whether a table is a dict, or a DataFrame, whoever's."""
    if isinstance(table, Mapping):
        return True
    return hasattr(table, "columns") and hasattr(table, "__getitem__")


def _wanted(raw: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    missing = [name for name in names if name not in raw]
    if missing:
        raise ValueError(f"the table lacks the columns {missing}; give those it was fitted on")
    return {name: raw[name] for name in names}


def _equally_long(columns: dict[str, Column]) -> dict[str, Column]:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns differ in length: {sorted(lengths)}")
    return columns


def _array(values: Any) -> Any:
    """Return a column's cells as they are: a list of words and NaN must not become all words."""
    if isinstance(values, list | tuple):
        found = np.empty(len(values), dtype=object)
        found[:] = [_cell(value) for value in values]
        return found
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"a column is one row of cells, not {array.ndim} dimensions")
    return array


def _cell(value: Any) -> Any:
    return str(value) if isinstance(value, list | tuple | np.ndarray) else value


def _is_numeric(array: Any) -> bool:
    if array.dtype.kind in "biufmM":
        return True
    told = [cell for cell in array.tolist() if not is_missing(cell)]
    if all(isinstance(cell, NUMBERS) or is_instant(cell) for cell in told):
        return True
    words = {word_of(cell) for cell in told}
    if len(words) < NUMERIC_FROM:
        return False
    numbers = ~np.isnan(_each(told, number_of).astype(np.float64))
    return bool(numbers.mean() >= NUMERIC_SHARE)


def _numbers(array: Any) -> Floats:
    if array.dtype.kind == "M":
        found = (array - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    elif array.dtype.kind == "m":
        found = array / np.timedelta64(1, "s")
    elif array.dtype.kind in "biuf":
        found = array.astype(np.float64)
    else:
        found = _each(array.tolist(), number_of).astype(np.float64)
    return np.where(np.isfinite(found), np.clip(found, -MOST, MOST), np.nan)


def _words(array: Any) -> list[str]:
    return words_of(array if array.dtype.kind in "mM" else array.tolist())


def _each(cells: Sequence[Any], read: Callable[[Any], Any]) -> Any:
    """Return every cell as it is read; words are read once each."""
    known: dict[str, Any] = {}
    found = np.empty(len(cells), dtype=object)
    for number, cell in enumerate(cells):
        if not isinstance(cell, str):
            found[number] = read(cell)
        elif cell in known:
            found[number] = known[cell]
        else:
            found[number] = known[cell] = read(cell)
    return found
