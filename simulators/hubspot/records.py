"""Records as HubSpot keeps them: every property is a list of dated, attributed values."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import NamedTuple


class Source(NamedTuple):
    """Who made a change: HubSpot's changeSource and sourceId, and the user behind it."""

    kind: str
    id: str | None = None
    label: str | None = None
    user_id: int | None = None

    @property
    def is_api(self) -> bool:
        """Whether an integration wrote through the API."""
        return self.kind == "INTEGRATION"


class Version(NamedTuple):
    """One value a property has had."""

    value: str
    at: int
    source: Source


@dataclass(slots=True)
class Record:
    """A contact, company, deal or other object; times are epoch milliseconds."""

    kind: str
    id: int
    created_at: int
    touched: list[int]
    values: dict[str, list[Version]] = field(default_factory=dict)
    archived_at: int | None = None

    @property
    def updated_at(self) -> int:
        """When it was last written, whether or not a value changed."""
        return self.touched[-1]

    def touch(self, at: int) -> None:
        """Move the modified time forward, never back."""
        if at > self.touched[-1]:
            self.touched.append(at)

    def put(self, name: str, value: str, at: int, source: Source) -> bool:
        """Add a value in its place in time; say whether it is the current one now."""
        versions = self.values.setdefault(name, [])
        place = bisect.bisect_right([version.at for version in versions], at)
        versions.insert(place, Version(value, at, source))
        return place == len(versions) - 1

    def value(self, name: str) -> str:
        """Return the current value, empty when there is none."""
        versions = self.values.get(name)
        return versions[-1].value if versions else ""

    def value_at(self, name: str, at: int) -> str:
        """Return the value as it was at a moment, which is what a lagging index knows."""
        versions = self.values.get(name, [])
        return next((version.value for version in reversed(versions) if version.at <= at), "")

    def touched_at(self, at: int) -> int:
        """Return the modified time as it was at a moment."""
        return self.touched[max(bisect.bisect_right(self.touched, at) - 1, 0)]
