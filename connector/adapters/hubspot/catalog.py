"""Reads what a portal's own fields and deal stages are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from connector.adapters.hubspot.fields import is_read_only, path_word
from connector.adapters.hubspot.shapes import Json, part, results, rows, text
from connector.ports import DealStage, FieldInfo, Option, Owner

if TYPE_CHECKING:
    from connector.adapters.hubspot.client import Client

# A stage without a probability: HubSpot's own two closed stages.
_CLOSED = {"closedwon": "won", "closedlost": "lost"}


def fields(client: Client, kind: str) -> list[FieldInfo]:
    """Return the fields of an object with their options, in HubSpot's order."""
    body = client.call("properties", kind=path_word(kind))
    return [_field(row) for row in results(body) if text(row.get("name"))]


def deal_stages(client: Client) -> list[DealStage]:
    """Return the stages of all deal pipelines, in HubSpot's order."""
    pipelines = sorted(results(client.call("pipelines", kind=path_word("deal"))), key=_place)
    return [
        DealStage(text(stage.get("id")), text(stage.get("label")), _outcome(stage))
        for pipeline in pipelines
        for stage in sorted(rows(pipeline, "stages"), key=_place)
    ]


def owners(client: Client) -> list[Owner]:
    """Return a portal's owners; a record's owner field holds their id, not their user's."""
    found: list[Owner] = []
    after = ""
    while True:
        query = {"limit": "100"} | ({"after": after} if after else {})
        body = client.call("owners", query=query)
        found += [_owner(row) for row in results(body) if text(row.get("id"))]
        following = text(part(part(body, "paging"), "next").get("after"))
        if not following or following == after:
            return found
        after = following


def _owner(row: Json) -> Owner:
    name = f"{text(row.get('firstName'))} {text(row.get('lastName'))}".strip()
    return Owner(text(row.get("id")), name or text(row.get("email")), _is_active(row))


def _is_active(row: Json) -> bool:
    """Say whether somebody is still there: who was deactivated has lost the id of their user."""
    gone = not text(row.get("userId")) and bool(text(row.get("userIdIncludingInactive")))
    return row.get("archived") is not True and not gone


def _field(row: Json) -> FieldInfo:
    name = text(row.get("name"))
    metadata = part(row, "modificationMetadata")
    fixed = metadata.get("readOnlyValue") is True or row.get("calculated") is True
    return FieldInfo(
        name=name,
        label=text(row.get("label")),
        options=[
            Option(text(option.get("value")), text(option.get("label")))
            for option in sorted(rows(row, "options"), key=_place)
        ],
        read_only=fixed or is_read_only(name),
    )


def _place(row: Json) -> float:
    """Return a row's place; HubSpot's -1 means after all others."""
    place = row.get("displayOrder")
    return place if isinstance(place, int | float) and place >= 0 else math.inf


def _outcome(stage: Json) -> str:
    metadata = part(stage, "metadata")
    try:
        chance = float(text(metadata.get("probability")))
    except ValueError:
        return _CLOSED.get(text(stage.get("id")), "open")
    if chance == 1.0:
        return "won"
    closed = text(metadata.get("isClosed")).lower() == "true"
    return "lost" if chance == 0.0 and closed else "open"
