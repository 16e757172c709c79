from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.domain.errors import CrmDenied, CrmRefused

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

ANN, BOB = "ann@x.example", "bob@x.example"
STATUSES = "https://api.hubapi.com/communication-preferences/2026-09/statuses"
BATCH = f"{STATUSES}/batch/unsubscribe-all"
OUT = {"subscriberIdString": ANN, "status": "UNSUBSCRIBED", "wideStatusType": "PORTAL_WIDE"}


def one(email: str) -> str:
    return f"{STATUSES}/{email.replace('@', '%40')}/unsubscribe-all"


def test_opt_outs_are_read_and_written(twin: Twin, portal: HubSpot) -> None:
    for email in (ANN, BOB):
        twin.edit("contacts", email=email)
    twin.opt_out(ANN)
    assert portal.opted_out([ANN, BOB, "No@x.example"]) == {
        ANN: True,
        BOB: False,
        "No@x.example": False,
    }

    portal.opt_out([ANN, BOB])

    assert portal.opted_out([ANN.upper(), BOB]) == {ANN.upper(): True, BOB: True}


def test_who_is_out_already_is_not_opted_out_again(twin: Twin, portal: HubSpot) -> None:
    twin.opt_out(ANN)
    portal.opt_out([ANN])

    assert len(twin.ask("GET", "calls")["calls"]) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_batch_it_goes_one_by_one(twin: Twin, portal: HubSpot, status: int) -> None:
    fault = {"do": "status", "status": status, "body": {}, "match": "statuses/batch", "times": 9}
    twin.ask("POST", "faults", fault)
    portal.opt_out([ANN, BOB])

    assert portal.opted_out([ANN, BOB, "c@x.example"]) == {
        ANN: True,
        BOB: True,
        "c@x.example": False,
    }


def test_an_app_without_the_right_says_so(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{BATCH}/read", status=403)
    vendor.get(one(ANN), status=403)

    with pytest.raises(CrmDenied):
        hubspot.opted_out([ANN])


def test_an_app_that_may_only_write_writes(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{BATCH}/read", status=403)
    vendor.get(one(ANN), status=403)
    vendor.post(BATCH, json={"results": []})

    hubspot.opt_out([ANN])

    assert vendor.calls[-1].request.body == b'{"inputs": ["ann@x.example"]}'


@pytest.mark.parametrize(
    ("row", "out"),
    [
        (OUT, True),
        (OUT | {"status": "SUBSCRIBED"}, False),
        (OUT | {"wideStatusType": "BUSINESS_UNIT_WIDE"}, False),
        ({"subscriberIdString": ANN, "wideStatuses": [OUT]}, True),
        ({"subscriberIdString": ANN, "wideStatuses": [{"status": "UNSUBSCRIBED"}]}, True),
        ({"subscriberIdString": ANN, "wideStatuses": []}, False),
        ({"subscriberIdString": BOB, "status": "UNSUBSCRIBED"}, False),
    ],
    ids=str,
)
def test_each_shape_of_a_status_is_understood(
    vendor: RequestsMock, hubspot: HubSpot, row: dict[str, Any], *, out: bool
) -> None:
    vendor.post(f"{BATCH}/read", json={"results": [row]})

    assert hubspot.opted_out([ANN]) == {ANN: out}


def test_an_address_that_hubspot_wont_judge_is_left_out(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    errors = [{"category": "VALIDATION_ERROR"}]
    vendor.post(f"{BATCH}/read", status=207, json={"results": [OUT], "errors": errors})
    vendor.get(one(BOB), json={"results": []})
    vendor.get(one("odd"), status=400)

    assert hubspot.opted_out([ANN, BOB, "odd"]) == {ANN: True, BOB: False}


def test_an_address_that_is_refused_holds_up_no_other(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(f"{BATCH}/read", json={"results": []})
    vendor.post(BATCH, status=400)
    vendor.post(one("odd"), status=400)
    done = vendor.post(one(ANN), status=204)

    with pytest.raises(CrmRefused):
        hubspot.opt_out(["odd", ANN])

    assert done.call_count == 1


def test_rows_that_a_batch_left_out_are_done_singly(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{BATCH}/read", json={"results": []})
    vendor.post(BATCH, status=207, json={"results": [OUT], "errors": [{}]})
    done = vendor.post(one(BOB), json={})

    hubspot.opt_out([ANN, BOB])

    assert done.call_count == 1


@pytest.mark.parametrize("batch", [404, 409])
def test_other_refusals_are_passed_on(vendor: RequestsMock, hubspot: HubSpot, batch: int) -> None:
    vendor.post(f"{BATCH}/read", status=batch)
    vendor.get(one(ANN), status=404)

    with pytest.raises(CrmRefused):
        hubspot.opted_out([ANN])
