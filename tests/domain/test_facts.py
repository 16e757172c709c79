from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.facts import ConnectionId, Fact, Link, RecordKey, Stamp, clock

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CONTACT = RecordKey(ConnectionId("hubspot"), "contact", "1")
DEAL = RecordKey(ConnectionId("hubspot"), "deal", "2")


@pytest.mark.parametrize(
    ("minutes_ahead", "counted_ahead"), [(-60, -60), (0, 0), (5, 5), (6, 5), (600, 5)]
)
def test_a_senders_clock_may_run_five_minutes_ahead(minutes_ahead: int, counted_ahead: int) -> None:
    happened = clock(NOON + timedelta(minutes=minutes_ahead), received_at=NOON)

    assert happened == NOON + timedelta(minutes=counted_ahead)


def test_stamps_go_by_time_then_event_then_value() -> None:
    later = NOON + timedelta(microseconds=1)
    stamps = [Stamp(NOON, "a", "z"), Stamp(NOON, "b", "a"), Stamp(NOON, "b", "b"), Stamp(later)]

    assert sorted(set(stamps)) == stamps


def test_a_fact_and_a_link_know_their_place_in_time() -> None:
    fact = Fact(CONTACT, "email", "ann@example.com", NOON, "7")
    cut = Link(DEAL, CONTACT, present=False, when=NOON, event_id="7")

    assert fact.stamp == Stamp(NOON, "7", "ann@example.com")
    assert cut.stamp < Link(DEAL, CONTACT, present=True, when=NOON, event_id="7").stamp
