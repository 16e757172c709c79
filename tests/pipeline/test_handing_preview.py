from __future__ import annotations

from dataclasses import replace

from connector.mapping.document import preset
from connector.mapping.handoff import AssignOwner
from connector.pipeline.previewing import Would, preview
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.house import House

MQL = "marketingqualifiedlead"


def shown(house: House, most: int = 50) -> list[Would]:
    return preview(house.services, house.connection(), "", most)[0]


def fill_in(house: House) -> None:
    own = preset("hubspot").handoff
    house.remap(handoff=replace(own, assign_owner=AssignOwner(owners=("7", "8"))))


def test_what_is_off_is_shown_as_it_would_be(house: House) -> None:
    fill_in(house)
    lead(house)
    lead(house, "12")

    told = [(one.record_id, str(one.part), one.fields) for one in shown(house)]

    assert told == [
        ("11", "status", {"hs_lead_status": "NEW"}),
        ("11", "owner", {"hubspot_owner_id": "7"}),
        ("12", "status", {"hs_lead_status": "NEW"}),
        ("12", "owner", {"hubspot_owner_id": "8"}),
    ]
    assert not any(one.enabled for one in shown(house))


def test_a_preview_writes_nothing_and_takes_no_turn(house: House) -> None:
    fill_in(house)
    lead(house)

    shown(house)
    house.sync()

    assert house.crm.calls == []
    assert house.rows(t.handoff) == house.rows(t.metadata.tables["turn"]) == []


def test_an_mql_shows_its_deal_and_its_task(house: House) -> None:
    fill_in(house)
    lead(house, lifecyclestage=MQL)

    deal, task = shown(house)

    assert deal.fields["lifecyclestage"] == "salesqualifiedlead"
    assert deal.when == "its lead status becomes CONNECTED"
    assert task.at is not None
    assert task.at > house.clock.now()


def test_bad_timing_shows_that_it_will_go_back(house: House) -> None:
    fill_in(house)
    lead(house, lifecyclestage=MQL, hs_lead_status="BAD_TIMING")

    assert "recycle" in {str(one.part) for one in shown(house)}


def test_the_system_has_no_way_back_from_the_custom_slot(house: House) -> None:
    fill_in(house)
    house.move(lead(house, lifecyclestage=MQL, hs_lead_status="BAD_TIMING"), 7)

    assert shown(house) == []


def test_the_stage_is_never_shown_to_go_back(house: House) -> None:
    fill_in(house)
    house.move(lead(house, lifecyclestage="opportunity"), 6)

    deal, _ = shown(house)

    assert "lifecyclestage" not in deal.fields


def test_of_two_records_the_oldest_is_shown(house: House) -> None:
    fill_in(house)
    lead(house, "12")
    lead(house, "11", email="p12@x.io")

    assert {one.record_id for one in shown(house)} == {"12"}


def test_nobody_in_slot_10_is_shown(house: House) -> None:
    fill_in(house)
    lead(house, hs_email_optout="true")

    assert shown(house) == []


def test_a_page_counts_profiles(house: House) -> None:
    fill_in(house)
    for one in ("11", "12"):
        lead(house, one)

    _, after = preview(house.services, house.connection(), "", 1)
    rest, end = preview(house.services, house.connection(), after or "", 1)

    assert {one.record_id for one in rest} == {"12"}
    assert end is None
