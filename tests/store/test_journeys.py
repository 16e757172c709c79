"""A journey event comes back from the database as it went in."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, create_engine

from connector.domain.journeys import JourneyEvent, Known
from connector.store import columns
from connector.store.journeys import as_happened, event_row
from connector.store.tables_journeys import journey

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WHOLE = JourneyEvent(
    *("evt_1", "page_view", NOW, "trial_click", "d1", "u1", "ann@example.com"),
    *(Known.VERIFIED, 5, "https://example.com/pricing", "Pricing", "f1", "Contact"),
    origin={"utm_source": "ads"},
    person={"company": "Acme"},
    client={"country": "CA"},
    engagement={"clicks": 2.0},
    more={"x": [1]},
)


def kept(event: JourneyEvent) -> JourneyEvent:
    engine: Engine = create_engine("sqlite://")
    columns.metadata.create_all(engine)
    more = {"account_id": "a", "connection_id": "c", "received_at": NOW}
    with engine.begin() as tx:
        tx.execute(journey.insert().values(event_row(event) | more))
        return as_happened(tx.execute(journey.select()).one()).event


def test_every_part_of_an_event_is_kept() -> None:
    assert kept(WHOLE) == WHOLE


def test_what_was_not_said_stays_unsaid() -> None:
    bare = JourneyEvent("evt_2", "custom", NOW)
    assert kept(bare) == bare
    assert kept(bare._replace(known=Known.IDENTIFIED)).known is Known.IDENTIFIED
