from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connector.adapters.hubspot.fields import definition
from connector.domain.errors import CrmDown, CrmRefused
from connector.mapping.own_names import DEAL_KEYS
from connector.ports import DealDraft, Owner, OwnField, TaskDraft

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot

CRM = "https://api.hubapi.com/crm"
OBJECTS = f"{CRM}/objects/2026-09"
TIES = f"{CRM}/associations/2026-09"
MADE = f"{OBJECTS}/deals/hof_1"
DRAFT = DealDraft(
    "contact", "11", "Acme", "default", "appointment", "42", {"dealtype": "newbusiness"}
)
TASK = TaskDraft("contact", "11", "Call", datetime(2026, 5, 2, 9, tzinfo=UTC), "42")
STAGES = [
    {"id": "appointment", "metadata": {"probability": "0.2", "isClosed": "false"}},
    {"id": "closedwon", "metadata": {"probability": "1.0", "isClosed": "true"}},
]
MISSING = {"status": "error", "category": "OBJECT_NOT_FOUND"}
TAKEN = {"status": "error", "category": "CONFLICT"}


def sent(vendor: RequestsMock, place: int = -1) -> dict[str, Any]:
    body: Any = vendor.calls[place].request.body
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


def tied(vendor: RequestsMock, path: str, *goals: str, types: tuple[int, ...] = (279,)) -> None:
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": one, "label": None} for one in types]
    to = [{"toObjectId": int(one), "associationTypes": kinds} for one in goals]
    vendor.post(f"{TIES}/{path}/batch/read", json={"results": [{"from": {"id": "11"}, "to": to}]})


def portal_with(vendor: RequestsMock, deals: dict[str, str]) -> None:
    rows = [{"id": one, "properties": {"dealstage": stage}} for one, stage in deals.items()]
    vendor.post(f"{OBJECTS}/deals/batch/read", json={"results": rows})
    vendor.get(f"{CRM}/pipelines/2026-09/deals", json={"results": [{"stages": STAGES}]})


def test_a_deal_is_made_with_its_key_and_its_tie(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{OBJECTS}/deals", json={"id": "901", "properties": {}}, status=201)

    assert hubspot.create_deal(DRAFT, "hof_1") == "901"

    assert sent(vendor) == {
        "properties": {
            "dealname": "Acme",
            "pipeline": "default",
            "dealstage": "appointment",
            "dealtype": "newbusiness",
            "hubspot_owner_id": "42",
            DEAL_KEYS["hubspot"]: "hof_1",
        },
        "associations": [
            {
                "to": {"id": "11"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
            }
        ],
    }


@pytest.mark.parametrize("status", [400, 409])
def test_a_deal_that_its_key_made_already_is_found(
    vendor: RequestsMock, hubspot: HubSpot, status: int
) -> None:
    vendor.post(f"{OBJECTS}/deals", json=TAKEN, status=status)
    vendor.get(MADE, json={"id": "901", "properties": {}})

    assert hubspot.create_deal(DRAFT, "hof_1") == "901"


def test_a_deal_that_lacks_what_the_portal_wants_is_refused(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(f"{OBJECTS}/deals", json={"category": "VALIDATION_ERROR"}, status=400)
    vendor.get(MADE, json=MISSING, status=404)

    with pytest.raises(CrmRefused, match="VALIDATION_ERROR"):
        hubspot.create_deal(DRAFT, "hof_1")


def test_a_deal_is_read_by_its_key_and_not_searched_for(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.get(MADE, json={"id": "901", "properties": {}})

    assert hubspot.deal_made("hof_1") == "901"

    assert "idProperty=bnb_handoff_key" in str(vendor.calls[-1].request.url)


def test_a_key_that_made_nothing_finds_nothing(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(MADE, json=MISSING, status=404)

    assert hubspot.deal_made("hof_1") == ""


def test_the_oldest_open_deal_of_a_person_is_theirs(vendor: RequestsMock, hubspot: HubSpot) -> None:
    tied(vendor, "contacts/deals", "1001", "902", "901", types=(4,))
    tied(vendor, "contacts/companies")
    portal_with(vendor, {"901": "closedwon", "902": "appointment", "1001": "appointment"})

    assert hubspot.open_deal("contact", "11") == "902"


def test_an_open_deal_of_the_primary_company_counts_and_of_no_other(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    tied(vendor, "contacts/deals")
    tied(vendor, "contacts/companies", "701", types=(279, 1))
    tied(vendor, "companies/deals", "901", types=(342,))
    portal_with(vendor, {"901": "appointment"})

    assert hubspot.open_deal("contact", "11") == "901"


def test_a_company_that_is_not_the_primary_one_is_not_asked(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    tied(vendor, "contacts/deals")
    tied(vendor, "contacts/companies", "701")

    assert hubspot.open_deal("contact", "11") == ""


def test_an_open_deal_is_tied_to_whom_it_is_about(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{TIES}/deals/contacts/batch/create", json={"results": []}, status=201)

    hubspot.tie_deal("901", "contact", "11")

    (one,) = sent(vendor)["inputs"]
    assert (one["from"], one["to"]) == ({"id": "901"}, {"id": "11"})
    assert one["types"][0]["associationTypeId"] == 3


def test_a_task_is_made_for_the_owner_with_its_tie(vendor: RequestsMock, hubspot: HubSpot) -> None:
    tied(vendor, "contacts/tasks")
    vendor.post(f"{OBJECTS}/tasks", json={"id": "77", "properties": {}}, status=201)

    assert hubspot.add_task(TASK, "hof_2") == "77"

    made = sent(vendor)
    assert made["properties"]["hs_timestamp"] == "2026-05-02T09:00:00.000+00:00"
    assert made["properties"]["hubspot_owner_id"] == "42"
    assert made["associations"][0]["types"][0]["associationTypeId"] == 204


def test_a_task_that_its_key_made_already_is_found(vendor: RequestsMock, hubspot: HubSpot) -> None:
    tied(vendor, "contacts/tasks", "76", "77", types=(203,))
    bodies = {"76": "something else", "77": "Bread & Butter, hof_2"}
    rows = [{"id": one, "properties": {"hs_task_body": body}} for one, body in bodies.items()]
    vendor.post(f"{OBJECTS}/tasks/batch/read", json={"results": rows})

    assert hubspot.add_task(TASK, "hof_2") == "77"


def test_an_answer_without_an_id_is_no_deal(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(f"{OBJECTS}/deals", json={"properties": {}}, status=201)

    with pytest.raises(CrmDown):
        hubspot.create_deal(DRAFT, "hof_1")


def test_owners_who_left_say_so(vendor: RequestsMock, hubspot: HubSpot) -> None:
    rows = [
        {"id": "7", "email": "a@x.io", "userId": 1, "userIdIncludingInactive": 1},
        {"id": "8", "email": "b@x.io", "userId": None, "userIdIncludingInactive": 2},
        {"id": "9", "email": "c@x.io", "archived": True, "userId": 3},
        {"id": "10", "email": "queue", "type": "QUEUE"},
    ]
    vendor.get(f"{CRM}/owners/2026-09", json={"results": rows})

    assert [one.id for one in hubspot.owners() if one.active] == ["7", "10"]
    assert hubspot.owners()[0] == Owner("7", "a@x.io")


def test_the_field_that_marks_a_deal_is_a_unique_one_of_deals(portal: HubSpot) -> None:
    key = OwnField("bnb_handoff_key", "Hand-off", "text", object="deal", unique=True)

    steps = portal.install([key], apply=False)

    assert definition(key)["hasUniqueValue"] is True
    assert [step.what for step in steps] == [
        "group breadbutter",
        "group breadbutter of deals",
        "field bnb_handoff_key",
    ]
