"""The twin's own log, told as the oracle wants to hear it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from soak.oracle import Expected, Happened, expect, people

Json = dict[str, Any]
APP = "1001"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(stamp: int) -> datetime:
    """Return the time behind epoch milliseconds."""
    return _EPOCH + timedelta(milliseconds=stamp)


def is_ours(event: Mapping[str, Any]) -> bool:
    """Say whether an event tells of a write by our own app."""
    return event["changeSource"] == "INTEGRATION" and event.get("sourceId") == APP


class Story:
    """Everything that happened to people, by whom it happened to."""

    def __init__(
        self, events: Iterable[Json], puts: Iterable[Happened], ties: Iterable[Happened]
    ) -> None:
        self.erased: set[str] = set()
        self.story = [*ties, *(one for event in events for one in self._told(event)), *puts]
        self.groups = people(self.story)
        self._by_record: dict[str, list[Happened]] = defaultdict(list)
        self._stages: dict[str, list[Happened]] = defaultdict(list)
        for one in self.story:
            (self._stages if one.what == "stage" else self._by_record)[one.record].append(one)

    def _told(self, event: Json) -> list[Happened]:
        noun, _, action = event["subscriptionType"].partition(".")
        reader = _READERS.get((noun, action))
        if (noun, action) == ("contact", "privacyDeletion"):
            self.erased.add(str(event["objectId"]))
        return reader(event, moment(event["occurredAt"])) if reader else []

    def own(self, group: frozenset[str]) -> list[Happened]:
        """Return what happened to one person."""
        mine = [one for record in sorted(group) for one in self._by_record[record]]
        deals = {one.value for one in mine if one.what == "tied"}
        return mine + [one for deal in sorted(deals) for one in self._stages[deal]]

    def expected(self, group: frozenset[str], more: Iterable[Happened] = ()) -> Expected:
        """Return where one person must have ended."""
        return expect([*self.own(group), *more], group)


def _set(event: Json, when: datetime) -> list[Happened]:
    name, value = event["propertyName"], event["propertyValue"]
    record = str(event["objectId"])
    return [Happened(when, "set", record, name, value, ours=is_ours(event))]


def _stage(event: Json, when: datetime) -> list[Happened]:
    if event["propertyName"] != "dealstage":
        return []
    return [Happened(when, "stage", str(event["objectId"]), value=event["propertyValue"])]


def _merged(event: Json, when: datetime) -> list[Happened]:
    into = str(event["newObjectId"])
    return [Happened(when, "merged", str(one), value=into) for one in event["mergedObjectIds"]]


def _tied(event: Json, when: datetime) -> list[Happened]:
    if event["associationType"] != "DEAL_TO_CONTACT":
        return []
    what = "untied" if event["associationRemoved"] else "tied"
    return [Happened(when, what, str(event["toObjectId"]), value=str(event["fromObjectId"]))]


_READERS = {
    ("contact", "propertyChange"): _set,
    ("deal", "propertyChange"): _stage,
    ("contact", "deletion"): lambda e, when: [Happened(when, "gone", str(e["objectId"]))],
    ("contact", "restore"): lambda e, when: [Happened(when, "back", str(e["objectId"]))],
    ("contact", "merge"): _merged,
    ("deal", "associationChange"): _tied,
}
