"""Public data sets for the scorer's bench, read where CONNECTOR_BENCH_DATA says; none shipped."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scorer.kinds import Floats, Ints

CHECKOUT = Path(__file__).parents[1]
HORIZON = 90  # days that a win of the funnel may take
LEAKS = ("Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity")
CODES = ("Month", "VisitorType", "Weekend", "OperatingSystems", "Browser", "Region", "TrafficType")
NUMBERS = ("age", "balance", "day", "campaign", "pdays", "previous")


@dataclass(frozen=True, slots=True)
class Set:
    """A table, what became of its rows, and which come first and later in time."""

    columns: Mapping[str, Any]
    won: Floats
    older: Ints
    newer: Ints
    untimely: tuple[str, ...] = ()  # columns that can't stand across the cut

    def rows(self, which: Ints, without: Sequence[str] = ()) -> dict[str, Any]:
        """Return some rows' columns."""
        return {n: np.asarray(c)[which] for n, c in self.columns.items() if n not in without}


def folder() -> Path:
    """Return where the data sets are meant to lie."""
    return Path(os.environ.get("CONNECTOR_BENCH_DATA", CHECKOUT.parent / "shared" / "data"))


def xeducation(leaky: Sequence[str] = ()) -> Set:
    """Return course leads in the order of their numbers; what is written afterwards is left out."""
    raw = {name: cells for name, cells in _read("xeducation.csv.gz").items() if name}
    order = np.argsort(_numbers(raw["Lead Number"]), kind="stable")
    late = {name for name in raw if name.startswith("Asym")} | set(LEAKS)
    away = (late - set(leaky)) | {"Prospect ID", "Lead Number", "Converted"}
    columns = {
        name: np.array(["" if cell == "Select" else cell for cell in cells], dtype=object)[order]
        for name, cells in raw.items()
        if name not in away
    }
    return _in_order(columns, _numbers(raw["Converted"])[order])


def olist() -> Set:
    """Return sellers' leads in order of first contact; won within 90 days."""
    raw = _read("olist_leads.csv.gz", ("id", "at", "page", "origin"))
    closed = _read("olist_closed_deals.csv.gz")
    won = dict(zip(closed["mql_id"], closed["won_date"], strict=True))
    at = np.array(raw["at"], dtype="datetime64[s]")
    order = np.argsort(at, kind="stable")
    never = np.datetime64("2100-01-01")
    ends = [np.datetime64(won[one].replace(" ", "T")) if one in won else never for one in raw["id"]]
    days = (np.array(ends, dtype="datetime64[s]") - at) / np.timedelta64(1, "D")
    columns = {name: np.array(raw[name], dtype=object)[order] for name in ("page", "origin")}
    outcome = (days <= HORIZON).astype(np.float64)[order]
    return Set(columns, outcome, np.arange(1600, 5600), np.arange(5600, 8000))


def shoppers(leaky: Sequence[str] = ()) -> Set:
    """Return sessions without the column that is made from the purchase; November on is later."""
    raw = _read("shoppers.csv.gz", delimiter=";")
    won = np.array([cell.upper() == "TRUE" for cell in raw["Revenue"]]).astype(np.float64)
    late = np.isin(raw["Month"], ["Nov", "Dec"])
    columns = {
        name: np.array(cells, dtype=object) if name in CODES else _numbers(cells)
        for name, cells in raw.items()
        if name not in {"Revenue", "PageValues"} - set(leaky)
    }
    return Set(columns, won, np.flatnonzero(~late), np.flatnonzero(late), ("Month",))


def bank() -> Set:
    """Return a bank's calls in order of date, without how long they took."""
    raw = _read("bank-full.csv.gz", delimiter=";")
    won = np.array([cell == "yes" for cell in raw["y"]]).astype(np.float64)
    columns = {
        name: _numbers(cells) if name in NUMBERS else np.array(cells, dtype=object)
        for name, cells in raw.items()
        if name not in {"y", "id", "duration"}
    }
    return _in_order(columns, won)


SETS: Mapping[str, Callable[[], Set]] = {
    "X Education strict": xeducation,
    "Olist 90 d": olist,
    "Shoppers without PageValues": shoppers,
    "Bank without duration": bank,
}
# The five of the cold start: the reference took shoppers both ways, to see more than one base.
FIVE: Mapping[str, Callable[[], Set]] = {
    **SETS,
    "Shoppers with PageValues": lambda: shoppers(("PageValues",)),
}


def _in_order(columns: Mapping[str, Any], won: Floats, share: float = 0.7) -> Set:
    cut = int(share * len(won))
    return Set(columns, won, np.arange(cut), np.arange(cut, len(won)))


def _read(name: str, header: Sequence[str] = (), delimiter: str = ",") -> dict[str, list[str]]:
    with gzip.open(folder() / name, "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    names, body = (header, rows) if header else (rows[0], rows[1:])
    return {column: [row[n] for row in body] for n, column in enumerate(names)}


def _numbers(cells: Sequence[str]) -> Floats:
    return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
