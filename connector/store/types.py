"""Column types that mean the same on SQLite and PostgreSQL.

They hand SQLAlchemy plain functions, as a batch takes some hundred thousand values: the way through
`process_bind_param` and `process_result_value` costs twice as much. Neither driver has anything to
do of its own for the types below them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Made once: `dumps` with separators makes an encoder for every value.
_encode = json.JSONEncoder(separators=(",", ":")).encode
# Not `decode`, which looks for blanks before and behind what we wrote ourselves.
_decode = json.JSONDecoder().raw_decode

# SQLite numbers rows by itself only where the key is declared INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """A point in time, kept as whole microseconds since 1970 in UTC: sorts and compares alike."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Return what makes microseconds of an aware datetime."""
        del dialect
        return _microseconds

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        """Return what makes an aware datetime of stored microseconds."""
        del dialect, coltype
        return _datetime


class Document(TypeDecorator[Any]):
    """JSON as ASCII text, so that NUL and lone surrogates survive in every database."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Return what makes a text of a value."""
        del dialect
        return _text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """Return what makes a value of a text."""
        del dialect, coltype
        return as_document


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // _MICROSECOND


def _datetime(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(0, 0, value)


def _text(value: Any) -> str | None:
    return None if value is None else _encode(value)


def as_document(value: str | None) -> Any:
    """Return the document that a text is."""
    return None if value is None else _decode(value)[0]
