from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

CONTACTS = "/crm/objects/2026-09/contacts"


@pytest.mark.parametrize(
    "root", ["/crm/v3/objects", "/crm/objects/2026-09", "/crm/objects/2027-03"]
)
@pytest.mark.parametrize("name", ["contacts", "contact", "0-1"])
def test_old_and_dated_paths_serve_the_same_record(api: "Api", root: str, name: str) -> None:
    ann = api.contact(email="ann@x.example")

    assert api("GET", f"{root}/{name}/{ann}").json()["properties"]["email"] == "ann@x.example"


@pytest.mark.parametrize("path", ["/crm/objects/latest/contacts", "/oauth/v1/token", "/nothing"])
def test_a_path_that_hubspot_lacks_is_not_found(api: "Api", path: str) -> None:
    assert api("POST", path).status_code == 404


def test_a_new_contact_is_a_lead(api: "Api") -> None:
    ann = api.contact(firstname="Ann")

    found = api("GET", f"{CONTACTS}/{ann}", properties="lifecyclestage").json()
    assert found["properties"]["lifecyclestage"] == "lead"


def test_a_stage_given_at_creation_is_kept(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    assert [past["value"] for past in twin.history("contacts", ann, "lifecyclestage")] == [
        "customer"
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [("contacts", {"phone": "1"}), ("companies", {"phone": "1"}), ("deals", {"dealname": "D"})],
)
def test_a_record_needs_its_minimum(api: "Api", name: str, values: dict[str, str]) -> None:
    assert api("POST", f"/crm/objects/2026-09/{name}", {"properties": values}).status_code == 400


def test_a_second_contact_of_an_address_conflicts_and_names_the_first(api: "Api") -> None:
    ann = api.contact(email="ann@x.example")

    reply = api("POST", CONTACTS, {"properties": {"email": "ANN@x.example"}})
    assert (reply.status_code, reply.json()["category"]) == (409, "CONFLICT")
    assert reply.json()["message"].endswith(f"Existing ID: {ann}")


def test_an_additional_address_conflicts_too(api: "Api") -> None:
    api.contact(email="ann@x.example", hs_additional_emails="ann@home.example;a@b.example")

    reply = api("POST", CONTACTS, {"properties": {"email": "ann@home.example"}})
    assert reply.status_code == 409


def test_a_contact_cannot_take_anothers_address(api: "Api") -> None:
    api.contact(email="ann@x.example")
    bob = api.contact(email="bob@x.example")

    body = {"properties": {"email": "ann@x.example"}}
    assert api("PATCH", f"{CONTACTS}/{bob}", body).status_code == 409


def test_companies_of_one_domain_are_not_deduplicated(api: "Api") -> None:
    body = {"properties": {"domain": "x.example"}}

    statuses = [api("POST", "/crm/v3/objects/companies", body).status_code for _ in range(2)]
    assert statuses == [201, 201]


def test_a_contact_is_found_by_its_address(api: "Api") -> None:
    ann = api.contact(email="ann@x.example")

    found = api("GET", f"{CONTACTS}/Ann@x.example", idProperty="email").json()
    assert found["id"] == ann


def test_every_value_is_a_string_and_the_empty_one_clears(api: "Api") -> None:
    ann = api.contact(firstname="Ann", closedate="2026-03-01")

    api.patch(ann, firstname="")
    found = api("GET", f"{CONTACTS}/{ann}", properties="firstname,closedate").json()["properties"]
    assert (found["firstname"], found["closedate"]) == (None, "2026-03-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("nothing", "1", "PROPERTY_DOESNT_EXIST"),
        ("hs_email_optout", "true", "READ_ONLY_VALUE"),
        ("hs_v2_date_entered_customer", "1", "READ_ONLY_VALUE"),
        ("lifecyclestage", "Customer", "INVALID_OPTION"),
        ("email", "ann", "INVALID_EMAIL"),
        ("hubspot_owner_id", "9001", "INVALID_OWNER_ID"),
        ("closedate", "soon", "INVALID_DATE"),
    ],
)
def test_a_refused_value_is_named(api: "Api", name: str, value: str, code: str) -> None:
    ann = api.contact(firstname="Ann")

    reply = api("PATCH", f"{CONTACTS}/{ann}", {"properties": {name: value, "city": "Rome"}})
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["code"]) == (400, code)
    assert error["context"] == {"propertyName": [name]}


def test_a_refused_value_leaves_the_others_unwritten(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann")

    api("PATCH", f"{CONTACTS}/{ann}", {"properties": {"city": "Rome", "nothing": "1"}})
    assert twin.value("contacts", ann, "city") is None


def test_history_says_who_wrote_what(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann")
    twin.act("edit", {"id": ann, "properties": {"firstname": "Anne"}, "user_id": 7})

    found = api("GET", f"{CONTACTS}/{ann}", propertiesWithHistory="firstname").json()
    new, old = found["propertiesWithHistory"]["firstname"]
    assert (new["value"], new["sourceType"], new["sourceId"]) == ("Anne", "CRM_UI", "userId:7")
    assert new["updatedByUserId"] == 7
    assert (old["value"], old["sourceType"], old["sourceId"]) == ("Ann", "INTEGRATION", "1001")


def test_an_edit_can_be_dated_back(twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    past = {"id": ann, "properties": {"firstname": "Old"}, "at": "2026-01-02T03:04:05.678Z"}
    twin.act("edit", past)

    told = twin.history("contacts", ann, "firstname")
    assert [one["value"] for one in told] == ["Ann", "Old"]
    assert told[1]["timestamp"] == "2026-01-02T03:04:05.678Z"


def test_contacts_have_their_own_name_for_the_modified_time(api: "Api", twin: "Twin") -> None:
    ann, firm = api.contact(firstname="Ann"), twin.edit("companies", name="X")

    contact = api("GET", f"{CONTACTS}/{ann}").json()
    company = api("GET", f"/crm/v3/objects/companies/{firm}").json()
    assert contact["properties"]["lastmodifieddate"] == contact["updatedAt"]
    assert company["properties"]["hs_lastmodifieddate"] == company["updatedAt"]


def test_a_list_is_read_page_by_page(api: "Api", twin: "Twin") -> None:
    ids = twin.seed(count=5)
    seen: list[str] = []
    after = "0"
    while after:
        page = api("GET", CONTACTS, limit=2, after=after).json()
        seen += [row["id"] for row in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")

    assert seen == ids


def test_a_page_holds_at_most_a_hundred(api: "Api") -> None:
    assert api("GET", CONTACTS, limit=101).status_code == 400


def test_properties_may_be_asked_for_one_by_one_or_with_commas(api: "Api") -> None:
    ann = api.contact(firstname="Ann", city="Rome", zip="1")

    found = api("GET", f"{CONTACTS}/{ann}", properties=["city,zip", "firstname", "nothing"]).json()
    asked = {"city", "zip", "firstname"}
    assert found["properties"].keys() - asked == {"createdate", "hs_object_id", "lastmodifieddate"}


def test_an_archived_record_is_gone_until_it_is_restored(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")

    assert api("DELETE", f"{CONTACTS}/{ann}").status_code == 204
    assert api("GET", f"{CONTACTS}/{ann}").status_code == 404
    assert api("GET", f"{CONTACTS}/{ann}", archived="true").json()["archivedAt"]
    twin.restore("contacts", ann)
    assert api("GET", f"{CONTACTS}/{ann}").json()["archived"] is False


def test_an_archived_contact_frees_its_address(api: "Api") -> None:
    ann = api.contact(email="ann@x.example")
    api("DELETE", f"{CONTACTS}/{ann}")

    assert api.contact(email="ann@x.example") != ann


def test_a_privacy_deletion_is_for_good(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")

    body = {"objectId": "ann@x.example", "idProperty": "email"}
    assert api("POST", f"{CONTACTS}/gdpr-delete", body).status_code == 204
    assert api("GET", f"{CONTACTS}/{ann}", archived="true").status_code == 404
    assert "ann@x.example" in twin.world.portal.blocked


def test_a_required_property_is_enforced_on_new_paths_only(api: "Api", twin: "Twin") -> None:
    twin.settings(required_properties={"contacts": ["phone"]})
    body = {"properties": {"firstname": "Ann"}}

    refused = api("POST", CONTACTS, body)
    assert refused.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"
    assert api("POST", "/crm/v3/objects/contacts", body).status_code == 201
