"""Signs: what each event says, by name. A sign is counted by day, and dated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from scorer import pages
from scorer.events import DAY, HOUR, MICROSECOND, Events
from scorer.kinds import Flags, Ints

VISIT_ENDS = 30 * 60 * MICROSECOND
PAUSES: Mapping[int, str] = {  # seconds: up to which it is called so
    10: "10 s",
    60: "a minute",
    300: "5 minutes",
    1_800: "half an hour",
    86_400: "a day",
    604_800: "a week",
    2_592_000: "a month",
}
LONGEST = "longer"
DAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")  # from 1970
EVERYTHING, VISIT = "all:", "visit:"


@dataclass(slots=True)
class Names:
    """Gives every name a number, once."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return a name's number."""
        return self.known.setdefault(name, len(self.known))

    def numbers(self, names: tuple[str, ...]) -> Ints:
        """Return names' numbers; -1 for a name that says nothing."""
        found = [self.number(name) if name and name[-1] != ":" else -1 for name in names]
        return np.array(found, np.int64)


@dataclass(frozen=True, slots=True)
class Told:
    """Signs of rows: which row, which event, the sign, how much, and the event's instant."""

    row: Ints
    sign: Ints
    count: Ints
    at: Ints


@dataclass(frozen=True, slots=True)
class Past:
    """The last event before those that are told, by row: when, and what kind of step; -1: none."""

    at: Ints
    step: Ints


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads events as signs, in names that mean the same in every log."""

    names: Names
    events: Events
    steps: Ints
    step_names: tuple[str, ...]
    single: tuple[Ints, ...]

    def step_name(self, event: int) -> str:
        """Return what kind of step an event was."""
        return self.step_names[int(self.steps[event])]


def reader(events: Events, names: Names) -> Reader:
    """Prepare a log for reading: every different word is looked at once."""
    columns = [_codes(names, events, kind, of) for kind, of in SINGLE.items()]
    steps = np.array([_step(*each) for each in _told_steps(events)], dtype=object)
    known, codes = np.unique(steps.astype(str), return_inverse=True)
    return Reader(names, events, codes.astype(np.int64), tuple(known.tolist()), tuple(columns))


def tell(by: Reader, row: Ints, event: Ints, past: Past | None = None) -> Told:
    """Return what events say of rows; rows in order, each row's events in order of time.

    `past` says by row what came before; its steps are numbers of `by.step_names`.
    """
    parts = list(_parts(by, row, event, past))
    at = by.events.occurred[event]
    keep = [sign >= 0 for sign, _ in parts]
    return Told(
        np.concatenate([row[each] for each in keep]),
        np.concatenate([sign[each] for each, (sign, _) in zip(keep, parts, strict=True)]),
        np.concatenate([count[each] for each, (_, count) in zip(keep, parts, strict=True)]),
        np.concatenate([at[each] for each in keep]),
    )


def _parts(by: Reader, row: Ints, event: Ints, past: Past | None) -> Iterator[tuple[Ints, Ints]]:
    once = np.ones(len(event), np.int64)
    at, step = by.events.occurred[event], by.steps[event]
    yield np.full(len(event), by.names.number(EVERYTHING)), once
    for column in by.single:
        yield column[event], once
    yield (
        _clock(by.names, "hour", [f"{n:02}" for n in range(0, 24, 3)])[at % DAY // (3 * HOUR)],
        once,
    )
    yield _clock(by.names, "weekday", list(DAYS))[at // DAY % 7], once
    before_at, before_step = _before(row, at, step, past)
    fresh: Flags = (before_step < 0) | (at - before_at > VISIT_ENDS)
    yield np.where(fresh, by.names.number(VISIT), -1), once
    entry = by.names.numbers(tuple(f"entry:{name}" for name in by.step_names))
    yield np.where(fresh, entry[step], -1), once
    yield _pauses(by.names, at - before_at, before_step >= 0), once
    yield _sequences(by, before_step, step, ~fresh), once
    for name, amounts in by.events.amounts.items():
        told = amounts[event]
        yield np.where(told > 0, by.names.number(f"amount:{name}"), -1), told


def _before(row: Ints, at: Ints, step: Ints, past: Past | None) -> tuple[Ints, Ints]:
    first = np.ones(len(row), np.bool_)
    first[1:] = row[1:] != row[:-1]
    then = past.at[row] if past else np.full(len(row), -1)
    was = past.step[row] if past else np.full(len(row), -1)
    return np.where(first, then, np.roll(at, 1)), np.where(first, was, np.roll(step, 1))


def _pauses(names: Names, gone: Ints, there: Flags) -> Ints:
    told = [f"pause:{name}" for name in (*PAUSES.values(), LONGEST)]
    signs = np.array([names.number(name) for name in told], np.int64)
    limits = np.array(list(PAUSES), np.int64) * MICROSECOND
    return np.where(there, signs[np.searchsorted(limits, gone, side="left")], -1)


def _sequences(by: Reader, before: Ints, step: Ints, within: Flags) -> Ints:
    count = len(by.step_names)
    pair = np.where(within, before * count + step, -1)
    different, back = np.unique(pair, return_inverse=True)
    signs = [
        by.names.number(f"then:{by.step_names[n // count]} > {by.step_names[n % count]}")
        if n >= 0
        else -1
        for n in different.tolist()
    ]
    return np.array(signs, np.int64)[back] if signs else pair


def _clock(names: Names, kind: str, told: list[str]) -> Ints:
    return np.array([names.number(f"{kind}:{name}") for name in told], np.int64)


def _told_steps(events: Events) -> Iterator[tuple[str, str, str]]:
    types, codes, urls = (events.words[name] for name in ("type", "code", "url"))
    families = tuple(pages.family_of(url) for url in urls.known)
    every = zip(types.codes.tolist(), codes.codes.tolist(), urls.codes.tolist(), strict=True)
    for kind, code, url in every:
        yield types.known[kind], codes.known[code], families[url]


def _step(kind: str, code: str, family: str) -> str:
    if kind in {"", "page_view"} and family:
        return f"{family} page"
    return code or kind or "?"


def _codes(names: Names, events: Events, kind: str, of: tuple[str, Callable[[str], str]]) -> Ints:
    column, read = of
    words = events.words[column]
    return names.numbers(tuple(f"{kind}:{read(word)}" for word in words.known))[words.codes]


def _same(word: str) -> str:
    return word[:60]


def _host(word: str) -> str:
    return word.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0][:60].lower()


# kind of sign -> the column that says it, and how it is read
SINGLE: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "page": ("url", pages.family_of),
    "path": ("url", pages.path_of),
    "type": ("type", _same),
    "code": ("code", _same),
    "form": ("form", _same),
    "source": ("source", _same),
    "medium": ("medium", _same),
    "campaign": ("campaign", _same),
    "referrer": ("referrer", _host),
    "device": ("device", _same),
    "country": ("country", _same),
}
