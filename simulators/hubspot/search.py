"""CRM search: filters, sorts, its own limits, and an index that lags behind (section 2.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, Response, request

from . import catalog, render
from .errors import answer, invalid
from .paths import Both, body
from .portal import kind_of
from .shapes import iso, to_ms
from .world import portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .portal import Portal
    from .records import Record
    from .shapes import Json

    Test = Callable[["Held", Json], bool]

search = Blueprint("search", __name__)
route = Both(search, "/crm/v3/objects", "/crm/objects/<version>")

Shape = tuple[int, float, str]
"""Whether there is a value, then the value as a number, then as text: it sorts."""

MOST_RESULTS = 10_000
MOST_PER_PAGE = 200
MOST_CHARACTERS = 3000
GROUPS, FILTERS, ALL_FILTERS = 5, 6, 18


@route("/<name>/search", "POST")
def find(name: str) -> Response:
    """Search records; past 10,000 results there is only an error."""
    kind, wanted = kind_of(name), body()
    _check_size(wanted)
    _check_filters(kind, wanted)
    limit, after = _page(wanted)
    seen = Index(portal(), kind)
    found = [record for record in seen.records() if _matches(seen, record, wanted)]
    _sort(seen, found, wanted.get("sorts") or [])
    page = found[after : after + limit]
    reply: Json = {
        "total": len(found),
        "results": [seen.shown(each, wanted.get("properties") or ()) for each in page],
    }
    if after + limit < len(found):
        reply["paging"] = {"next": {"after": str(after + limit)}}
    return answer(reply)


def _check_size(wanted: Json) -> None:
    groups = wanted.get("filterGroups") or []
    sizes = [len(group.get("filters") or []) for group in groups]
    if len(groups) > GROUPS or max(sizes, default=0) > FILTERS or sum(sizes) > ALL_FILTERS:
        raise invalid(
            f"Too many filters: at most {GROUPS} groups of {FILTERS}, {ALL_FILTERS} in all"
        )
    if len(request.get_data()) > MOST_CHARACTERS:
        raise invalid(f"The search body is longer than {MOST_CHARACTERS} characters")
    if len(wanted.get("sorts") or []) > 1:
        raise invalid("Only one sort is allowed")


def _check_filters(kind: str, wanted: Json) -> None:
    for group in wanted.get("filterGroups") or []:
        for one in group.get("filters") or []:
            name, operator = str(one.get("propertyName")), str(one.get("operator"))
            lacking = [each for each in _NEEDED.get(operator, ("value",)) if each not in one]
            if lacking or operator not in _OPERATORS or portal().property(kind, name) is None:
                raise invalid(f"There was a problem with the request: {name} {operator}")


def _page(wanted: Json) -> tuple[int, int]:
    limit, after = wanted.get("limit", 10), str(wanted.get("after") or "0")
    if not isinstance(limit, int) or not 1 <= limit <= MOST_PER_PAGE:
        raise invalid(f"limit must be from 1 to {MOST_PER_PAGE}")
    if not after.isdigit() or int(after) + limit > MOST_RESULTS:
        raise invalid(f"Search can only page through the first {MOST_RESULTS} results")
    return limit, int(after)


_ms = lru_cache(maxsize=10_000)(to_ms)


class Index:
    """What the search index knows: the portal as it was `index_lag_seconds` ago."""

    def __init__(self, portal: Portal, kind: str) -> None:
        self._portal = portal
        self.kind = kind
        lag = portal.config.index_lag_seconds
        self._at = portal.now() - int(lag * 1000) if lag else None
        self._modified = catalog.OBJECT_TYPES[kind].modified

    def records(self) -> Iterable[Record]:
        """Walk the live records that the index has."""
        for record in self._portal.stores[self.kind].by_id.values():
            new = self._at is not None and record.created_at > self._at
            if record.archived_at is None and not new:
                yield record

    def value(self, record: Record, name: str) -> str:
        """Return a value as the index has it."""
        if name == self._modified:
            return iso(record.updated_at if self._at is None else record.touched_at(self._at))
        if name in {"createdate", "hs_createdate", "hs_object_id"}:
            return render.value(record, name) or ""
        return record.value(name) if self._at is None else record.value_at(name, self._at)

    def shown(self, record: Record, names: Iterable[str]) -> Json:
        """Show a record with the values that the index has (section 2.3: it lags)."""
        found = render.shown(self._portal, record, names)
        held = {name: self.value(record, name) or None for name in found["properties"]}
        return found | {"properties": held}

    def shape_of(self, record: Record, name: str) -> Shape:
        """Return a record's value in a form that sorts as its type does."""
        if name == self._modified:
            at = record.updated_at if self._at is None else record.touched_at(self._at)
            return 1, float(at), ""
        return self.comparable(name, self.value(record, name))

    def comparable(self, name: str, text: str) -> Shape:
        """Return a value in a form that sorts as its type does."""
        kind = (self._portal.property(self.kind, name) or {}).get("type")
        if text == "":
            return 0, 0.0, ""
        if kind in {"datetime", "date"}:
            return 1, float(_ms(text)), ""
        if kind == "number":
            return 1, float(text), ""
        return 1, 0.0, text.lower()


def _matches(seen: Index, record: Record, wanted: Json) -> bool:
    if wanted.get("query") and not _mentions(seen, record, str(wanted["query"])):
        return False
    groups = wanted.get("filterGroups") or []
    return not groups or any(
        all(_passes(seen, record, one) for one in group.get("filters") or []) for group in groups
    )


def _mentions(seen: Index, record: Record, text: str) -> bool:
    shown = catalog.OBJECT_TYPES[seen.kind].shown
    return any(text.lower() in seen.value(record, name).lower() for name in shown)


def _passes(seen: Index, record: Record, one: Json) -> bool:
    name = str(one["propertyName"])
    try:
        return _OPERATORS[one["operator"]](Held(seen, record, name), one)
    except ValueError as error:
        raise invalid(f"{name}: {error}") from error


class Held(NamedTuple):
    """One value of one record, seen through the index."""

    seen: Index
    record: Record
    name: str

    @property
    def text(self) -> str:
        """The value as it is."""
        return self.seen.value(self.record, self.name)

    @property
    def shape(self) -> Shape:
        """The value as it compares."""
        return self.seen.shape_of(self.record, self.name)

    def like(self, value: object) -> Shape:
        """Bring what a filter says into the same form."""
        return self.seen.comparable(self.name, str(value))


def _has(held: Held, _: Json) -> bool:
    return held.text != ""


def _among(held: Held, one: Json) -> bool:
    return held.shape in [held.like(value) for value in one["values"]]


def _between(held: Held, one: Json) -> bool:
    mine = held.shape
    return mine[0] == 1 and held.like(one["value"]) <= mine <= held.like(one["highValue"])


def _token(held: Held, one: Json) -> bool:
    return str(one["value"]).lower().strip("*") in held.text.lower()


def _compare(wanted: set[int]) -> Test:
    def test(held: Held, one: Json) -> bool:
        mine, other = held.shape, held.like(one["value"])
        return mine[0] == 1 and (mine > other) - (mine < other) in wanted

    return test


def _not(test: Test) -> Test:
    return lambda held, one: not test(held, one)


_NEEDED: dict[str, tuple[str, ...]] = {
    "HAS_PROPERTY": (),
    "NOT_HAS_PROPERTY": (),
    "IN": ("values",),
    "NOT_IN": ("values",),
    "BETWEEN": ("value", "highValue"),
}
_OPERATORS: dict[str, Test] = {
    "EQ": _compare({0}),
    "NEQ": _not(_compare({0})),
    "LT": _compare({-1}),
    "LTE": _compare({-1, 0}),
    "GT": _compare({1}),
    "GTE": _compare({0, 1}),
    "BETWEEN": _between,
    "IN": _among,
    "NOT_IN": _not(_among),
    "HAS_PROPERTY": _has,
    "NOT_HAS_PROPERTY": _not(_has),
    "CONTAINS_TOKEN": _token,
    "NOT_CONTAINS_TOKEN": _not(_token),
}


def _sort(seen: Index, found: list[Record], sorts: list[Json]) -> None:
    found.sort(key=lambda record: record.id)
    for one in sorts:
        name = str(one["propertyName"] if isinstance(one, dict) else one)
        down = isinstance(one, dict) and one.get("direction") == "DESCENDING"
        found.sort(key=lambda record: seen.shape_of(record, name), reverse=down)
