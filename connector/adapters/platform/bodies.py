"""What a body can look like: one object, an array, {"events"}, NDJSON, a form; cut into parts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from connector.domain.errors import Unreadable

MOST = 1000  # events in a body
_DEEPEST = 10
_LONGEST_INT = 40  # digits; longer ones are no numbers of anyone's
_FORM = re.compile(r"[^\s=&{}<>\"]+=[^\s<>\"]*")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no JSON."""

    text: str


def parts(body: bytes) -> list[Any]:
    """Return the parts of a body, one an event; raise Unreadable when there is no telling them."""
    try:
        text = body.decode("utf-8-sig")
    except ValueError as error:
        raise Unreadable("the body is not in UTF-8") from error
    try:
        found = _found(text)
    except RecursionError as error:
        raise Unreadable("the body is nested too deep") from error
    _check_number(len(found))
    return found


def _check_number(number: int) -> None:
    if number > MOST:
        raise Unreadable(f"the body holds {number} events: send at most {MOST} at once")


def _found(text: str) -> list[Any]:
    try:
        return _opened(_json(text))
    except ValueError:
        pass
    if _FORM.fullmatch(text.strip()):
        return _opened(_form(text.strip()))
    return _lines(text)


def _opened(document: object) -> list[Any]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise Unreadable("the body is neither an object nor an array of them")
    events = document.get("events")
    return events if isinstance(events, list) else [document]


def _lines(text: str) -> list[Any]:
    """Read NDJSON; a line that is broken is so alone."""
    lines = [line for line in text.split("\n") if line.strip()]
    _check_number(len(lines))
    found = [part for line in lines for part in _line(line)]
    if all(isinstance(one, Broken) for one in found):
        raise Unreadable("the body is no JSON, no lines of it and no form")
    return found


def _line(line: str) -> list[Any]:
    """Read a line as a body of its own; what is no body is a part that makes no sense."""
    try:
        document = _json(line)
    except ValueError:
        return [Broken(line)]
    return _opened(document) if isinstance(document, list | dict) else [document]


def _form(text: str) -> object:
    """Read a form as a tree: `visitor.email` and `visitor[email]` are in `visitor`.

    A form of one field may hold a document.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST)
    except ValueError as error:
        raise Unreadable(f"the form has more than {MOST} fields") from error
    if len(pairs) == 1 and pairs[0][1].lstrip().startswith(("{", "[")):
        with suppress(ValueError):
            return _json(pairs[0][1])
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _plant(tree, name, value)
    return tree


def _plant(tree: dict[str, Any], name: str, value: str) -> None:
    """Put a field of a form into its tree; one that does not fit in stands by its whole name."""
    *way, last = _BRACKETS.sub(r".\1", name).split(".")
    inside: Any = tree
    for key in way if len(way) <= _DEEPEST else ():
        inside = inside.setdefault(key, {}) if isinstance(inside, dict) else None
    if isinstance(inside, dict) and len(way) <= _DEEPEST:
        inside[last] = value
    else:
        tree[name] = value


def _json(text: str) -> object:
    return json.loads(text, parse_int=_whole)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INT else math.inf


def at(part: Mapping[str, object], path: tuple[str, ...]) -> object:
    """Return what stands at a path, None where nothing does."""
    value: object = part
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
