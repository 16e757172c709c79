"""Whom a CRM would get a record of, looked at before that is switched on."""

from typing import Annotated

from pydantic import Field

from connector.api.routes import Call, Route
from connector.api.words import Answer, ListQuery, Nothing, Page
from connector.pipeline.lacking import lacking


class CreationQuery(ListQuery):
    """From which slot on, in funnel order; left out it is the mapping's, else that of MQL."""

    from_slot: Annotated[int, Field(ge=3, le=9)] | None = None


class LackingAnswer(Answer):
    """Somebody who stands far enough, with a proven address, and has no record."""

    profile_id: str
    slot: int


class CreationPreview(Page[LackingAnswer]):
    """Who would get a record when they next do something, at most `daily_cap` of them a day.

    `would_create` counts all of them, `waiting` those that are under way, `made_today` today's.
    """

    enabled: bool
    from_slot: int
    daily_cap: int | None
    would_create: int
    waiting: int
    made_today: int


def preview_creation(call: Call[CreationQuery, Nothing]) -> CreationPreview:
    """Return who would get a record; nobody is made by looking."""
    query = call.query
    found = lacking(call.services, call.connection(), query.from_slot, query.cursor, query.limit)
    return CreationPreview(
        items=[LackingAnswer(profile_id=one, slot=slot) for one, slot in found.items],
        next_cursor=found.after,
        enabled=found.creation is not None,
        from_slot=found.from_slot,
        daily_cap=found.creation.daily_cap if found.creation else None,
        would_create=found.would_create,
        waiting=found.waiting,
        made_today=found.made_today,
    )


ROUTES = (
    Route(
        "GET",
        "/connections/{connection_id}/create/preview",
        "Preview who would get a record",
        preview_creation,
        CreationPreview,
        CreationQuery,
        refusals=(404, 409),
    ),
)
