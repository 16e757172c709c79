"""An automaton over characters: one step a character, however the pattern is made.

Positions of the pattern are bits of a number (Glushkov's construction), so there is nothing to go
back to: a text of n characters takes n steps, each over at most as many positions as the pattern
has characters, and what a step led to is remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

_MOST_KEPT = 4096
_MOST_CHARS = 512
_COMMON = "xabcdefghijklmnopqrstuvwyz0123456789-/._~:?=&%+#"


@dataclass(frozen=True, slots=True)
class Chars:
    """One character: one of `ranges` (first and last), or any other where negated."""

    ranges: tuple[tuple[str, str], ...] = ()
    negated: bool = False

    def fits(self, char: str) -> bool:
        """Say whether a character is one of these."""
        return any(first <= char <= last for first, last in self.ranges) is not self.negated

    def sample(self) -> str:
        """Return one of these characters, a common one if it can be."""
        wanted = chain((first for first, _ in self.ranges), _COMMON, map(chr, range(0x10000)))
        return next((char for char in wanted if self.fits(char)), "")


@dataclass(frozen=True, slots=True)
class Chain:
    """One part after the other; none is the empty text."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """Any one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that may be left out (`least` 0), or may come `again`."""

    part: Node
    least: int
    again: bool


Node: TypeAlias = Chars | Chain | Either | Repeat
ANY = Chars(negated=True)
ANYTHING = Repeat(ANY, 0, again=True)


@dataclass(frozen=True, slots=True)
class _Span:
    """How a part of the pattern begins and ends; `blank` where it fits the empty text."""

    blank: bool
    first: int = 0
    last: int = 0


class Automaton:
    """Says of texts whether a pattern fits the whole of them.

    `work` counts the positions that were looked at, so that a test can hold it to the length.
    """

    def __init__(self, node: Node) -> None:
        self.work = 0
        self._letters: list[Chars] = [Chars()]  # where it starts: no character leads there
        self._follow: list[int] = [0]
        whole = self._add(node)
        self._follow[0] = whole.first
        self._ends = whole.last | whole.blank
        self._kept: dict[tuple[int, str], int] = {}
        # Positions that lead to the next one only: all of them take their step at once.
        nexts = (place for place, follow in enumerate(self._follow) if follow == 2 << place)
        self._straight = sum(1 << place for place in nexts)
        self._fitting: dict[str, int] = {}

    def accepts(self, text: Iterable[str]) -> bool:
        """Say whether the pattern fits the whole text."""
        state, kept = 1, self._kept
        for char in text:
            after = kept.get((state, char))
            state = self._step(state, char) if after is None else after
            if not state:
                return False
        return bool(state & self._ends)

    def sample(self) -> str | None:
        """Return a shortest text that the pattern fits, None where there is none."""
        ways = deque([(0, "")])
        seen = {0}
        while ways:
            place, text = ways.popleft()
            if self._ends >> place & 1:
                return text
            for after in _bits(self._follow[place]):
                char = self._letters[after].sample()
                if char and after not in seen:
                    seen.add(after)
                    ways.append((after, text + char))
        return None

    def _step(self, state: int, char: str) -> int:
        reach = (state & self._straight) << 1
        for place in _bits(state & ~self._straight):
            self.work += 1
            reach |= self._follow[place]
        after = reach & self._fits(char)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[state, char] = after
        return after

    def _fits(self, char: str) -> int:
        """Return the positions that a character fits."""
        known = self._fitting.get(char)
        if known is not None:
            return known
        self.work += len(self._letters)
        fitting = (place for place, own in enumerate(self._letters) if own.fits(char))
        if len(self._fitting) >= _MOST_CHARS:
            self._fitting.clear()
        found = self._fitting[char] = sum(1 << place for place in fitting)
        return found

    def _add(self, node: Node) -> _Span:
        if isinstance(node, Chars):
            self._letters.append(node)
            self._follow.append(0)
            place = 1 << len(self._letters) - 1
            return _Span(blank=False, first=place, last=place)
        if isinstance(node, Chain):
            return self._chain(node)
        if isinstance(node, Either):
            return _either(map(self._add, node.parts))
        own = self._add(node.part)
        if node.again:
            self._join(own.last, own.first)
        return _Span(own.blank or node.least == 0, own.first, own.last)

    def _chain(self, node: Chain) -> _Span:
        now = _Span(blank=True)
        for part in node.parts:
            own = self._add(part)
            self._join(now.last, own.first)
            first = now.first | own.first if now.blank else now.first
            last = now.last | own.last if own.blank else own.last
            now = _Span(now.blank and own.blank, first, last)
        return now

    def _join(self, lasts: int, firsts: int) -> None:
        for place in _bits(lasts):
            self._follow[place] |= firsts


def _either(spans: Iterable[_Span]) -> _Span:
    blank, first, last = False, 0, 0
    for own in spans:
        blank, first, last = blank or own.blank, first | own.first, last | own.last
    return _Span(blank, first, last)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
