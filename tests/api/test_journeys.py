"""A visitor's journey, and who is found by what they came by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.facts import ProfileId
from connector.domain.journeys import Happened, JourneyEvent
from tests.api.conftest import NOW, Door


@pytest.fixture
def visited(door: Door) -> str:
    """Have a visitor look at three pages, told in the wrong order, and type an address."""
    events = [
        JourneyEvent(
            f"evt_{n}",
            "page_view",
            NOW - timedelta(hours=n),
            device_id="d1",
            url=f"/{n}",
            email="typed@x.io" if n == 1 else "",
        )
        for n in (1, 3, 2)
    ]
    with door.services.store.writing() as unit:
        arrived = [Happened(0, ProfileId(""), one, NOW) for one in events]
        unit.visits.arrive(unit.connection(door.connection_id), arrived)
    pending = door.get("inbox").json["items"]
    assert [one["kind"] for one in pending] == ["journey"] * 3
    assert door.get("status").json["inbox"]["pending"] == 3
    door.drain()
    (found,) = door.get("profiles?device_id=d1").json["items"]
    return str(found["id"])


def test_a_journey_is_told_oldest_first_page_by_page(door: Door, visited: str) -> None:
    first = door.get(f"profiles/{visited}/journey?limit=2").json
    rest = door.get(f"profiles/{visited}/journey?limit=2&cursor={first['next_cursor']}").json

    assert [one["url"] for one in first["items"] + rest["items"]] == ["/3", "/2", "/1"]
    assert rest["next_cursor"] is None
    assert rest["items"][0]["email"] == "typed@x.io"


def test_a_visitor_is_found_by_a_typed_address(door: Door, visited: str) -> None:
    (found,) = door.get("profiles?email=Typed@x.io").json["items"]

    assert found["id"] == visited
    assert found["emails"] == ["typed@x.io"]
    assert found["slot"] == 3
    assert door.get("profiles?device_id=unknown").json["items"] == []


def test_a_cursor_that_is_none_of_ours_is_refused(door: Door, visited: str) -> None:
    assert door.get(f"profiles/{visited}/journey?cursor=7").status_code == 422
    far = f"{'9' * 18}-1"
    assert door.get(f"profiles/{visited}/journey?cursor={far}").status_code == 422
