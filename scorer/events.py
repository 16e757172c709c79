"""Event logs: what profiles did, in order of time, as arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from scorer.cells import START, is_missing, moment_of, number_of, word_of, words_of
from scorer.kinds import Flags, Ints

MICROSECOND = 1_000_000
HOUR, DAY = 3_600 * MICROSECOND, 86_400 * MICROSECOND
# Up to where numbers are seconds (to the year 5138), milli- and microseconds; then nanoseconds.
SECONDS, MILLISECONDS, MICROSECONDS = 10**11, 10**14, 10**17
# What sales or the law did is no journey; a model must not see it.
NEVER = frozenset({"stage_changed", "opt_out", "deidentified", "identity_merged"})
WORDS: Mapping[str, tuple[str, ...]] = {  # ours -> the columns that may bring it, the first wins
    "type": ("type", "event"),
    "code": ("code",),
    "url": ("url", "page_url"),
    "form": ("form", "form_id"),
    "source": ("utm_source", "source", "channel"),
    "medium": ("utm_medium", "medium"),
    "campaign": ("utm_campaign", "campaign"),
    "referrer": ("referrer",),
    "device": ("device",),
    "country": ("country",),
}
COUNTED = re.compile(r"-?\d{9,}(\.\d*)?")
AMOUNTS = ("active_s", "focus_s", "clicks", "scroll_px", "mouse_px")


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words, each told once."""

    known: tuple[str, ...]
    codes: Ints

    def rows(self, which: Ints) -> Words:
        """Return some rows."""
        return Words(self.known, self.codes[which])


@dataclass(frozen=True, slots=True)
class Events:
    """Events by profile, each profile's in order of time; times in microseconds since 1970."""

    profiles: tuple[str, ...]
    starts: Ints
    who: Ints
    occurred: Ints
    received: Ints
    words: Mapping[str, Words]
    amounts: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.who)

    def keep(self, which: Flags) -> Events:
        """Return the events that are wanted; no profile is dropped."""
        rows = np.flatnonzero(which)
        who = self.who[rows]
        return Events(
            self.profiles,
            np.searchsorted(who, np.arange(len(self.profiles) + 1)),
            who,
            self.occurred[rows],
            self.received[rows],
            {name: words.rows(rows) for name, words in self.words.items()},
            {name: amounts[rows] for name, amounts in self.amounts.items()},
        )

    def find(self, profiles: Sequence[str]) -> Ints:
        """Return profiles' numbers; -1 for one that did nothing."""
        place = {profile: number for number, profile in enumerate(self.profiles)}
        return np.array([place.get(word_of(profile), -1) for profile in profiles], np.int64)

    def before(self, instant: int) -> Events:
        """Return what had happened and had come in before an instant."""
        return self.keep((self.occurred < instant) & (self.received < instant))


def read_events(table: Any) -> Events:
    """Read an event log: a DataFrame, a dict of columns, rows as dicts; or one that is read.

    What nobody did, an event without a profile, is left out.
    """
    if isinstance(table, Events):
        return table
    raw = columns_of(table) or {"profile_id": (), "occurred_at": ()}
    for name in ("profile_id", "occurred_at"):
        if name not in raw:
            raise ValueError(f"the event log lacks the column {name}")
    occurred = read_times(raw["occurred_at"])
    received = read_times(raw["received_at"], occurred) if "received_at" in raw else occurred
    words = {name: _words(raw, names, len(occurred)) for name, names in WORDS.items()}
    amounts = {name: _amounts(raw[name]) for name in AMOUNTS if name in raw}
    names = np.array(words_of(raw["profile_id"]), dtype=object).astype(str)
    _same_length(
        len(names), occurred, received, *amounts.values(), *(w.codes for w in words.values())
    )
    profiles, who = np.unique(names, return_inverse=True)
    allowed = _allowed(words["type"]) & (names != "")
    ties = [words[name].codes for name in ("url", "code", "type")]
    order = np.lexsort([*ties, received, occurred, who])
    order = order[allowed[order]]
    nobody = int("" in profiles[:1])  # words begin with it
    who = who[order].astype(np.int64) - nobody
    return Events(
        tuple(profiles[nobody:].tolist()),
        np.searchsorted(who, np.arange(len(profiles) - nobody + 1)),
        who,
        occurred[order],
        received[order],
        {name: column.rows(order) for name, column in words.items()},
        {name: column[order] for name, column in amounts.items()},
    )


def _same_length(count: int, *columns: Any) -> None:
    if any(len(column) != count for column in columns):
        raise ValueError("the event log's columns differ in length")


def _allowed(types: Words) -> Flags:
    never = np.array([word in NEVER for word in types.known], np.bool_)
    return np.asarray(~never[types.codes] if len(types.codes) else types.codes > 0, np.bool_)


def columns_of(table: Any) -> dict[str, Sequence[Any]]:
    """Return a table's columns, also where it comes as rows of dicts."""
    if isinstance(table, Mapping):
        return {str(name): values for name, values in table.items()}
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):  # a DataFrame, whoever's
        return {str(name): table[name] for name in table.columns}
    rows = list(table)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def read_times(values: Any, otherwise: Ints | None = None) -> Ints:
    """Return instants in microseconds; words are ISO 8601, numbers count from 1970, UTC if unsaid.

    Numbers are seconds, or milliseconds or less where seconds would be thousands of years.
    """
    array = np.asarray(values)
    if array.dtype.kind == "M":
        whole = array.astype("datetime64[us]")
        known = zip(np.isnat(whole).tolist(), whole.astype(np.int64).tolist(), strict=True)
        told = [None if none else at for none, at in known]
    elif array.dtype.kind in "iu":
        return _counted(array.astype(np.int64))
    else:
        told = [_time(value) for value in array.astype(object)]
    if otherwise is None and None in told:
        raise ValueError("an event has no occurred_at")
    rest = otherwise.tolist() if otherwise is not None else [0] * len(told)
    both = zip(told, rest, strict=True)
    return np.array([mine if mine is not None else other for mine, other in both], np.int64)


def read_time(value: Any) -> int:
    """Return one instant in microseconds."""
    return int(read_times([value])[0])


def _time(value: Any) -> int | None:
    if is_missing(value):
        return None
    if isinstance(value, str):
        value = _said(value.strip())
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[us]").astype(np.int64))
    if isinstance(value, date):
        gone = moment_of(value) - START
        return (gone.days * 86_400 + gone.seconds) * MICROSECOND + gone.microseconds
    number, size = float(value), abs(float(value))
    if size < MILLISECONDS:
        return round(number * (MICROSECOND if size < SECONDS else 1_000))
    return round(number if size < MICROSECONDS else number / 1_000)


def _counted(numbers: Ints) -> Ints:
    size = np.abs(numbers)
    units = [size < SECONDS, size < MILLISECONDS, size < MICROSECONDS]
    told = [numbers * MICROSECOND, numbers * 1_000, numbers]
    return np.asarray(np.select(units, told, numbers // 1_000), np.int64)


def _said(word: str) -> datetime | float:
    if word[4:5] != "-" and COUNTED.fullmatch(word):
        return float(word)
    try:
        return datetime.fromisoformat(word.removesuffix(" UTC"))
    except ValueError as error:
        raise ValueError(f"{word!r} is no instant; give ISO 8601, or seconds") from error


def _words(raw: Mapping[str, Sequence[Any]], names: tuple[str, ...], count: int) -> Words:
    name = next((name for name in names if name in raw), None)
    if name is None:
        return Words(("",), np.zeros(count, np.int64))
    told = np.array(words_of(raw[name]), dtype=object).astype(str)
    known, codes = np.unique(told, return_inverse=True)
    return Words(tuple(known.tolist()), codes.astype(np.int64))


def _amounts(values: Sequence[Any]) -> Ints:
    numbers = np.array([number_of(value) for value in values], np.float64)
    return np.clip(np.nan_to_num(numbers), 0, 1e9).astype(np.int64)
