"""What a visitor did, as the API shows it."""

import re
from datetime import datetime, timedelta

from connector.api.profiles import ONE, profile_of
from connector.api.routes import Call, Route, cut
from connector.api.words import Answer, ListQuery, Nothing, Page
from connector.domain.errors import ConfigurationRefused
from connector.domain.journeys import Happened
from connector.store.types import EPOCH

_BEFORE = (EPOCH - timedelta(days=365_000), 0)
_CURSOR = re.compile(r"(-?\d{1,18})-(\d{1,18})", re.ASCII)
_MICROSECOND = timedelta(microseconds=1)


class JourneyEventAnswer(Answer):
    """Something that a visitor did."""

    id: str
    type: str
    code: str | None
    occurred_at: datetime
    received_at: datetime
    url: str | None
    title: str | None
    form_id: str | None
    form_name: str | None
    device_id: str | None
    email: str | None
    state: str
    origin: dict[str, str]
    engagement: dict[str, float]
    imported: bool


class Journey(Page[JourneyEventAnswer]):
    """A page of a journey, oldest first by when it happened."""


def get_journey(call: Call[ListQuery, Nothing]) -> Journey:
    """Return what a visitor did, oldest first."""
    query = call.query
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
        after = _place(query.cursor)
        found = unit.visits.page(call.account.id, profile.id, after, query.limit + 1)
    page, last = cut(found, query.limit, _cursor)
    return Journey(items=[_answer(one) for one in page], next_cursor=last)


def _place(cursor: str) -> tuple[datetime, int]:
    if not cursor:
        return _BEFORE
    told = _CURSOR.fullmatch(cursor)
    try:
        if told:
            return EPOCH + int(told[1]) * _MICROSECOND, int(told[2])
    except OverflowError:
        pass
    raise ConfigurationRefused(["cursor: it is not one of ours"])


def _cursor(one: Happened) -> str:
    return f"{(one.event.occurred_at - EPOCH) // _MICROSECOND}-{one.id}"


def _answer(one: Happened) -> JourneyEventAnswer:
    event = one.event
    return JourneyEventAnswer(
        id=event.key,
        type=event.type,
        code=event.code or None,
        occurred_at=event.occurred_at,
        received_at=one.received_at,
        url=event.url or None,
        title=event.title or None,
        form_id=event.form_id or None,
        form_name=event.form_name or None,
        device_id=event.device_id or None,
        email=event.email or None,
        state=event.known,
        origin=dict(event.origin),
        engagement=dict(event.engagement),
        imported=one.silent,
    )


ROUTES = (
    Route(
        "GET",
        f"{ONE}/journey",
        "List what a visitor did",
        get_journey,
        Journey,
        ListQuery,
        refusals=(404,),
    ),
)
