import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

SEARCH = "/crm/objects/2026-09/contacts/search"


def where(name: str, operator: str, **more: Any) -> dict[str, Any]:
    one = {"propertyName": name, "operator": operator, **more}
    return {"filterGroups": [{"filters": [one]}]}


def cities(reply: Any) -> list[str]:
    return sorted(row["properties"]["city"] or "" for row in reply.json()["results"])


@pytest.mark.parametrize(
    ("operator", "more", "found"),
    [
        ("EQ", {"value": "rome"}, ["Rome"]),
        ("NEQ", {"value": "Rome"}, ["", "Bonn", "Paris"]),
        ("LT", {"value": "Paris"}, ["Bonn"]),
        ("LTE", {"value": "Paris"}, ["Bonn", "Paris"]),
        ("GT", {"value": "Paris"}, ["Rome"]),
        ("GTE", {"value": "Paris"}, ["Paris", "Rome"]),
        ("BETWEEN", {"value": "Bonn", "highValue": "Paris"}, ["Bonn", "Paris"]),
        ("IN", {"values": ["rome", "bonn"]}, ["Bonn", "Rome"]),
        ("NOT_IN", {"values": ["rome", "bonn"]}, ["", "Paris"]),
        ("HAS_PROPERTY", {}, ["Bonn", "Paris", "Rome"]),
        ("NOT_HAS_PROPERTY", {}, [""]),
        ("CONTAINS_TOKEN", {"value": "*ari*"}, ["Paris"]),
        ("NOT_CONTAINS_TOKEN", {"value": "ari"}, ["", "Bonn", "Rome"]),
    ],
)
def test_each_operator_finds_its_records(
    api: "Api", twin: "Twin", operator: str, more: dict[str, Any], found: list[str]
) -> None:
    for city in ("Rome", "Bonn", "Paris", ""):
        twin.edit("contacts", firstname="A", city=city)

    reply = api("POST", SEARCH, {**where("city", operator, **more), "properties": ["city"]})
    assert cities(reply) == found


def test_groups_are_alternatives_and_filters_must_all_hold(api: "Api", twin: "Twin") -> None:
    for city, name in (("Rome", "Ann"), ("Rome", "Bob"), ("Bonn", "Bob")):
        twin.edit("contacts", firstname=name, city=city)

    both = where("city", "EQ", value="Rome")["filterGroups"][0]["filters"]
    both += where("firstname", "EQ", value="Bob")["filterGroups"][0]["filters"]
    other = where("city", "EQ", value="Bonn")["filterGroups"]
    body = {"filterGroups": [{"filters": both}, *other]}
    assert api("POST", SEARCH, body).json()["total"] == 2


def test_changed_records_are_found_in_order_of_change(api: "Api", twin: "Twin") -> None:
    [new] = twin.seed(modified_at="2026-03-01", first=1)
    [old] = twin.seed(modified_at="2026-02-01", first=2)
    twin.seed(modified_at="2026-01-01", first=3)

    body = where("lastmodifieddate", "GTE", value="1769904000000")
    sorts = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    reply = api("POST", SEARCH, {**body, "sorts": sorts})
    assert [row["id"] for row in reply.json()["results"]] == [old, new]


def test_there_is_nothing_past_ten_thousand_results(api: "Api", twin: "Twin") -> None:
    twin.seed(count=10_050)

    last = api("POST", SEARCH, {"limit": 100, "after": "9900"})
    assert (last.json()["total"], len(last.json()["results"])) == (10_050, 100)
    after = last.json()["paging"]["next"]["after"]
    assert api("POST", SEARCH, {"limit": 100, "after": after}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"filterGroups": [{"filters": []}] * 6},
        where("city", "LIKE", value="x"),
        where("nothing", "HAS_PROPERTY"),
        where("city", "IN", value="x"),
        {"query": "x" * 3000},
    ],
)
def test_too_much_or_unknown_is_refused(api: "Api", body: dict[str, Any]) -> None:
    assert api("POST", SEARCH, body).status_code == 400


def test_search_has_a_bucket_of_its_own(api: "Api") -> None:
    replies = [api("POST", SEARCH, {}) for _ in range(6)]

    assert [one.status_code for one in replies] == [200] * 5 + [429]
    assert not any("X-HubSpot-RateLimit-Max" in one.headers for one in replies)
    assert api("GET", "/account-info/v3/details").status_code == 200


def test_the_index_lags_behind(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann", city="Rome")
    time.sleep(0.35)
    twin.settings(index_lag_seconds=0.3)
    api.patch(ann, city="Bonn")

    assert api("POST", SEARCH, where("city", "EQ", value="Bonn")).json()["total"] == 0
    old = api("POST", SEARCH, {"properties": ["city"]})
    assert cities(old) == ["Rome"]
    time.sleep(0.35)
    assert api("POST", SEARCH, where("city", "EQ", value="Bonn")).json()["total"] == 1


def test_a_query_looks_into_the_usual_properties(api: "Api") -> None:
    api.contact(email="ann@x.example")

    assert api("POST", SEARCH, {"query": "ann@"}).json()["total"] == 1
