"""A sender of visitors' events with a format of its own: JSON named as our events are."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from connector.domain.errors import Unreadable
from connector.domain.journeys import JourneyEvent, Known
from connector.ports import Unread
from connector.stored import Delivery

Told = dict[str, Any]


def read(_services: object, delivery: Delivery) -> list[JourneyEvent | Unread]:
    """Read JSON lists whose entries are named as our events are."""
    try:
        told = json.loads(delivery.body)
    except ValueError as error:
        raise Unreadable("no JSON") from error
    return [as_event(one) for one in told]


def as_event(one: Told) -> JourneyEvent | Unread:
    """Return one entry as an event."""
    try:
        when = datetime.fromisoformat(one["occurred_at"])
        parts = one | {"occurred_at": when, "known": Known(one.get("known", "anonymous"))}
        return JourneyEvent(**parts)
    except (KeyError, ValueError, TypeError) as error:
        return Unread(str(one.get("key", "?")), str(error), json.dumps(one))
