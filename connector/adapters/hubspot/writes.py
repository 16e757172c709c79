"""Writes records in batches, and says of each what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.adapters.hubspot.failures import Rejected, summary
from connector.adapters.hubspot.fields import path_word
from connector.adapters.hubspot.readings import MISSING, named
from connector.adapters.hubspot.shapes import Json, chunks, moment, part, results, rows, text
from connector.domain.errors import CrmError
from connector.ports import Fate, Outcome, Write

if TYPE_CHECKING:
    from connector.adapters.hubspot.client import Client

BATCH = 100

# A whole batch is refused for these because of some of its rows: find the guilty ones.
_DIVISIBLE = frozenset({400, 409, 413, 414})
# Every row with a field of such a fault is guilty, with no need to try.
_FIELD_FAULTS = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
# An error's category -> what it means for the row; any other will never succeed.
_FATES: Mapping[str, Fate] = {
    MISSING: Fate.GONE,
    "RATE_LIMIT": Fate.LATER,
    "RATE_LIMITS": Fate.LATER,
    "LOCKED": Fate.LATER,
    "TIMEOUT": Fate.LATER,
    "INTERNAL_ERROR": Fate.LATER,
    "SERVICE_UNAVAILABLE": Fate.LATER,
}

Row = tuple[str, Mapping[str, str]]


@dataclass
class _Batch:
    """The rows of one call to `write` and what is known of them so far."""

    client: Client
    kind: str
    todo: deque[Sequence[Row]]
    urgent: bool = False
    done: dict[str, Outcome] = field(default_factory=dict)

    def run(self) -> None:
        """Send until nothing is left, or until HubSpot wants us to stop."""
        while self.todo:
            some = self.todo[0]
            try:
                body = self.client.call(
                    "update", _body(some), urgent=self.urgent, kind=path_word(self.kind)
                )
            except Rejected as error:
                if not _is_divisible(error):
                    raise
                self.todo.popleft()
                self._divide(some, error)
            else:
                self.todo.popleft()
                self._settle(some, body)

    def postpone(self, error: CrmError) -> None:
        """Mark what was not sent."""
        for some in self.todo:
            for record_id, _ in some:
                self.done[record_id] = _later(record_id, str(error), error.retry_in)

    def _divide(self, some: Sequence[Row], error: Rejected) -> None:
        fields = _faulty_fields(error)
        guilty = some if len(some) == 1 else [row for row in some if fields & row[1].keys()]
        for record_id, _ in guilty:
            self.done[record_id] = _refused(record_id, error)
        if guilty:
            rest = [row for row in some if row not in guilty]
            self.todo.extendleft([rest] if rest else [])
        else:
            middle = len(some) // 2
            self.todo.extendleft([some[middle:], some[:middle]])

    def _settle(self, some: Sequence[Row], body: Json) -> None:
        asked = dict(some)
        for record_id, error in named(rows(body, "errors")):
            if record_id in asked:
                self.done[record_id] = _failed(record_id, error)
        strangers = self._keep_results(asked, results(body))
        open_rows = [row for row in some if row[0] not in self.done]
        if len(open_rows) == len(strangers) == 1:
            record_id, fields = open_rows[0]
            self.done[record_id] = _written(record_id, fields, strangers[0])
        elif strangers and len(some) > 1:
            # Merged records answer under other ids and don't say for whom: ask one by one.
            self.todo.extendleft([row] for row in open_rows)
        else:
            for record_id, _ in open_rows:
                self.done[record_id] = _later(record_id, "HubSpot did not say what became of it")

    def _keep_results(
        self, asked: Mapping[str, Mapping[str, str]], found: list[Json]
    ) -> list[Json]:
        """Keep the results that say whom they are for, and return the others."""
        strangers = []
        for row in found:
            record_id = next((one for one in _names(row) if one in asked), None)
            if record_id is None:
                strangers.append(row)
            else:
                self.done[record_id] = _written(record_id, asked[record_id], row)
        return strangers


def write(
    client: Client, kind: str, writes: Sequence[Write], *, urgent: bool = False
) -> list[Outcome]:
    """Write records; two writes to one record are sent as one, the last value winning.

    An error is raised only if nothing was sent; later ones leave the rest for another time.
    """
    merged: dict[str, dict[str, str]] = {}
    for one in writes:
        merged.setdefault(one.record_id, {}).update(one.fields)
    batch = _Batch(client, kind, deque(chunks(list(merged.items()), BATCH)), urgent)
    try:
        batch.run()
    except CrmError as error:
        if not batch.done:
            raise
        batch.postpone(error)
    return [batch.done[one.record_id] for one in writes]


def _body(some: Sequence[Row]) -> dict[str, object]:
    # The trace id makes HubSpot name the row in errors and, for merged records, in results.
    return {
        "inputs": [
            {"id": record_id, "objectWriteTraceId": record_id, "properties": dict(fields)}
            for record_id, fields in some
        ]
    }


def _names(row: Json) -> list[str]:
    return [text(row.get("objectWriteTraceId")), text(row.get("id"))]


def _is_divisible(error: Rejected) -> bool:
    return error.status in _DIVISIBLE or error.category == MISSING


def _faulty_fields(error: Rejected) -> set[str]:
    return {name for one in error.faults if one.code in _FIELD_FAULTS for name in one.names}


def _written(record_id: str, fields: Mapping[str, str], row: Json) -> Outcome:
    values = part(row, "properties")
    return Outcome(
        record_id,
        Fate.DONE,
        now={name: text(values[name]) for name in fields if name in values},
        stamp=moment(row.get("updatedAt")),
        current_id=text(row.get("id")) or record_id,
    )


def _failed(record_id: str, error: Json) -> Outcome:
    fate = _FATES.get(text(error.get("category")), Fate.REFUSED)
    return Outcome(record_id, fate, reason=summary(error), current_id=record_id)


def _refused(record_id: str, error: Rejected) -> Outcome:
    fate = Fate.GONE if error.category == MISSING else Fate.REFUSED
    return Outcome(record_id, fate, reason=error.reason, current_id=record_id)


def _later(record_id: str, reason: str, retry_in: float | None = None) -> Outcome:
    return Outcome(record_id, Fate.LATER, reason=reason, current_id=record_id, retry_in=retry_in)
