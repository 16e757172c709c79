"""Reads records: by id, page by page, and what they are tied to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.adapters.hubspot.fields import MERGED_IDS, path_word
from connector.adapters.hubspot.shapes import (
    Json,
    chunks,
    moment,
    part,
    results,
    rows,
    text,
    texts,
)
from connector.domain.errors import CrmDown, CrmRefused
from connector.ports import Held, Page, Reading, Tie

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from connector.adapters.hubspot.client import Client

BATCH = 100
BATCH_DATED = 50  # HubSpot's cap where history is asked for
TIES_BATCH = 1000
MISSING = "OBJECT_NOT_FOUND"
NOT_FOUND = 404
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fields to read, and which of them with their history."""

    kind: str
    fields: Sequence[str]
    dated: Sequence[str]

    @property
    def names(self) -> list[str]:
        """Every field whose value is wanted."""
        return list(dict.fromkeys([*self.fields, *self.dated]))

    @property
    def batch(self) -> int:
        """How many records one call may read."""
        return BATCH_DATED if self.dated else BATCH

    def query(self) -> dict[str, str]:
        """Return the fields as parameters of a GET."""
        asked = {"properties": self.names, "propertiesWithHistory": self.dated}
        return {key: ",".join(names) for key, names in asked.items() if names}

    def body(self, ids: Sequence[str]) -> dict[str, object]:
        """Return the body of a batch read."""
        body: dict[str, object] = {
            "properties": [*self.names, MERGED_IDS],
            "inputs": [{"id": record_id} for record_id in ids],
        }
        history = {"propertiesWithHistory": [*self.dated, MERGED_IDS]}
        return body | history if self.dated else body


def read(client: Client, wanted: Wanted, ids: Sequence[str]) -> list[Reading]:
    """Read records by id; missing ones are left out, merged ones come under both ids."""
    batches = list(chunks(list(dict.fromkeys(ids)), wanted.batch))
    client.limiter.expect(len(batches))
    return [found for some in batches for found in _read_some(client, wanted, some)]


def page(client: Client, wanted: Wanted, after: str | None, *, archived: bool = False) -> Page:
    """Read the next page of all records, or of all that were deleted."""
    query = {"limit": str(wanted.batch)} | wanted.query() | ({"after": after} if after else {})
    query |= {"archived": "true"} if archived else {}
    body = client.call("list", query=query, kind=path_word(wanted.kind))
    found = [reading(row, wanted) for row in results(body)]
    following = _after(body)
    if following == after and after:
        raise CrmDown("HubSpot's paging does not move on")
    return Page(found, following)


def ties(client: Client, kind: str, ids: Sequence[str], to_kind: str) -> list[Tie]:
    """Return which records of another kind the given ones are tied to, each pair once."""
    todo = deque([(record_id, "") for record_id in dict.fromkeys(ids)])
    asked = set(todo)
    found: dict[Tie, None] = {}
    while todo:
        some = [todo.popleft() for _ in range(min(len(todo), TIES_BATCH))]
        inputs = {"inputs": [_tie_input(*one) for one in some]}
        body = client.call("ties", inputs, kind=path_word(kind), to_kind=path_word(to_kind))
        for row in results(body):
            found |= dict.fromkeys(_row_ties(row))
            more = (text(part(row, "from").get("id")), _after(row) or "")
            if more[1] and more not in asked:
                asked.add(more)
                todo.append(more)
    return list(found)


def reading(row: Json, wanted: Wanted) -> Reading:
    """Return one record of an answer as a reading."""
    values, history = part(row, "properties"), part(row, "propertiesWithHistory")
    record_id = text(row.get("id"))
    if not record_id:
        raise CrmDown("HubSpot's answer has a record without an id")
    return Reading(
        asked_id=record_id,
        record_id=record_id,
        fields={name: text(values.get(name)) for name in wanted.names},
        history={name: _past(rows(history, name)) for name in wanted.dated},
        created_at=moment(row.get("createdAt")),
        stamp=moment(row.get("updatedAt")),
        archived=row.get("archived") is True,
        ended_at=moment(row.get("archivedAt")),
        merged=_merged(row),
    )


def named(errors: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Return every record id that a batch answer's errors name, with its error."""
    for error in errors:
        context = part(error, "context")
        for key in ("ids", "id", "objectWriteTraceId"):
            for record_id in texts(context, key):
                yield record_id, error


def _read_some(client: Client, wanted: Wanted, ids: Sequence[str]) -> list[Reading]:
    body = client.call("read", wanted.body(ids), kind=path_word(wanted.kind))
    found = {one.record_id: one for one in (reading(row, wanted) for row in results(body))}
    strangers = [found[record_id] for record_id in found if record_id not in ids]
    found = _absorbed(results(body), found) | found
    errors = named(rows(body, "errors"))
    missing = {record_id for record_id, error in errors if error.get("category") == MISSING}
    lost = [record_id for record_id in ids if record_id not in found and record_id not in missing]
    found |= _survivors(client, wanted, lost, strangers)
    return [found[record_id] for record_id in ids if record_id in found]


def _absorbed(answered: Sequence[Json], found: Mapping[str, Reading]) -> dict[str, Reading]:
    """Return readings by the ids that were merged into them, as far as the records tell."""
    return {
        old: replace(found[text(row.get("id"))], asked_id=old)
        for row in answered
        for old in _merged(row)
    }


def _merged(row: Json) -> dict[str, datetime | None]:
    """Return which ids became this record, and since when its history names them."""
    now = _ids(text(part(row, "properties").get(MERGED_IDS)))
    past = _past(rows(part(row, "propertiesWithHistory"), MERGED_IDS))
    first = {old: held.when for held in reversed(past) for old in _ids(held.value)}
    return {old: first.get(old) for old in now}


def _ids(joined: str) -> list[str]:
    return [one for one in joined.split(";") if one]


def _survivors(
    client: Client, wanted: Wanted, lost: Collection[str], strangers: Sequence[Reading]
) -> Mapping[str, Reading]:
    """Match ids that were merged away with the records that live on.

    A batch answers with the surviving record under its own id and does not say for whom. One
    of each belong together; otherwise each lost id is read by itself, which does say.
    """
    if len(lost) == len(strangers) == 1:
        return {one: replace(strangers[0], asked_id=one) for one in lost}
    client.limiter.expect(len(lost))
    singly = {one: _read_one(client, wanted, one) for one in lost}
    return {one: replace(found, asked_id=one) for one, found in singly.items() if found}


def _read_one(client: Client, wanted: Wanted, record_id: str) -> Reading | None:
    try:
        row = client.call(
            "read one", query=wanted.query(), kind=path_word(wanted.kind), id=record_id
        )
    except CrmRefused as error:
        if error.status == NOT_FOUND:
            return None
        raise
    return reading(row, wanted)


def _past(entries: Sequence[Json]) -> list[Held]:
    """Return a field's past, oldest first; HubSpot tells the newest first."""
    held = [
        Held(
            value=text(entry.get("value")),
            when=moment(entry.get("timestamp")),
            origin=text(entry.get("sourceType")),
            origin_id=text(entry.get("sourceId")),
        )
        for entry in reversed(entries)
    ]
    return sorted(held, key=lambda one: one.when or _LONG_AGO)


def _after(body: Json) -> str | None:
    return text(part(part(body, "paging"), "next").get("after")) or None


def _tie_input(record_id: str, after: str) -> dict[str, str]:
    return {"id": record_id} | ({"after": after} if after else {})


def _row_ties(row: Json) -> list[Tie]:
    start = text(part(row, "from").get("id"))
    goals = (text(goal.get("toObjectId", goal.get("id"))) for goal in rows(row, "to"))
    return [Tie(start, goal) for goal in goals if start and goal]
