"""Connections, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.ports import Happening

if TYPE_CHECKING:
    from tests.api.conftest import Door


def test_wins_without_a_person_are_listed_page_by_page(door: Door) -> None:
    for deal in ("901", "902", "903"):
        door.keep(deal, Happening.CHANGED, "deal", field="dealstage", value="closedwon")
    door.keep("902", Happening.LINKED, "deal", to_object="contact", to_id="101", present=True)
    door.drain()

    first = door.get(f"connections/{door.connection_id}/wins?limit=1").json
    rest = door.get(f"connections/{door.connection_id}/wins?cursor={first['next_cursor']}").json

    assert [one["record_id"] for one in first["items"] + rest["items"]] == ["901", "903"]
    assert first["items"][0] | {"won_at": ""} == {
        "object": "deal",
        "record_id": "901",
        "stage": "closedwon",
        "won_at": "",
    }
    assert rest["next_cursor"] is None
