"""Where the story is played: deeds, what is read back after them, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from connector.demo.api import Api
from connector.demo.cast import Cast, Person
from connector.demo.http import Json, Unexpected
from connector.demo.site import Site
from connector.demo.twin import Twin
from connector.mapping.own_names import NAMES, SLOT

PATIENCE = 15.0
LOOK_EVERY = 0.02
IN_HUBSPOT, IN_API = "HubSpot", "API"
SLOT_FIELD = NAMES["hubspot"][SLOT]

Result = TypeVar("Result")
Question = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, what was read back of it, and the seconds in between."""

    scene: str
    deed: str
    read_from: str
    expected: str
    read: str
    seconds: float
    ok: bool


class CutShort(Exception):
    """A step was not as expected: the rest of its scene makes no sense."""


@dataclass(slots=True)
class Stage:
    """The twin, the API, the people, and every step so far; `tell` hears of each at once.

    `open_site` turns the hand-off on for some owners, and returns the website; `bring` takes in
    what visitors did before.
    """

    twin: Twin
    api: Api
    cast: Cast
    tell: Callable[[Step], None]
    open_site: Callable[[Sequence[str]], Site]
    bring: Callable[[Sequence[Json]], int]
    patience: float = PATIENCE
    steps: list[Step] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    _scene: str = ""
    _deed: str = ""
    _since: float = 0.0

    def open(self, scene: str) -> None:
        """Begin a scene."""
        self._scene = scene

    def breaks(self, error: Unexpected) -> None:
        """Note that the scene came to an end because something did not answer as it should."""
        self._note("HTTP", "an answer", str(error), ok=False)

    def does(self, deed: str, act: Callable[[], Result]) -> Result:
        """Do something; the time to whatever is read back runs from here."""
        self._deed, self._since = deed, time.monotonic()
        return act()

    def awaits(self, read_from: str, expected: object, ask: Question) -> float:
        """Ask until the answer is as expected; return the seconds since the deed."""
        return self._judge(read_from, expected, ask, self.patience)

    def finds(self, read_from: str, expected: object, ask: Question) -> float:
        """Ask once: the answer has to be as expected already."""
        return self._judge(read_from, expected, ask, 0.0)

    def slot(self, person: Person, expected: int) -> float:
        """Await a slot on the record in HubSpot and in the API; return the seconds to the first."""
        seconds = self.awaits(
            f"{IN_HUBSPOT} {SLOT_FIELD}", expected, lambda: self.twin.value(person.id, SLOT_FIELD)
        )
        self.awaits(f"{IN_API} slot", expected, lambda: self.api.profile(person.id)["slot"])
        return seconds

    def field(self, person: Person, name: str, expected: str) -> None:
        """Await a value of a HubSpot field."""
        self.awaits(f"{IN_HUBSPOT} {name}", expected, lambda: self.twin.value(person.id, name))

    def stays(self, person: Person, expected: int) -> None:
        """Let everything come to rest, then find a slot where it was."""
        self.rest()
        hubspot, api = self.twin.value(person.id, SLOT_FIELD), self.api.profile(person.id)["slot"]
        self.finds(f"{IN_HUBSPOT} {SLOT_FIELD}", expected, lambda: hubspot)
        self.finds(f"{IN_API} slot", expected, lambda: api)

    def rest(self) -> None:
        """Wait until nothing is on its way: no webhook, no event, no write, looked at twice."""
        until, quiet = time.monotonic() + self.patience, 0
        while quiet < 2:  # noqa: PLR2004 - a write may have been between two of the looks
            quiet = 0 if any(look() for look in self._looks()) else quiet + 1
            if time.monotonic() > until:
                self._fail("everything", "nothing on its way", "something still waits")
            time.sleep(LOOK_EVERY)

    def _looks(self) -> Iterator[Callable[[], int]]:
        yield self.twin.waiting
        yield self.api.unread
        yield self.api.unwritten

    def _judge(self, read_from: str, expected: object, ask: Question, patience: float) -> float:
        until = time.monotonic() + patience
        while (read := _asked(ask)) != str(expected) and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
        if read != str(expected):
            self._fail(read_from, expected, read)
        return self._note(read_from, expected, read, ok=True).seconds

    def _fail(self, read_from: str, expected: object, read: str) -> None:
        self._note(read_from, expected, read, ok=False)
        raise CutShort

    def _note(self, read_from: str, expected: object, read: str, *, ok: bool) -> Step:
        seconds = round(time.monotonic() - self._since, 3)
        step = Step(self._scene, self._deed, read_from, str(expected), read, seconds, ok)
        self.steps.append(step)
        self.tell(step)
        return step


def _asked(ask: Question) -> str:
    """Return an answer as text; one that did not come is told as what came instead."""
    try:
        return str(ask())
    except Unexpected as error:
        return f"({error})"
