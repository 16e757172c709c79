from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api


@pytest.fixture
def pair(twin: "Twin") -> tuple[str, str]:
    return twin.edit("contacts", firstname="Ann"), twin.edit("companies", name="X")


def types(api: "Api", start: str, end: str) -> list[int]:
    [row] = api("GET", f"/crm/v4/objects/{start}/associations/{end}").json()["results"]
    return [one["typeId"] for one in row["associationTypes"]]


@pytest.mark.parametrize("root", ["/crm/v4/objects", "/crm/objects/2026-09"])
def test_a_default_association_is_seen_from_both_ends(
    api: "Api", pair: tuple[str, str], root: str
) -> None:
    ann, firm = pair

    path = f"{root}/contacts/{ann}/associations/default/companies/{firm}"
    assert api("PUT", path).status_code == 200
    assert types(api, f"contacts/{ann}", "companies") == [279]
    assert types(api, f"companies/{firm}", "contacts") == [280]


def test_a_primary_association_brings_the_plain_one(api: "Api", pair: tuple[str, str]) -> None:
    ann, firm = pair
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]

    path = f"/crm/v4/objects/contacts/{ann}/associations/companies/{firm}"
    assert api("PUT", path, spec).json()["labels"] == ["Primary"]
    assert types(api, f"contacts/{ann}", "companies") == [1, 279]
    assert types(api, f"companies/{firm}", "contacts") == [2, 280]


def test_a_contact_has_one_primary_company(api: "Api", twin: "Twin", pair: tuple[str, str]) -> None:
    ann, firm = pair
    other = twin.edit("companies", name="Y")
    for one in (firm, other):
        end = {"to_object": "companies", "to_id": one, "primary": True}
        twin.act("associate", {"object": "contacts", "id": ann, **end})

    assert types(api, f"companies/{firm}", "contacts") == [280]
    assert types(api, f"companies/{other}", "contacts") == [2, 280]
    assert twin.value("contacts", ann, "associatedcompanyid") == other


def test_a_label_of_ones_own_is_shown(api: "Api", twin: "Twin", pair: tuple[str, str]) -> None:
    twin.ask("POST", "labels", {"type_id": 36, "label": "Decision maker"})
    ann, firm = pair
    spec = [{"associationCategory": "USER_DEFINED", "associationTypeId": 36}]
    api("PUT", f"/crm/v4/objects/contacts/{ann}/associations/companies/{firm}", spec)

    [row] = api("GET", f"/crm/v4/objects/contacts/{ann}/associations/companies").json()["results"]
    assert row["associationTypes"][0]["label"] == "Decision maker"


def test_an_unknown_type_is_refused(api: "Api", pair: tuple[str, str]) -> None:
    ann, firm = pair
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]

    path = f"/crm/v4/objects/contacts/{ann}/associations/companies/{firm}"
    assert api("PUT", path, spec).status_code == 400


def test_an_association_can_be_removed(api: "Api", twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    deal = twin.deal([ann])

    path = f"/crm/objects/2026-09/deals/{deal}/associations/contacts"
    assert api("DELETE", f"{path}/{ann}").status_code == 204
    assert api("GET", path).json()["results"] == []


def test_batches_read_make_and_remove(api: "Api", twin: "Twin") -> None:
    ann, deal = twin.edit("contacts", firstname="Ann"), twin.deal([])
    root = "/crm/associations/2026-09/deals/contacts/batch"
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]
    ends = {"from": {"id": deal}, "to": {"id": ann}}
    made = api("POST", f"{root}/create", {"inputs": [{**ends, "types": spec}]})
    read = api("POST", f"{root}/read", {"inputs": [{"id": deal}]})

    assert made.status_code == 201
    assert read.json()["results"][0]["to"][0]["toObjectId"] == int(ann)
    api("POST", f"{root}/archive", {"inputs": [{**ends, "to": [{"id": ann}]}]})
    assert api("POST", f"{root}/read", {"inputs": [{"id": deal}]}).status_code == 207


def test_a_batch_read_holds_a_thousand(api: "Api") -> None:
    root = "/crm/v4/associations/deals/contacts/batch/read"
    ids = [{"id": str(n)} for n in range(1001)]

    assert api("POST", root, {"inputs": ids[:1000]}).status_code == 207
    assert api("POST", root, {"inputs": ids}).status_code == 400


def test_a_deal_may_bring_its_people(api: "Api", twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]
    body = {
        "properties": {"dealname": "D", "dealstage": "closedwon"},
        "associations": [{"to": {"id": ann}, "types": spec}],
    }
    deal = api("POST", "/crm/objects/2026-09/deals", body).json()["id"]

    found = api("GET", f"/crm/objects/2026-09/deals/{deal}", associations="contacts").json()
    assert [row["id"] for row in found["associations"]["contacts"]["results"]] == [ann]


def test_a_task_can_be_made_for_a_contact(api: "Api", twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]
    body = {
        "properties": {"hs_task_subject": "Call", "hs_timestamp": "2026-11-22T10:00:00Z"},
        "associations": [{"to": {"id": ann}, "types": spec}],
    }

    assert api("POST", "/crm/objects/2026-09/tasks", body).status_code == 201
    assert [row["object"] for row in twin.record("contacts", ann)["linked"]] == ["tasks"]
