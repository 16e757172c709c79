"""The state of one HubSpot account: records, definitions, opt-outs and what was asked of it."""

from __future__ import annotations

import bisect
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import catalog
from .errors import ApiError, problem
from .records import Record, Source
from .shapes import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .config import Config
    from .shapes import Json

    Follow = Callable[["Portal", Record, str, str, Source, int], None]


@dataclass
class Store:
    """The records of one object type, by id and by their unique values."""

    by_id: dict[int, Record] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Keep a new record."""
        self.by_id[record.id] = record
        bisect.insort(self.order, record.id)

    def forget(self, record: Record) -> None:
        """Remove a record as if it had never been."""
        del self.by_id[record.id]
        self.order.remove(record.id)

    def after(self, last: int) -> Iterator[Record]:
        """Walk the records with a greater id, in order of id."""
        place = bisect.bisect_right(self.order, last)
        return (self.by_id[one] for one in self.order[place:])

    def find(self, record_id: int) -> Record | None:
        """Return a record by id; the id of a merged one finds the survivor (section 2.2)."""
        while record_id in self.merged:
            record_id = self.merged[record_id]
        return self.by_id.get(record_id)


class Portal:
    """One account. Whoever reads or changes it holds `lock`."""

    def __init__(self, config: Config, tell: Callable[[Json], None], follow: Follow) -> None:
        self.config = config
        self.tell = tell
        self.follow: Follow = follow
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything and start as a fresh account."""
        kinds = tuple(catalog.OBJECT_TYPES)
        self.stores = {kind: Store() for kind in kinds}
        self.properties = {kind: catalog.default_properties(kind) for kind in kinds}
        self.groups: dict[str, dict[str, Json]] = {
            kind: {(group := catalog.default_group(kind))["name"]: group} for kind in kinds
        }
        self.owners = catalog.default_owners()
        self.pipelines: dict[str, list[Json]] = {"deals": [catalog.deal_pipeline()]}
        self.links: dict[tuple[str, int], dict[tuple[str, int], set[int]]] = {}
        self.labels: dict[int, str] = {}
        self.opted_out: dict[str, Json] = {}
        self.preferences: dict[tuple[str, str], Json] = {}
        self.blocked: set[str] = set()
        self.writes: list[Json] = []
        self._ids = itertools.count(501_001)
        self.started_at = iso(self.now())

    def now(self) -> int:
        """Return the portal's own time in epoch milliseconds."""
        return time.time_ns() // 1_000_000 + self.config.clock_offset_ms

    def next_id(self) -> int:
        """Return an id that no record of any type has."""
        return next(self._ids)

    def record(self, kind: str, record_id: str | int, *, archived: bool = False) -> Record | None:
        """Return a live (or an archived) record by its id."""
        found = self.stores[kind].find(int(record_id)) if str(record_id).isdigit() else None
        if found is None or (found.archived_at is not None) is not archived:
            return None
        return found

    def by_key(self, kind: str, name: str, value: str) -> Record | None:
        """Return the live record that owns a unique value; e-mail is blind to case."""
        owner = self.stores[kind].keys.get((name, value.strip().lower()))
        return None if owner is None else self.record(kind, owner)

    def property(self, kind: str, name: str) -> Json | None:
        """Return a property definition that is not archived."""
        found = self.properties[kind].get(name)
        return None if found is None or found["archived"] else found

    def stages(self, kind: str) -> list[str]:
        """Return the lifecycle stages of an object in their order, as the portal defines it."""
        rows = self.properties[kind]["lifecyclestage"]["options"]
        return [row["value"] for row in sorted(rows, key=lambda row: row.get("displayOrder", 0))]

    def deal_stage(self, stage: str) -> Json | None:
        """Return a deal stage by its id, whichever pipeline it is of."""
        for pipeline in self.pipelines["deals"]:
            for row in pipeline["stages"]:
                if row["id"] == stage:
                    found: Json = row
                    return found
        return None

    def deal_stages(self, pipeline: str) -> list[str]:
        """Return the ids of a deal pipeline's stages."""
        rows = [row for row in self.pipelines["deals"] if row["id"] == pipeline]
        return [stage["id"] for row in rows for stage in row["stages"]]


def kind_of(name: str) -> str:
    """Return the plural name of an object type, or refuse what is no object type."""
    kind = catalog.ALIASES.get(name.lower())
    if kind is None:
        raise _unknown_type(name)
    return kind


def _unknown_type(name: str) -> ApiError:
    message = f"Unable to infer object type from: {name}"
    return problem(400, "VALIDATION_ERROR", message)


SYSTEM = Source("CALCULATED", None)
