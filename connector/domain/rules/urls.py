"""Whether a page's address is one that a rule means.

The pattern is held against the whole address as it was sent, query and all: nothing is decoded,
lowered, trimmed or put in order. Every way takes a time that grows with the address alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from connector.domain.rules.automaton import Automaton
from connector.domain.rules.regular import read_glob, read_regex

LONGEST_KEPT = 300  # characters of an address whose answer is remembered


class Way(StrEnum):
    """How an address is held against a pattern."""

    EXACT = "exact"
    PREFIX = "prefix"
    GLOB = "glob"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class UrlMatch:
    """A pattern for addresses."""

    way: Way
    pattern: str

    def fits(self, url: str) -> bool:
        """Say whether an address is meant; none at all is not."""
        fits = _fits if len(url) <= LONGEST_KEPT else _fits.__wrapped__
        return bool(url) and fits(self.way, self.pattern, url)

    def example(self) -> str | None:
        """Return a short address that is meant, None where there is none."""
        if self.way in {Way.EXACT, Way.PREFIX}:
            return self.pattern
        return compiled(self.way, self.pattern).sample()

    def covers(self, other: UrlMatch) -> bool:
        """Say whether whatever the other means is surely meant here too."""
        if self == other:
            return True
        if other.way is Way.EXACT:
            return self.fits(other.pattern)
        both = self.way is Way.PREFIX and other.way is Way.PREFIX
        return both and other.pattern.startswith(self.pattern)


@lru_cache(maxsize=256)
def compiled(way: Way, pattern: str) -> Automaton:
    """Return the automaton of a glob or regex. Raises BadPattern."""
    return Automaton(read_glob(pattern) if way is Way.GLOB else read_regex(pattern))


# The same few pages are looked at over and over.
@lru_cache(maxsize=32_768)
def _fits(way: Way, pattern: str, url: str) -> bool:
    return _FITTING[way](pattern)(url)


_FITTING: dict[Way, Callable[[str], Callable[[str], bool]]] = {
    Way.EXACT: lambda pattern: pattern.__eq__,
    Way.PREFIX: lambda pattern: lambda url: url.startswith(pattern),
    Way.GLOB: lambda pattern: compiled(Way.GLOB, pattern).accepts,
    Way.REGEX: lambda pattern: compiled(Way.REGEX, pattern).accepts,
}
