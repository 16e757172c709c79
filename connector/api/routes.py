"""A route as data: what it takes, what it answers with, and the function that does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connector.api.words import Body, ListQuery, Nothing
from connector.domain.errors import ConfigurationRefused, NotFound

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connector.pipeline.services import Services
    from connector.stored import Account, Connection

Query_co = TypeVar("Query_co", bound=Body, covariant=True)
Sent_co = TypeVar("Sent_co", bound="BaseModel", covariant=True)
Row = TypeVar("Row")

PREFIX = "/api/v1"
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call(Generic[Query_co, Sent_co]):
    """One authenticated call; `places` are the ids in its path."""

    services: Services
    account: Account
    places: Mapping[str, str]
    query: Query_co
    body: Sent_co

    def connection(self) -> Connection:
        """Return the connection that the path names; another account's is not found."""
        with self.services.store.reading() as unit:
            connection = unit.connection(self.places["connection_id"])
        if connection.account_id != self.account.id:
            raise NotFound(f"there is no connection {connection.id}")
        return connection


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path; `refusals` are statuses beyond those that any route may answer.

    `page` returns what people read in a browser, None where there is no such thing.
    `sheet` returns all rows of what may be had as CSV too, None where it may not; `columns` are
    those of its head line.
    """

    method: str
    path: str
    summary: str
    run: Callable[[Call[Any, Any]], BaseModel]
    answer: type[BaseModel]
    query: type[Body] = Nothing
    body: type[BaseModel] = Nothing
    refusals: tuple[int, ...] = ()
    status: int = 200
    sheet: Callable[[Call[Any, Any]], Sequence[BaseModel]] | None = None
    page: Callable[[Call[Any, Any]], str] | None = None
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.run.__name__

    @property
    def places(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"\{(\w+)\}", self.path)


def number(cursor: str) -> int:
    """Return the row number that a cursor stands for, 0 at the start of a list."""
    if not cursor:
        return 0
    if not _NUMBER.fullmatch(cursor):
        raise ConfigurationRefused(["cursor: it is not one of ours"])
    return int(cursor)


def cut(
    rows: Sequence[Row], limit: int, name: Callable[[Row], object]
) -> tuple[list[Row], str | None]:
    """Return a page of rows, of which one more than `limit` was asked for, and the next cursor."""
    if len(rows) <= limit:
        return list(rows), None
    page = list(rows[:limit])
    return page, str(name(page[-1]))


def sliced(rows: Sequence[Row], query: ListQuery) -> tuple[list[Row], str | None]:
    """Return a page of a list that is short enough to be read whole, and the next cursor."""
    start = number(query.cursor)
    end = start + query.limit
    return list(rows[start:end]), str(end) if len(rows) > end else None
