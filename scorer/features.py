"""Columns about journeys: signs counted over windows, each column with a name, a group, a text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from scorer import pages
from scorer.days import Daily
from scorer.events import DAY, HOUR, Events
from scorer.kinds import Ints
from scorer.signs import DAYS, EVERYTHING, LONGEST, PAUSES, VISIT, Names, reader, tell

WINDOWS: Mapping[int, str] = {
    1: "today",
    3: "last 3 days",
    7: "last 7 days",
    30: "last 30 days",
    90: "last 90 days",
    1_000_000: "ever",
}
ACTIVE: Mapping[int, str] = {
    7: "days of the last 7",
    30: "days of the last 30",
    1_000_000: "days ever",
}
STATS = (
    *((f"count_{days}", text) for days, text in WINDOWS.items()),
    *((f"days_{days}", text) for days, text in ACTIVE.items()),
    ("since_last", "hours since the last"),
    ("since_first", "hours since the first"),
)
MOST_IN_ALL = np.iinfo(np.int32).max
MOST_A_DAY = 20  # of one sign; more says nothing, and robots do more


class Words(NamedTuple):
    """How a kind of sign is told: its group and its text, and how many an account may have."""

    group: str
    text: str
    most: int


KINDS: Mapping[str, Words] = {
    "all": Words("Activity", "anything done", 1),
    "visit": Words("Visits", "visits", 1),
    "page": Words("Pages: {}", "views of {} pages", 30),
    "type": Words("Events: {}", "{} events", 30),
    "code": Words("Event {}", "events coded {}", 40),
    "path": Words("Page {}", "views of {}", 40),
    "form": Words("Form {}", "events on form {}", 12),
    "entry": Words("First page of visits", "visits that began with {}", 30),
    "then": Words("Browsing sequence", "{} within a visit", 60),
    "hour": Words("Time of day", "events from {}:00 UTC on, for three hours", 8),
    "weekday": Words("Day of the week", "events on a {}", 7),
    "pause": Words("Pace", "pauses of up to {}", 8),
    "source": Words("Source", "events with source {}", 20),
    "medium": Words("Source", "events with medium {}", 10),
    "campaign": Words("Campaign", "events with campaign {}", 20),
    "referrer": Words("Source", "events referred by {}", 20),
    "device": Words("Device", "events by device {}", 8),
    "country": Words("Country", "events from {}", 24),
    "amount": Words("Engagement", "{} in all", 5),
}
# The platform's own words for what counts as a step towards us.
TYPES = (
    *("page_view", "custom", "identity_conversion", "verified_conversion", "authentication"),
    *("form_submitted", "contact_us", "engagement", "incentive_offered", "incentive_claimed"),
)
# Always there, whatever an account's log says: the schema of a new account has them too.
ALWAYS = (
    EVERYTHING,
    VISIT,
    *(f"page:{name}" for name in pages.NAMES),
    *(f"type:{name}" for name in TYPES),
    *(f"hour:{hour:02}" for hour in range(0, 24, 3)),
    *(f"weekday:{day}" for day in DAYS),
    *(f"pause:{pause}" for pause in (*PAUSES.values(), LONGEST)),
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The signs that are counted, in order; each gives one column a statistic."""

    signs: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.signs) * len(STATS)

    @property
    def names(self) -> list[str]:
        """Every column's name."""
        return [f"{sign}|{stat}" for sign in self.signs for stat, _ in STATS]

    @property
    def groups(self) -> list[str]:
        """The group that every column's points are told under."""
        return [group_of(sign) for sign in self.signs for _ in STATS]

    @property
    def texts(self) -> list[str]:
        """Every column in English."""
        return [f"{text_of(sign)}, {text}" for sign in self.signs for _, text in STATS]

    @property
    def digest(self) -> str:
        """The schema's hash."""
        told = json.dumps([self.signs, STATS]).encode()
        return hashlib.sha256(told).hexdigest()


def group_of(sign: str) -> str:
    """Return the name of the group that a sign is told under."""
    kind, _, value = sign.partition(":")
    return KINDS[kind].group.format(value.replace("_", " "))


def text_of(sign: str) -> str:
    """Return a sign in English; no two signs alike."""
    kind, _, value = sign.partition(":")
    return KINDS[kind].text.format(value.replace("_", " ") if sign in ALWAYS else value)


def learn_schema(events: Events) -> Schema:
    """Choose signs: those of every account, and of each kind those that most profiles have."""
    names = Names()
    told = tell(reader(events, names), events.who, np.arange(len(events)))
    pairs = np.unique(told.row * max(1, len(names.known)) + told.sign)
    profiles = np.bincount(pairs % max(1, len(names.known)), minlength=len(names.known))
    ranked = sorted(
        zip(names.known, profiles.tolist(), strict=True), key=lambda it: (-it[1], it[0])
    )
    left = {kind: words.most for kind, words in KINDS.items()}
    chosen = list(ALWAYS)
    for sign, count in ranked:
        kind = sign.partition(":")[0]
        if count and sign not in ALWAYS and left[kind] > 0:
            left[kind] -= 1
            chosen.append(sign)
    return Schema(tuple(sorted(chosen)))


def matrix(schema: Schema, names: Names, daily: Daily, when: Ints) -> sparse.csc_matrix:
    """Return rows by columns of whole numbers; `when` is each row's instant."""
    place = {sign: number for number, sign in enumerate(schema.signs)}
    known = np.array([place.get(name, -1) for name in names.known] or [-1], np.int64)
    sign = known[daily.sign]
    told = sign >= 0
    cells = Daily(
        daily.row[told],
        sign[told],
        daily.day[told],
        np.minimum(daily.count[told], _most(schema)[sign[told]]),
        daily.first[told],
        daily.last[told],
    )
    parts = list(_cells(cells, when))
    row, column, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    shape = (len(when), len(schema))
    found = sparse.coo_matrix((value, (row, column)), shape=shape).tocsc()
    found.data = np.minimum(found.data, MOST_IN_ALL).astype(np.int32)  # half the memory
    return found


def _most(schema: Schema) -> Ints:
    amounts = [sign.startswith("amount:") for sign in schema.signs]
    return np.where(amounts, 10**9, MOST_A_DAY).astype(np.int64)


def _cells(cells: Daily, when: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    age = when[cells.row] // DAY - cells.day
    start = cells.sign * len(STATS)
    for number, window in enumerate(WINDOWS):
        new = age < window
        yield cells.row[new], start[new] + number, cells.count[new]
    for number, window in enumerate(ACTIVE):
        new = age < window
        yield cells.row[new], start[new] + len(WINDOWS) + number, np.ones(int(new.sum()), np.int64)
    fresh = np.ones(len(age), np.bool_)
    fresh[1:] = (cells.row[1:] != cells.row[:-1]) | (cells.sign[1:] != cells.sign[:-1])
    at = np.flatnonzero(fresh)
    if not len(at):
        return
    then = when[cells.row[at]]
    last = then - np.maximum.reduceat(cells.last, at)
    first = then - np.minimum.reduceat(cells.first, at)
    yield cells.row[at], start[at] + len(STATS) - 2, 1 + last // HOUR  # nought: never
    yield cells.row[at], start[at] + len(STATS) - 1, 1 + first // HOUR
