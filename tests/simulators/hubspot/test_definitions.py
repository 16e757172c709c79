from typing import TYPE_CHECKING, Any

import pytest
from hubspot import Client
from hubspot.crm.properties import Option, PropertyCreate, PropertyGroupCreate, PropertyUpdate
from hubspot.crm.properties.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.hubspot.testing import Twin

    from .conftest import Api

PROPERTIES = "/crm/properties/2026-09/contacts"
SCORE = {
    "name": "bnb_lead_score",
    "label": "Lead score",
    "type": "number",
    "fieldType": "number",
    "groupName": "contactinformation",
}


@pytest.fixture
def sdk(twin: "Twin") -> Any:
    return Client(access_token=twin.token, host=twin.url)


def test_the_sdk_makes_a_group_and_a_property(sdk: Any) -> None:
    properties = sdk.crm.properties
    group = PropertyGroupCreate(name="breadbutter", label="Bread & Butter", display_order=1)
    properties.groups_api.create("contacts", group)
    slot = PropertyCreate(
        name="bnb_lead_slot",
        label="Slot",
        type="enumeration",
        field_type="select",
        group_name="breadbutter",
        options=[Option(value="8", label="Customer", hidden=False)],
    )
    properties.core_api.create("contacts", slot)

    found = properties.core_api.get_by_name("contacts", "bnb_lead_slot")
    assert (found.group_name, found.options[0].label) == ("breadbutter", "Customer")
    assert found.modification_metadata.read_only_value is False


def test_the_sdk_renames_an_option_and_archives_the_property(sdk: Any, api: "Api") -> None:
    api("POST", PROPERTIES, {**SCORE, "type": "enumeration", "fieldType": "select"})
    core = sdk.crm.properties.core_api
    option = Option(value="8", label="Won", display_order=0, hidden=False)
    core.update("contacts", "bnb_lead_score", PropertyUpdate(options=[option]))

    assert core.get_by_name("contacts", "bnb_lead_score").options[0].label == "Won"
    core.archive("contacts", "bnb_lead_score")
    names = [one.name for one in core.get_all("contacts").results]
    assert "bnb_lead_score" not in names


def test_the_sdk_sees_the_conflict(sdk: Any, api: "Api") -> None:
    api("POST", PROPERTIES, SCORE)
    same = PropertyCreate(
        name="bnb_lead_score",
        label="Score",
        type="number",
        field_type="number",
        group_name="contactinformation",
    )

    with pytest.raises(ApiException) as caught:
        sdk.crm.properties.core_api.create("contacts", same)
    assert caught.value.status == 409


def test_the_sdk_reads_owners_and_pipelines(sdk: Any) -> None:
    owners = sdk.crm.owners.owners_api.get_page().results
    [sales] = sdk.crm.pipelines.pipelines_api.get_all("deals").results

    assert [one.user_id for one in owners] == [9001, 9002]
    won = [one.id for one in sales.stages if one.metadata["probability"] == "1.0"]
    assert won == ["closedwon"]


def test_a_name_that_exists_conflicts(api: "Api") -> None:
    api("POST", PROPERTIES, SCORE)

    reply = api("POST", PROPERTIES, SCORE)
    assert (reply.status_code, reply.json()["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert reply.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"


def test_an_archived_name_comes_back_with_its_values(api: "Api") -> None:
    api("POST", PROPERTIES, SCORE)
    ann = api.contact(firstname="Ann", bnb_lead_score="8")
    path = f"/crm/objects/2026-09/contacts/{ann}"
    api("DELETE", f"{PROPERTIES}/bnb_lead_score")
    hidden = api("GET", path, properties="bnb_lead_score").json()["properties"]

    assert api("POST", PROPERTIES, SCORE).status_code == 201
    shown = api("GET", path, properties="bnb_lead_score").json()["properties"]
    assert "bnb_lead_score" not in hidden
    assert shown["bnb_lead_score"] == "8"


@pytest.mark.parametrize("lacking", ["name", "label", "type", "fieldType", "groupName"])
def test_a_property_needs_five_things(api: "Api", lacking: str) -> None:
    body = {name: value for name, value in SCORE.items() if name != lacking}

    assert api("POST", PROPERTIES, body).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"groupName": "nothing"}, {"type": "text"}, {"fieldType": "slider"}, {"name": "Ä"}]
)
def test_a_property_must_be_possible(api: "Api", wrong: dict[str, str]) -> None:
    assert api("POST", PROPERTIES, {**SCORE, **wrong}).status_code == 400


def test_a_group_that_exists_conflicts(api: "Api") -> None:
    body = {"name": "contactinformation", "label": "x"}

    assert api("POST", f"{PROPERTIES}/groups", body).status_code == 409


def test_a_group_with_properties_stays(api: "Api") -> None:
    api("POST", f"{PROPERTIES}/groups", {"name": "breadbutter", "label": "B"})
    api("POST", PROPERTIES, {**SCORE, "groupName": "breadbutter"})

    assert api("DELETE", f"{PROPERTIES}/groups/breadbutter").status_code == 400
    api("DELETE", f"{PROPERTIES}/bnb_lead_score")
    assert api("DELETE", f"{PROPERTIES}/groups/breadbutter").status_code == 204
    assert api("GET", f"{PROPERTIES}/groups/breadbutter").status_code == 404


def test_what_hubspot_defines_stays(api: "Api") -> None:
    assert api("DELETE", f"{PROPERTIES}/lifecyclestage").status_code == 400


def test_a_number_must_be_one(api: "Api") -> None:
    api("POST", PROPERTIES, SCORE)
    body = {"properties": {"firstname": "Ann", "bnb_lead_score": "high"}}

    [error] = api("POST", "/crm/objects/2026-09/contacts", body).json()["errors"]
    assert error["code"] == "INVALID_NUMBER"


def test_a_unique_value_has_one_owner(api: "Api") -> None:
    unique = {**SCORE, "type": "string", "fieldType": "text", "hasUniqueValue": True}
    api("POST", PROPERTIES, unique)
    ann = api.contact(firstname="Ann", bnb_lead_score="p1")

    body = {"properties": {"firstname": "Bob", "bnb_lead_score": "p1"}}
    refused = api("POST", "/crm/objects/2026-09/contacts", body)
    assert (refused.status_code, refused.json()["category"]) == (409, "CONFLICT")
    assert refused.json()["message"].endswith(f"Existing ID: {ann}")
    path = "/crm/objects/2026-09/contacts/p1"
    assert api("GET", path, idProperty="bnb_lead_score").json()["id"] == ann


def test_definitions_come_in_batches(api: "Api") -> None:
    made = api("POST", f"{PROPERTIES}/batch/create", {"inputs": [SCORE]})
    read = api("POST", f"{PROPERTIES}/batch/read", {"inputs": [{"name": "bnb_lead_score"}]})
    gone = api("POST", f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "bnb_lead_score"}]})

    assert (made.status_code, len(read.json()["results"]), gone.status_code) == (201, 1, 204)
    assert api("GET", f"{PROPERTIES}/bnb_lead_score").status_code == 404


def test_an_owner_has_two_ids(api: "Api") -> None:
    by_user = api("GET", "/crm/owners/2026-09/9001", idProperty="userId").json()
    by_email = api("GET", "/crm/owners/2026-09", email="ada@owners.example").json()["results"]

    assert [one["id"] for one in (by_user, *by_email)] == ["71001", "71001"]
    assert api("GET", "/crm/owners/2026-09/9001").status_code == 404


def test_the_lifecycle_is_the_contacts_pipeline(api: "Api") -> None:
    [found] = api("GET", "/crm/pipelines/2026-09/contacts").json()["results"]

    assert found["id"] == "contacts-lifecycle-pipeline"
    assert [stage["id"] for stage in found["stages"]][:2] == ["subscriber", "lead"]


def test_a_pipeline_of_ones_own_has_its_own_won_stage(api: "Api", twin: "Twin") -> None:
    stages = [{"label": "Signed", "stageId": "77", "metadata": {"probability": "1.0"}}]
    made = api("POST", "/crm/pipelines/2026-09/deals", {"label": "Renewals", "stages": stages})
    values = {"dealname": "D", "pipeline": made.json()["id"], "dealstage": "77"}
    deal = api("POST", "/crm/objects/2026-09/deals", {"properties": values}).json()["id"]

    assert twin.value("deals", deal, "hs_is_closed_won") == "true"


def test_a_deal_stage_must_exist(api: "Api") -> None:
    body = {"properties": {"dealname": "D", "dealstage": "won"}}

    assert api("POST", "/crm/objects/2026-09/deals", body).status_code == 400


def test_other_owners_may_be_set(start: "Callable[..., Twin]", login: "Callable[..., Api]") -> None:
    twin = start()
    twin.ask("PUT", "owners", {"owners": [{"id": 5, "email": "x@x.example", "userId": 6}]})

    [found] = login(twin)("GET", "/crm/v3/owners/").json()["results"]
    assert (found["id"], found["userId"]) == ("5", 6)
