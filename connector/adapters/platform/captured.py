"""What a body looks like without what is private in it, so that an admin can map real traffic.

A value is shown only where its key says that it is a word of the sender's system (a type, a code,
a state), or when something happened, or where it is a small number or a yes or no. Everything else
is told by its kind and size, so that whatever we forgot to think of stays hidden.
"""

from __future__ import annotations

import re
from datetime import datetime

from connector.adapters.platform.bodies import Broken, parts
from connector.adapters.platform.values import say
from connector.domain.errors import Unreadable

_PARTS = 3  # of an array; the rest look the same
_KEYS = 60
_DEEPEST = 10
_SMALL = 1000  # a longer number may be a telephone's, or a code to sign in with
_DIGITS = 2  # a word with more is an id, a token or a code to sign in with
_NAMING = frozenset({"type", "types", "code", "codes", "event", "events"})
_TELLING = frozenset(
    (
        *("type", "types", "code", "codes", "event", "events", "kind", "action", "trigger", "rule"),
        *("topic", "state", "status", "stage", "provider", "source", "medium"),
        *("country", "browser", "os"),
    )
)
# When something happened; not since when somebody lives.
_DATING = frozenset(
    (
        *("date", "time", "datetime", "timestamp", "at", "on", "event", "occurred", "happened"),
        *("created", "updated", "sent", "received", "triggered", "fired", "visited"),
    )
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
# Names of events are often put together so; elsewhere that is an address's or a person's name.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]{4,15}(?:Z|[+-]\d\d:?\d\d)?")
_LOWER_UPPER = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SAMPLE = 200
_KINDS = {
    "URL": re.compile(r"\w+://.*"),
    "e-mail": re.compile(r"[^\s@]+@[^\s@]+"),
    "number": re.compile(r"[+\d][\d .()-]+"),
}


def shape(body: bytes) -> object:
    """Return a body with its keys and shapes, and its values only where they are nobody's."""
    try:
        found = parts(body)
        shown = [_shown(part, "", 0) for part in found[:_PARTS]]
    except (Unreadable, RecursionError) as error:
        text = body[:_SAMPLE].decode("utf-8", "replace")
        return {"unreadable": str(error) or "nested too deep", "begins": _outline(text)}
    return {"events": len(found), "first": shown}


def _shown(value: object, key: str, depth: int) -> object:
    if isinstance(value, Broken):
        return {"broken line": _outline(value.text[:_SAMPLE])}
    if isinstance(value, dict):
        inside = list(value.items())[:_KEYS] if depth < _DEEPEST else []
        return {_name(one): _shown(inner, one, depth + 1) for one, inner in inside}
    if isinstance(value, list):
        inside = value[:_PARTS] if depth < _DEEPEST else []
        return [_shown(one, key, depth + 1) for one in inside]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < _SMALL else f"<number, {len(str(value))} characters>"
    return _text(str(value), key)


def _name(key: str) -> str:
    return key if _KEY.fullmatch(key) else f"<key, {len(key)} characters>"


def _text(text: str, key: str) -> str:
    if not text:
        return ""
    words = _words(key)
    if words <= _DATING and _MOMENT.fullmatch(text) and _is_moment(text):
        return text
    shown = _NAME if words <= _NAMING else _WORD
    if words <= _TELLING and shown.fullmatch(text) and sum(map(str.isdigit, text)) <= _DIGITS:
        return text
    kind = next((kind for kind, one in _KINDS.items() if one.fullmatch(text)), "text")
    return f"<{kind}, {len(text)} characters>"


def _words(key: str) -> set[str]:
    return set(_LOWER_UPPER.sub("_", key).lower().replace("-", "_").split("_"))


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _outline(text: str) -> str:
    """Return where letters and digits stand, not which."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", say(text)))
