from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.hubspot.testing import Twin

    from .conftest import Api

DEALS = "/crm/objects/2026-09/deals"
TASKS = "/crm/objects/2026-09/tasks"
OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
KEY = {
    "name": "bnb_deal_key",
    "label": "Key",
    "type": "string",
    "fieldType": "text",
    "groupName": "dealinformation",
    "hasUniqueValue": True,
}


def to(record_id: str, type_id: int) -> dict[str, Any]:
    """Write one inline association."""
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"to": {"id": record_id}, "types": [spec]}


@pytest.fixture
def ann(twin: "Twin") -> str:
    return twin.edit("contacts", firstname="Ann")


def test_a_batch_of_deals_brings_people_and_companies(api: "Api", twin: "Twin", ann: str) -> None:
    firm = twin.edit("companies", name="X")
    row = {"properties": OPEN, "associations": [to(ann, 3), to(firm, 5)]}

    made = api("POST", f"{DEALS}/batch/create", {"inputs": [row, {"properties": OPEN}]})

    assert made.status_code == 201
    assert [one["id"] for one in twin.linked("contacts", ann, "deals")] == [
        one["id"] for one in twin.linked("companies", firm, "deals")
    ]
    [end] = api("GET", f"/crm/v4/objects/companies/{firm}/associations/deals").json()["results"]
    assert [kind["typeId"] for kind in end["associationTypes"]] == [6, 342]


def test_the_deals_of_many_contacts_are_one_call(api: "Api", twin: "Twin", ann: str) -> None:
    bob, cid = twin.edit("contacts", firstname="Bob"), twin.edit("contacts", firstname="Cid")
    deal = twin.deal([ann, bob])
    path = "/crm/associations/2026-09/contacts/deals/batch/read"

    read = api("POST", path, {"inputs": [{"id": one} for one in (ann, bob, cid)]}).json()

    assert [row["to"][0]["toObjectId"] for row in read["results"]] == [int(deal), int(deal)]
    assert read["errors"][0]["context"]["fromObjectId"] == [cid]


def test_a_stage_belongs_to_its_pipeline(api: "Api") -> None:
    stages = [{"label": "Talk", "stageId": "77", "metadata": {"probability": "0.1"}}]
    path = "/crm/pipelines/2026-09/deals"
    mine = api("POST", path, {"label": "Mine", "stages": stages}).json()["id"]

    def status(**more: str) -> int:
        return api("POST", DEALS, {"properties": {"dealname": "D", **more}}).status_code

    assert status(pipeline=mine, dealstage="77") == 201
    assert status(pipeline=mine, dealstage="closedwon") == 400
    assert status(dealstage="77") == 400
    assert status(pipeline="none", dealstage="77") == 400


def test_a_deal_needs_a_name_and_a_stage(api: "Api") -> None:
    for lacking in OPEN:
        values = {name: value for name, value in OPEN.items() if name != lacking}
        assert api("POST", DEALS, {"properties": values}).status_code == 400


def test_a_deal_key_is_given_once(api: "Api") -> None:
    api("POST", "/crm/properties/2026-09/deals", KEY)
    keyed = {"properties": {**OPEN, "bnb_deal_key": "p1"}}
    first = api("POST", DEALS, keyed).json()["id"]

    again = api("POST", DEALS, keyed)

    assert again.status_code == 409
    assert again.json()["message"].endswith(f"Existing ID: {first}")
    assert api("GET", f"{DEALS}/p1", idProperty="bnb_deal_key").json()["id"] == first


def test_a_traced_batch_says_which_deal_was_there(api: "Api", twin: "Twin") -> None:
    api("POST", "/crm/properties/2026-09/deals", KEY)
    rows = [
        {"properties": {**OPEN, "bnb_deal_key": key}, "objectWriteTraceId": key}
        for key in ("p1", "p2")
    ]
    api("POST", f"{DEALS}/batch/create", {"inputs": rows[:1]})

    made = api("POST", f"{DEALS}/batch/create", {"inputs": rows})

    assert made.status_code == 207
    assert made.json()["errors"][0]["context"] == {"objectWriteTraceId": ["p1"]}
    assert len(twin.ask("GET", "records/deals")["ids"]) == 2


def test_a_deal_is_found_by_a_property(api: "Api") -> None:
    api("POST", "/crm/properties/2026-09/deals", KEY)
    first = api("POST", DEALS, {"properties": {**OPEN, "bnb_deal_key": "p1"}}).json()["id"]
    api("POST", DEALS, {"properties": {**OPEN, "bnb_deal_key": "p2"}})
    one = {"propertyName": "bnb_deal_key", "operator": "EQ", "value": "p1"}

    found = api("POST", f"{DEALS}/search", {"filterGroups": [{"filters": [one]}]}).json()

    assert [row["id"] for row in found["results"]] == [first]


@pytest.mark.parametrize("end", [to("99", 3), to("0", 279), {"to": {"id": "1"}}, {"types": []}])
def test_a_wrong_association_makes_no_deal(api: "Api", twin: "Twin", end: dict[str, Any]) -> None:
    body = {"properties": OPEN, "associations": [end]}

    assert api("POST", DEALS, body).status_code == 400
    assert (
        api("POST", f"{DEALS}/batch/create", {"inputs": [{"properties": OPEN}, body]}).ok is False
    )
    assert twin.ask("GET", "records/deals")["ids"] == []


def test_a_task_is_read_back_with_its_contact_and_owner(api: "Api", twin: "Twin", ann: str) -> None:
    values = {
        "hs_task_subject": "Call Ann",
        "hs_timestamp": "2026-11-24T09:00:00Z",
        "hs_task_status": "NOT_STARTED",
        "hubspot_owner_id": "71001",
    }
    path = "/crm/objects/2026-09/0-27"
    made = api("POST", path, {"properties": values, "associations": [to(ann, 204)]})

    assert made.status_code == 201
    [task] = twin.linked("contacts", ann, "tasks")
    assert task["properties"]["hubspot_owner_id"] == "71001"
    assert task["properties"]["hs_task_subject"] == "Call Ann"


def test_a_task_needs_its_due_date(api: "Api") -> None:
    assert api("POST", TASKS, {"properties": {"hs_task_subject": "Call"}}).status_code == 400


def test_an_owner_who_left_is_listed_apart_and_given_nothing(
    api: "Api", twin: "Twin", ann: str
) -> None:
    twin.owners(
        {"id": 1, "email": "a@x.example", "userId": 11},
        {"id": 2, "email": "b@x.example", "userId": 12, "archived": True},
    )
    here = api("GET", "/crm/owners/2026-09").json()["results"]
    gone = api("GET", "/crm/owners/2026-09", archived="true").json()["results"]

    assert ([one["id"] for one in here], [one["id"] for one in gone]) == (["1"], ["2"])
    path, owner = f"/crm/objects/2026-09/contacts/{ann}", {"hubspot_owner_id": "2"}
    assert api("PATCH", path, {"properties": owner}).status_code == 400


def test_a_logged_call_is_a_contact_and_a_note_is_not(twin: "Twin", ann: str) -> None:
    twin.activity("contacts", ann, kind="note", at="2026-11-20T10:00:00Z")
    assert twin.value("contacts", ann, "notes_last_contacted") is None
    twin.activity("contacts", ann, at="2026-11-20T11:00:00Z")
    twin.activity("contacts", ann, kind="email", at="2026-11-20T09:00:00Z")

    assert twin.value("contacts", ann, "notes_last_contacted") == "2026-11-20T11:00:00.000Z"
    assert twin.value("contacts", ann, "num_notes") == "3"


def test_a_unique_value_may_be_refused_as_a_400(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    api = login(start(unique_conflict_status=400))
    api("POST", "/crm/properties/2026-09/deals", KEY)
    keyed = {"properties": {**OPEN, "bnb_deal_key": "p1"}}
    api("POST", DEALS, keyed)

    assert api("POST", DEALS, keyed).json()["category"] == "VALIDATION_ERROR"
