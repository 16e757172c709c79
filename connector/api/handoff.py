"""The hand-off, looked at before it is turned on."""

from dataclasses import asdict
from datetime import datetime

from connector.api.routes import Call, Route
from connector.api.words import Answer, ListQuery, Nothing, Page
from connector.pipeline.previewing import preview


class WouldAnswer(Answer):
    """One thing that a switch would do to a record; `when` says what would bring it about."""

    profile_id: str
    object: str
    record_id: str
    part: str
    enabled: bool
    when: str
    fields: dict[str, str]
    at: datetime | None


class HandoffPreview(Page[WouldAnswer]):
    """What the switches would do to the next profiles; `limit` counts profiles."""


def preview_handoff(call: Call[ListQuery, Nothing]) -> HandoffPreview:
    """Return what each switch would write, also of those that are off."""
    query = call.query
    shown, after = preview(call.services, call.connection(), query.cursor, query.limit)
    items = [WouldAnswer(**asdict(one)) for one in shown]
    return HandoffPreview(items=items, next_cursor=after)


ROUTES = (
    Route(
        "GET",
        "/connections/{connection_id}/handoff/preview",
        "Preview the hand-off",
        preview_handoff,
        HandoffPreview,
        ListQuery,
        refusals=(404,),
    ),
)
