"""The preview of the hand-off over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.ports import Happening

if TYPE_CHECKING:
    from tests.api.conftest import Door


def test_the_preview_shows_what_is_off_and_says_so(door: Door) -> None:
    door.keep("101", Happening.CHANGED, "contact", field="email", value="a@x.io")
    door.drain()

    told = door.get(f"connections/{door.connection_id}/handoff/preview").json

    (status,) = told["items"]
    assert (status["part"], status["enabled"]) == ("status", False)
    assert status["fields"] == {"hs_lead_status": "NEW"}
    assert told["next_cursor"] is None


def test_another_account_s_connection_is_not_found(door: Door) -> None:
    assert door.get("connections/con_of_others/handoff/preview").status_code == 404
