r"""Reads the regular expressions that rules may use: those that run in linear time.

Literals, `.` (any character), classes, `*`, `+`, `?`, `|`, groups; `\d`, `\w` and `\s` in ASCII;
`^` and `$` at the ends of a top-level alternative, also in a group that stands there, as in
`/pricing(/|$)`. As in `re.search` an alternative fits anywhere unless it is tied to an end. Counted
repeats, back references and looking around are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    "^": "^ stands at the start of a pattern only, or of one of its top-level alternatives",
    "$": "$ stands at the end of a pattern only, or of one of its top-level alternatives",
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
        self.in_front = False  # of a top-level alternative that is not tied to the start
        self.tied = ""  # those of ^ and $ that the alternative's groups have taken over

    def whole(self) -> Node:
        parts = [self._tied()]
        while self._takes("|"):
            parts.append(self._tied())
        if self.rest:
            raise BadPattern("there is one ) too many")
        return Either(tuple(parts))

    def _tied(self) -> Node:
        """Read a top-level alternative; where it is not tied to an end, anything may stand."""
        self.in_front, self.tied = not self._takes("^"), ""
        head = self.in_front
        part = self._branch()
        tail = not self._takes("$")
        if (self.rest and self.rest[0] not in "|)") or not (tail or "$" not in self.tied):
            raise BadPattern(_ELSEWHERE["$"])
        before = (ANYTHING,) if head and "^" not in self.tied else ()
        after = (ANYTHING,) if tail and "$" not in self.tied else ()
        return Chain((*before, part, *after))

    def _branch(self) -> Node:
        parts = []
        while self.rest and self.rest[0] not in "|)$":
            if not self.depth and "$" in self.tied:
                raise BadPattern(_ELSEWHERE["$"])
            parts.append(self._piece())
            self.in_front = self.in_front and self.depth > 0
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
        in_front = self.in_front and self.depth == 1
        parts = [self._within_group(in_front=in_front)]
        while self._takes("|"):
            parts.append(self._within_group(in_front=in_front))
        if self.rest.startswith("$"):
            raise BadPattern(_ELSEWHERE["$"])
        if not self._takes(")"):
            raise BadPattern("a ) is missing")
        self.depth -= 1
        return self._let_out(parts)

    def _within_group(self, *, in_front: bool) -> tuple[bool, Node, bool]:
        """Read an alternative of a group, and whether it is tied to the start or to the end."""
        starts = in_front and self._takes("^")
        part = self._branch()
        return starts, part, self.depth == 1 and self._takes("$")

    def _let_out(self, parts: Sequence[tuple[bool, Node, bool]]) -> Node:
        """Return a group; where some of it is tied to an end, anything may stand at the rest."""
        starts, ends = any(one[0] for one in parts), any(one[2] for one in parts)
        self.tied += "^" * starts + "$" * ends
        if (starts or ends) and self.rest[:1] in _REPEATS:
            raise BadPattern("a group with ^ or $ in it can't be repeated")
        found: list[Node] = []
        for start, part, end in parts:
            before = (ANYTHING,) if starts and not start else ()
            after = (ANYTHING,) if ends and not end else ()
            found.append(Chain((*before, part, *after)))
        return Either(tuple(found))

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
