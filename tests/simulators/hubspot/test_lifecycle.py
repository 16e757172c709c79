from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

CONTACTS = "/crm/objects/2026-09/contacts"


def test_a_backward_write_answers_200_keeps_the_stage_and_touches_the_record(
    api: "Api", twin: "Twin"
) -> None:
    [ann] = twin.seed(properties={"lifecyclestage": "customer"}, modified_at="2026-01-01")

    answered = api.patch(ann, lifecyclestage="lead")
    assert answered["properties"]["lifecyclestage"] == "customer"
    assert answered["updatedAt"] > "2026-01-01T00:00:00.000Z"
    assert [row["applied"] for row in twin.writes(ann)] == [False]


def test_clearing_first_lets_the_stage_go_back(api: "Api") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    api.patch(ann, lifecyclestage="")
    assert api.patch(ann, lifecyclestage="lead")["properties"]["lifecyclestage"] == "lead"


def test_a_batch_keeps_the_stage_too(api: "Api") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    rows = [{"id": ann, "properties": {"lifecyclestage": "lead"}}]
    [row] = api("POST", f"{CONTACTS}/batch/update", {"inputs": rows}).json()["results"]
    assert row["properties"]["lifecyclestage"] == "customer"


def test_a_person_may_go_back_in_one_step(twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann", lifecyclestage="customer")
    twin.edit("contacts", ann, lifecyclestage="lead")

    told = [one["value"] for one in twin.history("contacts", ann, "lifecyclestage")]
    assert told == ["lead", "customer"]


def test_the_user_interface_may_be_made_to_clear_first(twin: "Twin") -> None:
    twin.settings(ui_back_clears_first=True)
    ann = twin.edit("contacts", firstname="Ann", lifecyclestage="customer")
    twin.edit("contacts", ann, lifecyclestage="lead")

    told = [one["value"] for one in twin.history("contacts", ann, "lifecyclestage")]
    assert told == ["lead", "", "customer"]


def test_entering_a_stage_is_dated(api: "Api") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    names = ["hs_v2_date_entered_customer", "closedate", "createdate"]
    found = api("GET", f"{CONTACTS}/{ann}", properties=names).json()["properties"]
    assert found["hs_v2_date_entered_customer"] == found["closedate"] == found["createdate"]


def test_clearing_the_stage_loses_its_dates(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    api.patch(ann, lifecyclestage="")
    assert twin.value("contacts", ann, "hs_v2_date_entered_customer") is None


def test_the_order_of_stages_is_the_portals(api: "Api") -> None:
    rows = ["customer", "1234567", "lead"]
    options = [{"value": one, "label": one, "displayOrder": n} for n, one in enumerate(rows)]
    api("PATCH", "/crm/properties/2026-09/contacts/lifecyclestage", {"options": options})
    ann = api.contact(firstname="Ann", lifecyclestage="customer")

    assert api.patch(ann, lifecyclestage="1234567")["properties"]["lifecyclestage"] == "1234567"
    assert api.patch(ann, lifecyclestage="customer")["properties"]["lifecyclestage"] == "1234567"


def test_a_custom_stage_gets_its_date_property(api: "Api") -> None:
    options = [{"value": "1234567", "label": "Own", "displayOrder": 0}]
    api("PATCH", "/crm/properties/2026-09/contacts/lifecyclestage", {"options": options})
    ann = api.contact(firstname="Ann", lifecyclestage="1234567")

    name = "hs_v2_date_entered_1234567"
    found = api("GET", f"{CONTACTS}/{ann}", properties=name).json()
    assert found["properties"][name]


@pytest.mark.parametrize(("switched", "stage"), [(False, "lead"), (True, "customer")])
def test_a_won_deal_makes_customers_where_it_is_switched_on(
    twin: "Twin", *, switched: bool, stage: str
) -> None:
    twin.settings(deal_won_makes_customers=switched)
    ann = twin.edit("contacts", email="ann@x.example")
    deal = twin.deal([ann])
    twin.edit("deals", deal, dealstage="closedwon")

    assert twin.value("contacts", ann, "lifecyclestage") == stage


def test_automation_says_so_in_the_history(twin: "Twin") -> None:
    twin.settings(deal_won_makes_customers=True)
    ann = twin.edit("contacts", email="ann@x.example")
    twin.deal([ann], dealstage="closedwon")

    assert twin.history("contacts", ann, "lifecyclestage")[0]["sourceType"] == "DEALS"


def test_automation_never_goes_back(twin: "Twin") -> None:
    twin.settings(deal_created_makes_opportunities=True)
    ann = twin.edit("contacts", email="ann@x.example", lifecyclestage="customer")
    bob = twin.edit("contacts", email="bob@x.example")
    twin.deal([ann, bob])

    stages = [twin.value("contacts", one, "lifecyclestage") for one in (ann, bob)]
    assert stages == ["customer", "opportunity"]


def test_a_companys_stage_reaches_its_people_where_it_is_switched_on(twin: "Twin") -> None:
    twin.settings(company_stage_reaches_contacts=True)
    ann, firm = twin.edit("contacts", email="a@x.example"), twin.edit("companies", name="X")
    ends = {"object": "contacts", "id": ann, "to_object": "companies", "to_id": firm}
    twin.act("associate", ends)
    twin.edit("companies", firm, lifecyclestage="customer")

    assert twin.value("contacts", ann, "lifecyclestage") == "customer"


def test_a_won_deal_says_that_it_is(twin: "Twin") -> None:
    deal = twin.deal([], dealstage="closedwon")

    assert twin.value("deals", deal, "hs_is_closed_won") == "true"
    assert twin.value("deals", deal, "closedate")
