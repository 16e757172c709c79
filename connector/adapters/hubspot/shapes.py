"""Reads what HubSpot answers without trusting its shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connector.domain.errors import CrmDown

Json = Mapping[str, Any]
Item = TypeVar("Item")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(content: bytes, what: str) -> Json:
    """Return the JSON object of an answer; anything else makes no sense."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CrmDown(f"HubSpot's answer to {what} is not JSON") from error
    if not isinstance(found, dict):
        raise CrmDown(f"HubSpot's answer to {what} is no object")
    return found


def results(body: Json) -> list[Json]:
    """Return the rows of an answer; one without rows makes no sense."""
    if not isinstance(body.get("results"), list):
        raise CrmDown("HubSpot's answer has no results")
    return rows(body, "results")


def rows(body: Json, name: str) -> list[Json]:
    """Return the objects of an optional list."""
    found = body.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def part(body: Json, name: str) -> Json:
    """Return an optional inner object, empty where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def texts(body: Json, name: str) -> list[str]:
    """Return an optional list, or a single value, as texts."""
    found = body.get(name)
    values = found if isinstance(found, list) else [found]
    return [text(value) for value in values if isinstance(value, str | int)]


def text(value: object) -> str:
    """Return a value as HubSpot means it: null is empty, and nothing a database can't keep."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def moment(value: object) -> datetime | None:
    """Return a time from ISO text or epoch milliseconds, None where it is neither."""
    try:
        if isinstance(value, int):
            return _EPOCH + timedelta(milliseconds=value)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut a sequence into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
