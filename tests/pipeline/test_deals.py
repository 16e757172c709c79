"""Deals make Customers of the people on them; companies are shown on theirs (DESIGN 4)."""

from __future__ import annotations

import pytest

from connector.domain.facts import ConnectionId, RecordKey
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, CONNECTION, House

OTHER = ConnectionId("con_2")


def test_a_won_deal_makes_customers_of_the_people_on_it_and_nobody_else(house: House) -> None:
    for one in ("11", "12", "13"):
        lead(house, one)
    house.crm.create("901", "deal", dealstage="appointment")
    house.crm.tie("901", "11")
    house.crm.tie("901", "12")
    house.sync()
    house.clock.pass_(60)

    house.crm.edit("901", "deal", dealstage="closedwon")
    won = house.clock.now()
    house.sync()

    assert [house.slot(one) for one in ("11", "12", "13")] == [8, 8, 3]
    assert house.profile("11").success_at == won


def test_a_win_without_a_person_goes_on_a_list_until_somebody_is_on_it(either: House) -> None:
    lead(either)
    for deal, stage in {"901": "closedwon", "902": "appointment", "903": "closedwon"}.items():
        either.crm.create(deal, "deal", dealstage=stage)
    either.crm.tie("903", "11")
    either.sync()
    assert either.wins() == ["901"]
    either.clock.pass_(60)

    either.crm.tie("901", "11")
    either.crm.tie("903", "11", present=False)
    either.sync()

    assert either.wins() == ["903"]


def test_a_won_deal_that_was_deleted_is_on_no_list(house: House) -> None:
    house.crm.create("901", "deal", dealstage="closedwon")
    house.sync()
    house.clock.pass_(60)

    house.crm.delete("901", "deal")
    house.sync()

    assert house.wins() == []


def test_a_deal_of_a_merged_record_goes_with_its_person(house: House) -> None:
    lead(house, "11")
    lead(house, "12", lifecyclestage="customer")
    house.crm.create("901", "deal")
    house.crm.tie("901", "12")
    house.sync()
    house.clock.pass_(5)
    house.crm.merge("12", "11")
    house.crm.edit("11", lifecyclestage="marketingqualifiedlead")
    house.sync()
    house.crm.edit("11", lifecyclestage="lead")
    house.sync()
    assert house.slot("11") == 3

    house.clock.pass_(5)
    house.crm.edit("901", "deal", dealstage="closedwon")
    house.sync()

    assert house.slot("11") == 8
    assert house.profile("11").success_at is not None


def test_a_person_tied_to_a_won_deal_later_is_a_customer(house: House) -> None:
    house.crm.create("901", "deal", dealstage="closedwon")
    house.sync()
    house.clock.pass_(60)
    lead(house)

    house.crm.tie("901", "11")
    house.sync()

    assert house.slot("11") == 8


def test_companies_are_nobody_s_profile(house: House) -> None:
    house.crm.create("501", "company", lifecyclestage="customer")

    house.sync()

    assert house.rows(t.profile) == []


def test_whose_company_it_is_comes_with_the_first_read_of_a_person(house: House) -> None:
    house.crm.create("501", "company", lifecyclestage="opportunity")
    house.crm.create("11", email="a@x.io", lifecyclestage="lead")
    house.crm.hire("11", "501")
    house.crm.rows = [row for row in house.crm.rows if "contact.creation" in str(row)]

    house.sync()
    house.sync()

    assert house.companies("11") == {"501": "opportunity"}
    assert house.slot("11") == 3


def test_who_leaves_a_company_is_shown_without_it(house: House) -> None:
    house.crm.create("501", "company", lifecyclestage="customer")
    lead(house)
    house.crm.hire("11", "501")
    house.sync()
    house.clock.pass_(60)

    house.crm.hire("11", "501", present=False)
    house.sync()

    assert house.companies("11") == {}


def test_a_company_s_news_loads_nobody_who_works_there(house: House) -> None:
    house.crm.create("501", "company", lifecyclestage="lead")
    lead(house)
    house.crm.hire("11", "501")
    house.sync()

    with house.store.reading() as unit:
        crowd = unit.crowd(ACCOUNT, {RecordKey(CONNECTION, "company", "501")})

    assert [key.object for key in crowd.records] == ["company"]


@pytest.mark.parametrize("late", [False, True])
def test_a_deal_read_without_somebody_deleted_undoes_no_win(house: House, late: bool) -> None:  # noqa: FBT001
    lead(house)
    house.crm.create("901", "deal")
    house.crm.tie("901", "11")
    house.sync()
    house.clock.pass_(3600)
    house.crm.delete("11")
    told = house.crm.told()
    if not late:
        house.hear(told)
    house.crm.tied.clear()
    house.crm.edit("901", "deal", dealstage="closedwon")
    house.sync()
    won = house.clock.now()

    house.clock.pass_(3600)
    look_again(house, "901")
    house.hear(told)

    assert house.slot("11") == 8
    success_at = house.profile("11").success_at
    assert success_at is not None
    assert success_at <= won


@pytest.mark.parametrize("late", [False, True])
def test_a_deal_read_after_a_merge_stays_the_survivor_s(house: House, late: bool) -> None:  # noqa: FBT001
    lead(house, "11")
    lead(house, "12")
    house.crm.create("901", "deal")
    house.crm.tie("901", "11")
    house.crm.tie("901", "12")
    house.sync()
    house.clock.pass_(3600)
    house.crm.merge("12", "11")
    told = house.crm.told()
    if not late:
        house.hear(told)
    house.crm.tied[:] = [("901", "11")]
    house.crm.edit("901", "deal", dealstage="closedwon")
    house.sync()

    house.clock.pass_(3600)
    look_again(house, "901")
    house.hear(told)
    house.sync()

    assert house.slot("11") == 8


def look_again(house: House, deal: str) -> None:
    """Have a deal read that we know already."""
    with house.store.writing() as unit:
        unit.ask([RecordKey(CONNECTION, "deal", deal)], house.clock.now())
    house.run()
