from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.pipeline.drain import drain
from connector.pipeline.split import split
from connector.ports import Happening
from connector.stored import Parcel

if TYPE_CHECKING:
    from tests.api.conftest import Door


def park(door: Door, record_id: str = "101") -> None:
    """Put an event through that breaks as it is worked on."""
    door.keep(record_id, Happening.MERGED)
    drain(door.services, door.account_id)


def test_an_event_is_pending_until_it_is_worked_off(door: Door) -> None:
    door.keep("101", Happening.CHANGED, field="email", value="ann@example.com")

    (item,) = door.get("inbox").json["items"]
    drain(door.services, door.account_id)

    assert (item["kind"], item["record_id"], item["state"]) == ("event", "101", "pending")
    assert door.get("inbox?state=pending").json["items"] == []
    assert len(door.get("inbox?state=done").json["items"]) == 1


def test_the_inbox_shows_no_contents(door: Door) -> None:
    door.keep("101", Happening.CHANGED, field="email", value="ann@example.com")

    assert "ann@" not in door.get("inbox").text


def test_an_unreadable_delivery_is_shown_with_its_reason(door: Door) -> None:
    owner = (door.account_id, door.connection_id)
    door.services.store.keep(Parcel("hubspot", owner, b"no json", door.services.now()))

    assert door.get("inbox").json["items"][0]["kind"] == "delivery"
    split(door.services)

    (item,) = door.get("inbox?state=parked").json["items"]
    assert "no JSON" in item["reason"]
    assert door.get("status").json["inbox"]["parked"] == 1


def test_the_inbox_is_paged_over_deliveries_and_events(door: Door) -> None:
    for number in range(3):
        owner = (door.account_id, door.connection_id)
        door.services.store.keep(Parcel("hubspot", owner, bytes([number]), door.services.now()))
        door.keep(str(number), Happening.CREATED)

    cursor, seen = "", []
    while cursor is not None:
        page = door.get(f"inbox?limit=2&cursor={cursor}").json
        seen += [(item["kind"], item["id"]) for item in page["items"]]
        cursor = page["next_cursor"]

    assert len(seen) == len(set(seen)) == 6


def test_a_parked_event_is_replayed_on_request(door: Door) -> None:
    park(door)
    (item,) = door.get("inbox?state=parked").json["items"]
    ids = {"what": "inbox", "ids": [item["id"], 99]}

    assert item["reason"] == "KeyError"
    assert door.post("replay", {**ids, "dry_run": True}).json["rows"] == 1
    assert door.get("inbox?state=parked").json["items"]
    assert door.post("replay", ids).json == {"what": "inbox", "rows": 1, "dry_run": False}
    assert len(door.get("inbox?state=pending").json["items"]) == 1


def test_another_accounts_rows_are_neither_seen_nor_replayed(door: Door, other: Door) -> None:
    park(other)
    theirs = other.get("inbox?state=parked").json["items"][0]["id"]

    assert door.get("inbox?state=parked").json["items"] == []
    assert door.post("replay", {"what": "inbox", "ids": [theirs]}).json["rows"] == 0
    assert door.post("replay", {"what": "inbox"}).json["rows"] == 0


def test_what_waits_for_the_crm_is_in_the_outbox(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 6})

    items = {item["purpose"]: item for item in door.get("outbox?state=pending").json["items"]}

    assert items["own"]["fields"]["bnb_lead_slot"] == "6"
    assert items["stage"]["fields"] == {"lifecyclestage": "marketingqualifiedlead"}
    assert (items["own"]["record_id"], items["own"]["object"]) == ("101", "contact")
    assert (items["own"]["attempts"], items["own"]["state"]) == (0, "pending")


def test_the_brake_holds_writes_until_they_are_released(braked: Door) -> None:
    braked.post(f"profiles/{braked.lead()}/move", {"slot": 6})
    (hold,) = braked.get("holds").json["items"]

    assert hold["writes"] == len(braked.get("outbox?state=held").json["items"]) == 1
    assert braked.get("status").json["outbox"]["held"] == 1
    assert braked.post(f"holds/{hold['id']}/release").json["released"] == 1
    assert braked.get("holds").json["items"] == []
    assert braked.post(f"holds/{hold['id']}/release").status_code == 404


def test_another_accounts_hold_is_not_found(braked: Door, other: Door) -> None:
    braked.post(f"profiles/{braked.lead()}/move", {"slot": 6})
    hold_id = braked.get("holds").json["items"][0]["id"]

    assert other.get("holds").json["items"] == []
    assert other.post(f"holds/{hold_id}/release").status_code == 404


def test_the_funnel_has_all_ten_slots(door: Door) -> None:
    door.lead()

    items = door.get("reports/funnel").json["items"]

    assert [item["slot"] for item in items] == list(range(1, 11))
    assert items[2] == {"slot": 3, "label": "Qualified Lead", "profiles": 1}
    assert sum(item["profiles"] for item in items) == 1


def test_the_status_says_how_long_the_oldest_has_waited(door: Door) -> None:
    assert door.get("status").json["inbox"]["oldest_pending_seconds"] is None

    door.keep("101", Happening.CREATED)

    status = door.get("status").json
    assert status["inbox"]["pending"] == 1
    assert status["inbox"]["oldest_pending_seconds"] >= 0


@pytest.mark.parametrize(
    "path",
    [
        *("inbox?state=lost", "outbox?state=lost", "inbox?limit=0", "inbox?limit=201"),
        *("inbox?cursor=x", "outbox?cursor=-1", "profiles?slot=11", "profiles?slot=a"),
        *("profiles?email=%00", "profiles?object=deal", "reports/funnel?cursor=%E2%91%A0"),
    ],
)
def test_a_bad_parameter_is_named(door: Door, path: str) -> None:
    answer = door.get(path)

    assert answer.status_code == 422
    assert answer.json["faults"][0].startswith(path.split("?")[1].split("=", maxsplit=1)[0])
