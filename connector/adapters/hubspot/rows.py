"""Takes values out of a webhook row that nobody vouches for; what is odd is named, not shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeGuard

LONGEST_WORD = 255
LONGEST_VALUE = 65_536
_LARGEST_ID = 2**63
_DIGITS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MILLISECONDS = 2**53


class Odd(Exception):
    """A row that can't be read, and why."""


class Row:
    """One row of a webhook body, read by name and type."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict):
            raise Odd("the row is no object")
        self.values: dict[str, object] = values

    def kind(self) -> str:
        """Return the subscription type, which HubSpot's own pages call eventType."""
        name = "subscriptionType" if "subscriptionType" in self.values else "eventType"
        return self.needed(name)

    def id(self, name: str) -> int:
        """Return an id that must be there."""
        value = number(self.values.get(name))
        if not value:
            raise Odd(f"{name} is no id")
        return value

    def optional_id(self, name: str) -> str:
        """Return an id as text, empty where there is none."""
        value = self.values.get(name)
        if value is None:
            return ""
        found = number(value)
        if found is None:
            raise Odd(f"{name} is no id")
        return str(found)

    def ids(self, name: str) -> list[int]:
        """Return a list of ids that must be there."""
        found = self.values.get(name)
        if not isinstance(found, list):
            raise Odd(f"{name} is no list of ids")
        good = [one for one in map(number, found) if one]
        if len(good) != len(found):
            raise Odd(f"{name} is no list of ids")
        return good

    def needed(self, name: str) -> str:
        """Return a word that must be there."""
        found = self.text(name, LONGEST_WORD)
        if not found:
            raise Odd(f"{name} is missing")
        return found

    def word(self, name: str) -> str:
        """Return a word, or a number as one; empty where there is none."""
        value = self.values.get(name)
        return str(value) if is_id(value) else self.text(name, LONGEST_WORD)

    def text(self, name: str, longest: int = LONGEST_VALUE) -> str:
        """Return a text; null is the empty one."""
        return self._text(name, self.values.get(name), longest)

    def value(self, name: str) -> str:
        """Return a field's value as text; a number, or a yes or no, is written out."""
        return self._text(name, _spelled(self.values.get(name)), LONGEST_VALUE)

    def _text(self, name: str, value: object, longest: int) -> str:
        if value is None:
            return ""
        if not clean(value):
            raise Odd(f"{name} is no text that can be kept")
        if len(value) > longest:
            raise Odd(f"{name} is too long")
        return value

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """Return a yes or no."""
        value = self.values.get(name)
        if value is None:
            return otherwise
        if not isinstance(value, bool):
            raise Odd(f"{name} is neither true nor false")
        return value


def is_id(value: object) -> TypeGuard[int]:
    """Say whether a value is a number that an id can be; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_ID


def number(value: object) -> int | None:
    """Return an id, also one that came as text; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _DIGITS:
        value = int(value)
    return value if is_id(value) else None


def _spelled(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if is_id(value) else value


def clean(value: object) -> TypeGuard[str]:
    """Say whether a value is a text that every database keeps: no NUL, no half a character."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return not any("\ud800" <= one <= "\udfff" for one in value)


def when(value: object, latest: datetime) -> tuple[int, datetime]:
    """Return a time in epoch milliseconds, as it came and as a time."""
    told = number(value)
    if told is None or told >= _MILLISECONDS:
        raise Odd("occurredAt is no time in milliseconds")
    try:
        moment = _EPOCH + timedelta(milliseconds=told)
    except OverflowError:
        raise Odd("occurredAt is no sane time") from None
    if not _EARLIEST <= moment <= latest:
        raise Odd("occurredAt is no sane time")
    return told, moment
