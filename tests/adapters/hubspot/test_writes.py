from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from connector.domain.errors import CrmBusy, CrmDenied, CrmDown, CrmRefused
from connector.ports import Fate, Outcome, Write

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

UPDATE = "https://api.hubapi.com/crm/objects/2026-09/contacts/batch/update"


def people(twin: Twin, count: int) -> list[str]:
    return twin.seed(object="contacts", count=count, properties={"firstname": "n{n}"})


def fates(outcomes: list[Outcome]) -> list[Fate]:
    return [one.fate for one in outcomes]


def updates(twin: Twin) -> int:
    calls = twin.ask("GET", "calls")["calls"]
    return len([call for call in calls if call["path"].endswith("batch/update")])


def results(*ids: str) -> dict[str, Any]:
    return {"results": [{"id": one, "properties": {"firstname": "x"}} for one in ids]}


def test_a_write_says_what_the_fields_hold_now(twin: Twin, portal: HubSpot) -> None:
    ann = twin.edit("contacts", firstname="Ann", lifecyclestage="customer")
    wanted = {"firstname": "Anna", "hs_lead_status": "", "lifecyclestage": "lead"}

    (found,) = portal.write("contact", [Write(ann, wanted)])

    assert found.fate is Fate.DONE
    # HubSpot keeps a stage that it is asked to set backwards, and answers 200.
    assert found.now == wanted | {"lifecyclestage": "customer"}
    assert found.stamp is not None
    assert found.current_id == ann


def test_outcomes_come_in_the_order_of_the_writes(twin: Twin, portal: HubSpot) -> None:
    ann, bob = people(twin, 2)
    writes = [Write(bob, {"firstname": "B"}), Write("999", {}), Write(ann, {"firstname": "A"})]

    found = portal.write("contact", writes)

    assert [one.record_id for one in found] == [bob, "999", ann]
    assert fates(found) == [Fate.DONE, Fate.GONE, Fate.DONE]


def test_two_writes_to_one_record_are_sent_as_one(twin: Twin, portal: HubSpot) -> None:
    (ann,) = people(twin, 1)
    first, last = Write(ann, {"firstname": "A", "lastname": "X"}), Write(ann, {"firstname": "B"})

    found = portal.write("contact", [first, last])

    assert fates(found) == [Fate.DONE, Fate.DONE]
    assert twin.value("contacts", ann, "firstname") == "B"
    assert twin.value("contacts", ann, "lastname") == "X"


def test_a_call_writes_a_hundred_records(twin: Twin, portal: HubSpot) -> None:
    found = portal.write("contact", [Write(one, {"firstname": "x"}) for one in people(twin, 201)])

    assert set(fates(found)) == {Fate.DONE}
    assert updates(twin) == 3


def test_the_guilty_row_of_a_refused_batch_is_found(twin: Twin, portal: HubSpot) -> None:
    ids = people(twin, 100)
    writes = [Write(one, {"lifecyclestage": "lead"}) for one in ids]
    writes[37] = Write(ids[37], {"lifecyclestage": "no such stage"})

    found = portal.write("contact", writes)

    assert [one.record_id for one in found if one.fate is Fate.REFUSED] == [ids[37]]
    assert found[37].reason == "VALIDATION_ERROR INVALID_OPTION lifecyclestage"
    assert updates(twin) <= 1 + 2 * 7


def test_a_field_that_does_not_exist_convicts_its_rows_at_once(twin: Twin, portal: HubSpot) -> None:
    ids = people(twin, 100)
    writes = [Write(one, {"bnb_gone": "1"}) for one in ids[:60]]
    writes += [Write(one, {"firstname": "x"}) for one in ids[60:]]

    found = portal.write("contact", writes)

    assert fates(found) == [Fate.REFUSED] * 60 + [Fate.DONE] * 40
    assert updates(twin) == 2


def test_a_fault_inside_the_message_of_older_paths_convicts_too(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    told = [{"isValid": False, "error": "PROPERTY_DOESNT_EXIST", "name": "bnb_gone"}]
    message = f"Property values were not valid: {json.dumps(told)}"
    vendor.post(UPDATE, status=400, json={"category": "VALIDATION_ERROR", "message": message})
    vendor.post(UPDATE, json=results("3"))
    writes = [Write("1", {"bnb_gone": "1"}), Write("2", {"bnb_gone": "2"}), Write("3", {})]

    assert fates(hubspot.write("contact", writes)) == [Fate.REFUSED, Fate.REFUSED, Fate.DONE]


def test_a_merged_record_is_written_under_its_new_id(twin: Twin, portal: HubSpot) -> None:
    ids = people(twin, 5)
    twin.merge("contacts", ids[0], ids[1])
    twin.merge("contacts", ids[2], ids[3])

    found = portal.write("contact", [Write(one, {"lastname": one}) for one in ids[1:4:2] + ids[4:]])

    assert set(fates(found)) == {Fate.DONE}
    assert [one.current_id for one in found] == [ids[0], ids[2], ids[4]]
    assert twin.value("contacts", ids[2], "lastname") == ids[3]


def test_merged_records_that_answer_without_a_name_are_written_singly(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(UPDATE, json=results("3", "8", "9"))
    vendor.post(UPDATE, json=results("9"))
    vendor.post(UPDATE, json=results("8"))

    found = hubspot.write("contact", [Write(one, {"firstname": "x"}) for one in "123"])

    assert sorted(one.current_id for one in found) == ["3", "8", "9"]
    assert len(vendor.calls) == 3


@pytest.mark.parametrize(
    ("category", "fate"),
    [
        ("OBJECT_NOT_FOUND", Fate.GONE),
        ("VALIDATION_ERROR", Fate.REFUSED),
        ("CONFLICT", Fate.REFUSED),
        ("RATE_LIMITS", Fate.LATER),
        (None, Fate.REFUSED),
    ],
)
@pytest.mark.parametrize("context", ["ids", "objectWriteTraceId"])
def test_a_row_of_a_207_has_its_own_fate(
    vendor: RequestsMock, hubspot: HubSpot, category: str | None, fate: Fate, context: str
) -> None:
    error = {"status": "error", "category": category, "context": {context: ["77", "2"]}}
    vendor.post(UPDATE, status=207, json=results("1") | {"numErrors": 1, "errors": [error]})

    found = hubspot.write("contact", [Write("1", {}), Write("2", {})])

    assert fates(found) == [Fate.DONE, fate]


def test_a_row_that_nothing_names_is_for_later(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(UPDATE, status=207, json=results("1") | {"errors": [{"context": 5}, 7]})

    assert fates(hubspot.write("contact", [Write("1", {}), Write("2", {})])) == [
        Fate.DONE,
        Fate.LATER,
    ]


def test_a_row_fault_quotes_no_value(vendor: RequestsMock, hubspot: HubSpot) -> None:
    error = {
        "category": "CONFLICT",
        "message": "ann@x.example is taken. Existing ID: 7",
        "context": {"ids": ["1"]},
    }
    vendor.post(UPDATE, status=207, json={"results": [], "errors": [error]})

    assert hubspot.write("contact", [Write("1", {})])[0].reason == "CONFLICT"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"do": "429", "policy": "TEN_SECONDLY_ROLLING"}, CrmBusy),
        ({"do": "status", "status": 503}, CrmDown),
        ({"do": "status", "status": 403}, CrmDenied),
        ({"do": "status", "status": 404}, CrmRefused),
        ({"do": "drop_reply"}, CrmDown),
    ],
    ids=str,
)
def test_an_error_is_raised_if_nothing_was_sent_and_leaves_the_rest_otherwise(
    twin: Twin, portal: HubSpot, fault: dict[str, object], error: type[Exception]
) -> None:
    writes = [Write(one, {"firstname": "x"}) for one in people(twin, 150)]
    twin.ask("POST", "faults", fault | {"match": "batch/update", "skip": 1})

    found = portal.write("contact", writes)

    assert fates(found) == [Fate.DONE] * 100 + [Fate.LATER] * 50
    twin.ask("POST", "faults", fault | {"match": "batch/update"})
    portal.client.limiter.restore({"blocked_until": 0.0})
    with pytest.raises(error):
        portal.write("contact", writes)


def test_what_is_for_later_says_when(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(UPDATE, json=results(*map(str, range(100))))
    vendor.post(UPDATE, status=429, headers={"Retry-After": "7"})

    found = hubspot.write("contact", [Write(str(one), {}) for one in range(101)])

    assert (found[100].fate, found[100].retry_in) == (Fate.LATER, 7)


def test_half_a_refused_batch_may_be_for_later(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(UPDATE, status=400, json={"category": "VALIDATION_ERROR"})
    vendor.post(UPDATE, json=results("1"))
    vendor.post(UPDATE, status=502)

    found = hubspot.write("contact", [Write("1", {}), Write("2", {})])

    assert fates(found) == [Fate.DONE, Fate.LATER]


def test_rows_that_a_portal_does_not_do_are_told_apart(twin: Twin, portal: HubSpot) -> None:
    ids = people(twin, 3)
    twin.ask("POST", "faults", {"do": "partial", "ids": ids[:1], "category": "VALIDATION_ERROR"})

    found = portal.write("contact", [Write(one, {"firstname": "x"}) for one in ids])

    assert fates(found) == [Fate.REFUSED, Fate.DONE, Fate.DONE]


def test_nothing_to_write_makes_no_call(twin: Twin, portal: HubSpot) -> None:
    assert portal.write("contact", []) == []
    assert updates(twin) == 0


def test_deals_are_written_as_deals(twin: Twin, portal: HubSpot) -> None:
    deal = twin.deal([], dealname="Big")

    assert fates(portal.write("deal", [Write(deal, {"dealname": "Bigger"})])) == [Fate.DONE]
    assert twin.value("deals", deal, "dealname") == "Bigger"
