from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

CONTACTS = "/crm/objects/2026-09/contacts"


@pytest.mark.parametrize("third", [False, True])
def test_both_ids_find_the_survivor_under_its_own_id(
    api: "Api", twin: "Twin", *, third: bool
) -> None:
    twin.settings(merge_makes_new_id=third)
    ann, old = api.contact(email="a@x.example"), api.contact(email="old@x.example")

    body = {"primaryObjectId": ann, "objectIdToMerge": old}
    survivor = api("POST", f"{CONTACTS}/merge", body).json()["id"]
    assert (survivor not in {ann, old}) is third
    assert {api("GET", f"{CONTACTS}/{one}").json()["id"] for one in (ann, old)} == {survivor}


@pytest.mark.parametrize("third", [False, True])
def test_a_merge_keeps_addresses_gaps_and_the_furthest_stage(twin: "Twin", *, third: bool) -> None:
    twin.settings(merge_makes_new_id=third)
    ann = twin.edit("contacts", email="a@x.example", city="Rome")
    old = twin.edit(
        "contacts", email="o@x.example", city="Bonn", zip="1", lifecyclestage="customer"
    )

    found = twin.record("contacts", twin.merge("contacts", ann, old))["properties"]
    assert (found["city"], found["zip"], found["lifecyclestage"]) == ("Rome", "1", "customer")
    assert (found["email"], found["hs_additional_emails"]) == ("a@x.example", "o@x.example")


def test_a_merged_address_finds_the_survivor(api: "Api", twin: "Twin") -> None:
    ann, old = api.contact(email="a@x.example"), api.contact(email="o@x.example")
    twin.merge("contacts", ann, old)

    assert api("GET", f"{CONTACTS}/o@x.example", idProperty="email").json()["id"] == ann


def test_a_batch_read_of_both_ids_answers_once(api: "Api", twin: "Twin") -> None:
    ann, old = twin.seed(count=2)
    twin.merge("contacts", ann, old)

    reply = api("POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": old}, {"id": ann}]})
    assert [row["id"] for row in reply.json()["results"]] == [ann]


def test_a_merge_takes_the_associations_along(twin: "Twin") -> None:
    ann, old = (
        twin.edit("contacts", email="a@x.example"),
        twin.edit("contacts", email="o@x.example"),
    )
    deal = twin.deal([old])
    twin.merge("contacts", ann, old)

    assert [row["id"] for row in twin.record("contacts", ann)["linked"]] == [deal]
    assert [row["id"] for row in twin.record("deals", deal)["linked"]] == [ann]


def test_a_record_cannot_be_merged_with_what_is_not_there(api: "Api", twin: "Twin") -> None:
    [ann] = twin.seed()

    body = {"primaryObjectId": ann, "objectIdToMerge": "99"}
    assert api("POST", f"{CONTACTS}/merge", body).status_code == 404
