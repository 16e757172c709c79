"""What is known of a visitor is the same in whatever order and pieces it was learned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.facts import ProfileId
from connector.domain.journeys import JourneyEvent, Known, Visitor
from connector.domain.visits import joined, seen

ANN = ProfileId("ann")
START = datetime(2026, 5, 1, tzinfo=UTC)

_origins = st.sampled_from([{}, {"utm_source": "ads"}, {"utm_source": "news"}])
_events = st.builds(
    lambda hour, known, origin: JourneyEvent(
        str(hour), "page_view", START + timedelta(hours=hour), known=known, origin=origin
    ),
    st.integers(0, 20),
    st.sampled_from(Known),
    _origins,
)


def told(events: Sequence[JourneyEvent]) -> Visitor:
    """Learn of events one after the other."""
    return reduce(lambda one, event: seen(one, event, event.occurred_at), events, Visitor(ANN))


def naive(events: Sequence[JourneyEvent]) -> Visitor:
    """Look at all events at once."""
    times = [one.occurred_at for one in events]
    known = [one.occurred_at for one in events if one.known is not Known.ANONYMOUS]
    proven = [one.occurred_at for one in events if one.known is Known.VERIFIED]
    told_by = [one for one in events if one.origin]
    first = min(
        told_by, key=lambda one: (one.occurred_at, sorted(one.origin.items())), default=None
    )
    return Visitor(
        ANN,
        max((one.known for one in events), key=list(Known).index),
        first.origin if first else {},
        first_at=min(times),
        last_at=max(times),
        identified_at=min(known, default=None),
        verified_at=min(proven, default=None),
        origin_at=first.occurred_at if first else None,
    )


@given(st.lists(_events, min_size=1, max_size=8), st.integers(0, 8))
def test_events_add_up_in_any_order_and_pieces(events: list[JourneyEvent], cut: int) -> None:
    assert told(events) == naive(events)
    assert joined(told(events[:cut]), told(events[cut:])) == naive(events)
