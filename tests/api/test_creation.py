"""The preview of who would get a record in a CRM, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.domain.facts import AccountId, ConnectionId
from connector.domain.slots import Pipeline
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.table import Vocabulary
from connector.stored import Connection
from tests.api.conftest import NOW

if TYPE_CHECKING:
    from tests.api.conftest import Door

SECOND = ConnectionId("con_second")


def second(door: Door) -> str:
    """Have another CRM connected, in which nobody has a record."""
    with door.services.store.writing() as unit:
        draft = Connection(
            *(SECOND, AccountId(door.account_id), "hubspot", "4343", "1001"),
            *("http://127.0.0.1:9", "v3", "active", "", 0),
        )
        connection = unit.connect(draft, {"access_token": "t"}, None, NOW)
        unit.add_version(connection, Lookup(preset("hubspot"), Pipeline(), Vocabulary()), NOW)
    return f"connections/{SECOND}/create/preview"


def test_who_would_get_a_record_shows_before_it_is_switched_on(door: Door) -> None:
    path, profile = second(door), door.lead()
    door.tell("101", lifecyclestage="marketingqualifiedlead")

    told = door.get(path).json

    assert told["items"] == [{"profile_id": profile, "slot": 6}]
    assert (told["enabled"], told["from_slot"], told["would_create"]) == (False, 6, 1)


def test_a_slot_that_is_asked_for_counts_in_funnel_order(door: Door) -> None:
    path = second(door)
    door.lead()

    assert door.get(path).json["would_create"] == 0
    assert door.get(f"{path}?from_slot=3").json["would_create"] == 1
    assert door.get(f"{path}?from_slot=10").status_code == 422


def test_a_page_says_where_to_go_on(door: Door) -> None:
    path = second(door)
    ids = sorted(door.lead(one, f"p{one}@x.io") for one in ("101", "102"))

    first = door.get(f"{path}?from_slot=3&limit=1").json
    rest = door.get(f"{path}?from_slot=3&limit=1&cursor={first['next_cursor']}").json

    assert [one["items"][0]["profile_id"] for one in (first, rest)] == ids
    assert rest["next_cursor"] is None


def test_where_they_have_records_nobody_is_shown(door: Door) -> None:
    door.lead()

    told = door.get(f"connections/{door.connection_id}/create/preview?from_slot=3").json

    assert (told["items"], told["would_create"]) == ([], 0)


def test_another_account_s_connection_is_not_found(door: Door) -> None:
    assert door.get("connections/con_of_others/create/preview").status_code == 404
