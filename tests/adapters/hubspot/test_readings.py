from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connector.domain.errors import CrmDown, CrmRefused
from connector.ports import Crm, Held, Tie

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

API = "https://api.hubapi.com"
CONTACTS = f"{API}/crm/objects/2026-09/contacts"
READ = f"{CONTACTS}/batch/read"


def record(record_id: str, **properties: str | None) -> dict[str, Any]:
    return {"id": record_id, "properties": properties, "updatedAt": "2026-11-22T12:00:00.000Z"}


def test_a_portal_is_a_crm(portal: HubSpot) -> None:
    crm: Crm = portal

    assert crm.prove() == "4242"


def test_a_portal_without_an_id_proves_nothing(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(f"{API}/account-info/2026-09/details", json={})

    with pytest.raises(CrmDown):
        hubspot.prove()


def test_records_come_as_asked_and_missing_ones_are_left_out(twin: Twin, portal: HubSpot) -> None:
    ann, bob = twin.edit("contacts", email="ann@x.example"), twin.edit("contacts", firstname="Bob")

    found = portal.read("contact", [bob, "999", ann, bob], ["email"], [])

    assert [one.asked_id for one in found] == [bob, ann]
    assert [one.fields for one in found] == [{"email": ""}, {"email": "ann@x.example"}]
    assert found[0].stamp is not None
    assert found[0].created_at is not None


def test_history_comes_oldest_first_with_its_origin(twin: Twin, portal: HubSpot) -> None:
    ann = twin.edit("contacts", email="ann@x.example", lifecyclestage="lead")
    twin.edit("contacts", ann, lifecyclestage="customer")

    (found,) = portal.read("contact", [ann], ["email"], ["lifecyclestage"])

    past = found.history["lifecyclestage"]
    assert [held.value for held in past] == ["lead", "customer"]
    assert past[0].origin == "CRM_UI"
    assert past[0].when <= past[1].when  # type: ignore[operator]
    assert found.fields["lifecyclestage"] == "customer"


def test_a_merged_record_comes_under_the_id_that_was_asked_for(twin: Twin, portal: HubSpot) -> None:
    ids = [twin.edit("contacts", firstname=name) for name in ("Ann", "Anna", "Bob", "Bobby")]
    twin.merge("contacts", ids[0], ids[1])
    twin.merge("contacts", ids[2], ids[3])

    found = portal.read("contact", [ids[1], ids[3], ids[0]], ["firstname"], ["firstname"])

    pairs = [(one.asked_id, one.record_id) for one in found]
    assert pairs == [(ids[1], ids[0]), (ids[3], ids[2]), (ids[0], ids[0])]


def test_one_merged_record_costs_no_second_call(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(READ, json={"results": [record("9"), record("1")]})

    found = hubspot.read("contact", ["1", "5"], ["email"], [])

    assert [(one.asked_id, one.record_id) for one in found] == [("1", "1"), ("5", "9")]


def test_records_that_say_what_was_merged_into_them_cost_no_second_call(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    answered = [record("8", hs_merged_object_ids="2;1"), record("9", hs_merged_object_ids="3")]
    vendor.post(READ, json={"results": [*answered, record("4", hs_merged_object_ids=None)]})

    found = hubspot.read("contact", ["1", "2", "3", "4"], ["email"], [])

    pairs = [(one.asked_id, one.record_id) for one in found]
    assert pairs == [("1", "8"), ("2", "8"), ("3", "9"), ("4", "4")]
    assert found[0].fields == {"email": ""}


def test_an_id_that_no_answer_names_is_asked_for_singly(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(READ, json={"results": []})
    vendor.get(f"{CONTACTS}/5", json=record("9", email=None))
    vendor.get(f"{CONTACTS}/6", status=404)

    found = hubspot.read("contact", ["5", "6"], ["email"], [])

    assert [(one.asked_id, one.record_id) for one in found] == [("5", "9")]


def test_a_single_read_that_is_refused_says_so(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(READ, json={"results": []})
    vendor.get(f"{CONTACTS}/5", status=400)

    with pytest.raises(CrmRefused):
        hubspot.read("contact", ["5"], ["email"], [])


@pytest.mark.parametrize(("dated", "calls"), [([], 2), (["lifecyclestage"], 3)])
def test_a_call_reads_a_hundred_records_or_fifty_with_history(
    twin: Twin, portal: HubSpot, dated: list[str], calls: int
) -> None:
    ids = twin.seed(object="contacts", count=101, properties={"firstname": "n{n}"})

    assert len(portal.read("contact", ids, ["firstname"], dated)) == 101
    assert len([call for call in twin.ask("GET", "calls")["calls"] if call["inputs"]]) == calls


def test_a_server_without_history_gives_an_empty_past(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(READ, json={"results": [record("1", lifecyclestage="lead")]})

    (found,) = hubspot.read("contact", ["1"], [], ["lifecyclestage"])

    assert found.history == {"lifecyclestage": []}
    assert found.stamp == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_past_without_times_is_kept(vendor: RequestsMock, hubspot: HubSpot) -> None:
    entries = [{"value": None}, {"value": "a", "timestamp": 1742214467116}, {"timestamp": "x"}, 7]
    body = record("1") | {"propertiesWithHistory": {"stage": entries}}
    vendor.post(READ, json={"results": [body]})

    (found,) = hubspot.read("contact", ["1"], [], ["stage"])

    when = datetime(2025, 3, 17, 12, 27, 47, 116000, tzinfo=UTC)
    assert found.history["stage"] == [Held("", None), Held("", None), Held("a", when)]


def test_values_that_no_database_keeps_are_cleaned(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(READ, json={"results": [record("1", email="a\0b\ud800")]})

    assert hubspot.read("contact", ["1"], ["email"], [])[0].fields == {"email": "ab?"}


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [{"properties": {}}]}])
def test_an_answer_without_records_makes_no_sense(
    vendor: RequestsMock, hubspot: HubSpot, body: dict[str, Any]
) -> None:
    vendor.post(READ, json=body)

    with pytest.raises(CrmDown):
        hubspot.read("contact", ["1"], ["email"], [])


def test_pages_lead_through_every_record(twin: Twin, portal: HubSpot) -> None:
    ids = twin.seed(object="contacts", count=120, properties={"lifecyclestage": "lead"})

    first = portal.page("contact", None, ["email"], ["lifecyclestage"])
    second = portal.page("contact", first.after, ["email"], ["lifecyclestage"])
    third = portal.page("contact", second.after, ["email"], ["lifecyclestage"])

    found = [one.record_id for page in (first, second, third) for one in page.readings]
    assert sorted(found) == sorted(ids)
    assert third.after is None
    assert len(first.readings) == 50
    assert first.readings[0].history["lifecyclestage"][0].value == "lead"


def test_paging_that_stands_still_is_stopped(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(CONTACTS, json={"results": [], "paging": {"next": {"after": "7"}}})

    with pytest.raises(CrmDown):
        hubspot.page("contact", "7", [], [])


def test_ties_are_told_once_each_and_from_both_ends(twin: Twin, portal: HubSpot) -> None:
    ann, bob = twin.edit("contacts", firstname="Ann"), twin.edit("contacts", firstname="Bob")
    company = twin.edit("companies", name="Acme")
    deal = twin.deal([ann, bob], [company], dealname="Big")

    assert set(portal.ties("deal", [deal], "contact")) == {Tie(deal, ann), Tie(deal, bob)}
    assert portal.ties("contact", [ann], "deal") == [Tie(ann, deal)]
    assert portal.ties("deal", [deal], "company") == [Tie(deal, company)]
    assert portal.ties("contact", [bob], "company") == []
    assert portal.ties("contact", [], "company") == []


def test_ties_go_on_where_a_record_has_more(vendor: RequestsMock, hubspot: HubSpot) -> None:
    more = {"from": {"id": "1"}, "paging": {"next": {"after": "20"}}}
    url = f"{API}/crm/associations/2026-09/deals/contacts/batch/read"
    vendor.post(url, json={"results": [more | {"to": [{"toObjectId": 11}, {"toObjectId": 11}]}]})
    vendor.post(url, json={"results": [more | {"to": [{"id": "12"}]}, {}, {"to": [{}]}]})

    assert hubspot.ties("deal", ["1"], "contact") == [Tie("1", "11"), Tie("1", "12")]
    assert vendor.calls[1].request.body == b'{"inputs": [{"id": "1", "after": "20"}]}'
