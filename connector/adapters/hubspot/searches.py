"""Finds what changed since a moment: search, with a cursor that no cap of HubSpot's ends.

Search answers 10,000 results of a query at most, then 400 (page "CRM API: search", section
"Limitations"). So no query is paged: each asks for what comes behind the last row, by change
date, and inside one change date by id, for an import gives thousands of records the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector.adapters.hubspot.fields import OBJECT_ID, changed_at, path_word
from connector.adapters.hubspot.shapes import moment, part, results, text
from connector.domain.errors import CrmDown
from connector.ports import Changed, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.adapters.hubspot.client import Client

AT_ONCE = 100  # HubSpot gives 200; the reads that follow should not keep others waiting
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on: at a change date, or behind an id inside that one change date."""

    at: int  # epoch milliseconds, which is what HubSpot's dates hold
    record_id: int | None = None

    def body(self, name: str) -> dict[str, object]:
        """Return the search for what comes next; `name` is the change date's."""
        if self.record_id is None:
            filters = [_filter(name, "GTE", self.at)]
            order = name
        else:
            filters = [_filter(name, "EQ", self.at), _filter(OBJECT_ID, "GT", self.record_id)]
            order = OBJECT_ID
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": [name],
            "limit": AT_ONCE,
        }

    def __str__(self) -> str:
        return str(self.at) if self.record_id is None else f"{self.at}:{self.record_id}"


def changed(client: Client, kind: str, since: datetime, after: str | None) -> Changed:
    """Return the next records that changed since then, oldest change first."""
    place = _parse(after) if after else Place(_ms(since))
    name = changed_at(kind)
    body = client.call("search", place.body(name), kind=path_word(kind))
    marks = [_mark(text(row.get("id")), part(row, "properties").get(name)) for row in results(body)]
    following = _following(place, marks, more=bool(part(part(body, "paging"), "next")))
    if following is None:
        return Changed(marks, None)
    if (following.at, following.record_id or 0) <= (place.at, place.record_id or -1):
        raise CrmDown("HubSpot's search does not move on")
    return Changed(marks, str(following))


def _following(place: Place, marks: Sequence[Mark], *, more: bool) -> Place | None:
    """Return where the next search begins, None where nothing is left."""
    if place.record_id is not None:
        last = max((int(mark.record_id) for mark in marks), default=place.record_id)
        return Place(place.at, last) if more else Place(place.at + 1)
    if not more:
        return None
    # What shares the last row's change date may be cut off, in an order that nobody vouches for.
    first, last = (_ms(find(mark.stamp for mark in marks)) for find in (min, max))
    return Place(last) if last > first else Place(last, 0)


def _mark(record_id: str, stamp: object) -> Mark:
    when = moment(stamp)
    if when is None or not record_id.isdigit():
        raise CrmDown("HubSpot's search found a record without an id or a change date")
    return Mark(record_id, when)


def _filter(name: str, operator: str, value: int) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _parse(after: str) -> Place:
    at, _, record_id = after.partition(":")
    return Place(int(at), int(record_id) if record_id else None)


def _ms(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(milliseconds=1)
