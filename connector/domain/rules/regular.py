r"""Reads the regular expressions that rules may use: those that run in linear time.

Literals, `.` (any character), classes, `*`, `+`, `?`, `|`, groups; `^` and `$` at the ends of a
top-level alternative; `\d`, `\w` and `\s` in ASCII. As in `re.search` an alternative fits anywhere
unless it is tied to an end. Counted repeats, back references and looking around are refused.
"""

from __future__ import annotations

from connector.domain.rules.automaton import ANY, ANYTHING, Chain, Chars, Either, Node, Repeat

LONGEST_PATTERN = 200
_DEEPEST = 20
_DIGITS = (("0", "9"),)
_WORDS = (*_DIGITS, ("A", "Z"), ("_", "_"), ("a", "z"))
_BLANKS = (("\t", "\r"), (" ", " "))
_KINDS = {"d": _DIGITS, "w": _WORDS, "s": _BLANKS}
_REPEATS = {"*": (0, True), "+": (1, True), "?": (0, False)}
_ELSEWHERE = {
    "{": "counted repeats are not known; a brace itself is \\{",
    "}": "a brace itself is \\}",
    "]": "a bracket itself is \\]",
    "^": "^ stands at the start of a pattern or of a top-level alternative only",
    "$": "$ stands at the end of a pattern or of a top-level alternative only",
    **dict.fromkeys(_REPEATS, "there is nothing to repeat before it, or it repeats a repeat"),
}


class BadPattern(ValueError):
    """A pattern that can't be read, or that could take more than linear time."""


def read_regex(pattern: str) -> Node:
    """Return what a pattern says of a whole text. Raises BadPattern."""
    return _Reading(_within(pattern)).whole()


def read_glob(pattern: str) -> Node:
    """Return what a glob says of a whole text: `*` is any text, `?` any one character."""
    jokers: dict[str, Node] = {"*": ANYTHING, "?": ANY}
    return Chain(tuple(jokers.get(char) or _exactly(char) for char in _within(pattern)))


def _within(pattern: str) -> str:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"a pattern is at most {LONGEST_PATTERN} characters")
    return pattern


def _exactly(char: str) -> Chars:
    return Chars(((char, char),))


class _Reading:
    """One pass over a pattern, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.rest = pattern
        self.depth = 0

    def whole(self) -> Node:
        parts = [self._tied()]
        while self._takes("|"):
            parts.append(self._tied())
        if self.rest:
            raise BadPattern("there is one ) too many")
        return Either(tuple(parts))

    def _tied(self) -> Node:
        """Read a top-level alternative; where it is not tied to an end, anything may stand."""
        head = () if self._takes("^") else (ANYTHING,)
        part = self._branch()
        tail = () if self._takes("$") else (ANYTHING,)
        if self.rest and self.rest[0] not in "|)":
            raise BadPattern(_ELSEWHERE["$"])
        return Chain((*head, part, *tail))

    def _branch(self) -> Node:
        parts = []
        while self.rest and self.rest[0] not in "|)" and self.rest[0] != "$":
            parts.append(self._piece())
        return Chain(tuple(parts))

    def _piece(self) -> Node:
        part = self._atom()
        if self.rest and self.rest[0] in _REPEATS:
            least, again = _REPEATS[self._next()]
            return Repeat(part, least, again)
        return part

    def _atom(self) -> Node:
        char = self._next()
        if char in _ELSEWHERE:
            raise BadPattern(_ELSEWHERE[char])
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escaped()
        return ANY if char == "." else _exactly(char)

    def _group(self) -> Node:
        if self._takes("?") and not self._takes(":"):
            raise BadPattern("(?...) is not known; a group is (...) or (?:...)")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise BadPattern(f"groups stand at most {_DEEPEST} deep")
        parts = [self._branch()]
        while self._takes("|"):
            parts.append(self._branch())
        if self.rest.startswith("$"):
            raise BadPattern(_ELSEWHERE["$"])
        if not self._takes(")"):
            raise BadPattern("a ) is missing")
        self.depth -= 1
        return Either(tuple(parts))

    def _escaped(self) -> Chars:
        char = self._next()
        if char.lower() in _KINDS:
            return Chars(_KINDS[char.lower()], negated=char.isupper())
        return _exactly(_literal(char))

    def _class(self) -> Chars:
        negated = self._takes("^")
        ranges: list[tuple[str, str]] = []
        while not self._takes("]"):
            ranges += self._range()
        if not ranges:
            raise BadPattern("a class names at least one character; a bracket itself is \\]")
        return Chars(tuple(ranges), negated)

    def _range(self) -> tuple[tuple[str, str], ...]:
        char = self._next()
        if char == "[":
            raise BadPattern("inside a class a bracket itself is \\[")
        if char == "\\" and self.rest[:1] in _KINDS:
            return _KINDS[self._next()]
        first = _literal(self._next()) if char == "\\" else char
        if not self.rest.startswith("-") or self.rest[1:2] in {"]", ""}:
            return ((first, first),)
        self._next()
        last = self._next()
        last = _literal(self._next()) if last == "\\" else last
        if last < first:
            raise BadPattern(f"the range {first}-{last} is the wrong way round")
        return ((first, last),)

    def _takes(self, char: str) -> bool:
        found = self.rest.startswith(char)
        self.rest = self.rest[1:] if found else self.rest
        return found

    def _next(self) -> str:
        if not self.rest:
            raise BadPattern("it ends too early")
        char, self.rest = self.rest[0], self.rest[1:]
        return char


def _literal(char: str) -> str:
    if char.isalnum():
        raise BadPattern(f"\\{char} is not known")
    return char
