from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.ports import Happening

if TYPE_CHECKING:
    from tests.api.conftest import Door

CONTRACT = {
    *("id", "slot", "slot_label", "slot_since", "disposition", "score", "score_state"),
    *("probability", "percentile", "reasons", "emails", "records"),
}


def ids(answer: list[dict[str, str]]) -> list[str]:
    return [item["id"] for item in answer]


def test_a_lead_is_shown_as_the_contract_says(door: Door) -> None:
    profile = door.get(f"profiles/{door.lead()}").json

    assert profile.keys() >= CONTRACT
    assert (profile["slot"], profile["slot_label"]) == (3, "Qualified Lead")
    assert profile["slot_since"].endswith("Z")
    assert (profile["score"], profile["score_state"]) == (None, "no_journey")
    assert profile["reasons"] == []
    assert profile["emails"] == ["ann@example.com"]


def test_the_records_behind_a_profile_come_with_it(door: Door) -> None:
    door.tell("101", email="ann@example.com", lifecyclestage="lead", hubspot_owner_id="7")

    profile = door.get("profiles?record_id=101").json["items"][0]

    assert profile["records"] == [
        {
            "connection_id": door.connection_id,
            "system": "hubspot",
            "object": "contact",
            "record_id": "101",
            "lifecycle_stage": "lead",
            "lead_status": None,
            "owner_id": "7",
            "claimed_slot": None,
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        "email=%20ANN@Example.com",
        "slot=6",
        "record_id=101&object=contact",
        "connection_id=con_ours&slot=6",
        "slot=6&email=&limit=200",
    ],
)
def test_a_profile_is_found_by(door: Door, query: str) -> None:
    door.lead("102", "bob@example.com")
    ann = door.lead("101", "ann@example.com")
    door.tell("101", lifecyclestage="marketingqualifiedlead")

    found = door.get(f"profiles?{query}").json["items"]

    if "connection" not in query:
        assert ids(found) == [ann]
    assert ann in ids(found)


@pytest.mark.parametrize(
    "query", ["email=no@example.com", "object=lead", "slot=9", "device_id=d", "min_score=1"]
)
def test_what_nobody_has_finds_nobody(door: Door, query: str) -> None:
    door.lead()

    assert door.get(f"profiles?{query}").json == {"items": [], "next_cursor": None}


def test_pages_follow_each_other_without_gap_or_overlap(door: Door) -> None:
    made = {door.lead(str(n), f"p{n}@example.com") for n in range(101, 106)}

    cursor, seen = "", []
    while cursor is not None:
        page = door.get(f"profiles?limit=2&cursor={cursor}").json
        seen += ids(page["items"])
        cursor = page["next_cursor"]

    assert len(seen) == 5
    assert set(seen) == made


def test_a_joined_profile_answers_with_the_survivor(door: Door) -> None:
    older, younger = door.lead("101", "ann@example.com"), door.lead("102", "bob@example.com")

    door.tell("102", email="ann@example.com")

    assert door.get(f"profiles/{younger}").json["id"] == older
    assert len(door.get(f"profiles/{older}").json["records"]) == 2
    assert ids(door.get("profiles").json["items"]) == [older]


def test_a_customer_shows_since_when(door: Door) -> None:
    profile_id = door.lead()

    door.tell("101", lifecyclestage="customer")

    profile = door.get(f"profiles/{profile_id}").json
    assert profile["slot"] == 8
    assert profile["success_at"] == profile["slot_since"]


def test_another_accounts_profile_is_not_found(door: Door, other: Door) -> None:
    theirs = other.lead()

    assert door.get("profiles").json["items"] == []
    for path in (f"profiles/{theirs}", f"profiles/{theirs}/moves"):
        assert door.get(path).status_code == 404
    for act, body in (("move", {"slot": 6}), ("erase", {}), ("reconsent", {"reason": "x"})):
        assert door.post(f"profiles/{theirs}/{act}", body).status_code == 404
    assert other.get(f"profiles/{theirs}").json["slot"] == 3


def test_a_company_is_shown_on_its_people_and_finds_them(door: Door) -> None:
    ann = door.lead()
    door.lead("102", "bob@example.com")
    door.keep("501", Happening.CHANGED, "company", field="lifecyclestage", value="customer")
    door.keep("101", Happening.LINKED, to_object="company", to_id="501", present=True)
    door.drain()

    found = door.get("profiles?object=company&record_id=501").json["items"]

    assert ids(found) == [ann]
    assert [(r["object"], r["lifecycle_stage"]) for r in found[0]["records"]] == [
        ("contact", "lead"),
        ("company", "customer"),
    ]
