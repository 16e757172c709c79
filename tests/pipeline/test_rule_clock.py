"""Rules that the CRM's fields and the clock set off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.facts import ProfileId
from connector.domain.journeys import Visitor
from connector.pipeline.backtesting import AT_ONCE, backtest
from connector.pipeline.rule_clock import by_clock
from connector.store import rules as r
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.ruling import TWICE, Did, Ruling

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ruling(house: House) -> Ruling:
    return Ruling(house)


def tick(ruling: Ruling, passed: timedelta) -> int:
    ruling.house.clock.pass_(passed.total_seconds())
    return by_clock(ruling.house.services, ACCOUNT)


def test_who_stands_in_a_slot_for_so_long_is_moved_when_the_time_has_come(ruling: Ruling) -> None:
    ruling.rule(trigger={"in_slot_for": "3d"})
    ruling.person("ann")

    assert [tick(ruling, 2 * DAY), tick(ruling, DAY - HOUR), tick(ruling, HOUR)] == [0, 0, 1]
    assert ruling.slot("ann") == 6
    ((_, at),) = ruling.firings("ann")
    assert at == ruling.house.clock.now()
    assert tick(ruling, DAY) == 0


def test_a_new_rule_moves_nobody_whose_time_came_before_it(ruling: Ruling) -> None:
    ruling.person("ann")
    ruling.house.clock.pass_(4 * DAY.total_seconds())

    ruling.rule(trigger={"in_slot_for": "3d"})

    assert (tick(ruling, DAY), ruling.slot("ann"), ruling.why("ann")) == (0, 3, [])


def test_more_people_than_a_page_holds_are_each_met_once(ruling: Ruling) -> None:
    ruling.rule(trigger={"in_slot_for": "12h"})
    names = [f"p{n:03}" for n in range(230)]
    for name in names:
        ruling.person(name)

    moved = tick(ruling, DAY)

    assert moved == len(names)
    assert len(ruling.house.rows(r.firing)) == len(names)
    assert tick(ruling, DAY) == 0


def test_who_does_nothing_for_so_long_is_moved(ruling: Ruling) -> None:
    ruling.rule(trigger={"inactive_for": "36h"}, cooldown="0m")
    ruling.person("ann")
    ruling.known(Visitor(ProfileId("ann"), last_at=ruling.house.clock.now()))

    assert [tick(ruling, DAY), tick(ruling, 12 * HOUR)] == [0, 1]
    assert ruling.slot("ann") == 6


def test_a_field_that_takes_a_value_moves_whom_the_record_is_of(ruling: Ruling) -> None:
    ruling.rule(trigger={"field": "hs_lead_status", "becomes": "OPEN"}, cooldown="0m")
    house = ruling.house
    lead(house, "11")

    house.crm.edit("11", hs_lead_status="NEW")
    house.sync()
    assert house.slot("11") == 3

    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()
    assert house.slot("11") == 6
    assert [move.actor for move in house.moves("11")][-1] == "rule"


def test_a_field_moves_nobody_about_whom_sales_says_no(ruling: Ruling) -> None:
    status = {"field": "hs_lead_status", "becomes": "UNQUALIFIED"}
    ruling.rule(trigger=status, cooldown="0m")
    house = ruling.house
    profile_id = lead(house, "11")

    house.crm.edit("11", hs_lead_status="UNQUALIFIED")
    house.sync()

    assert (house.slot("11"), ruling.why(profile_id)) == (3, ["said_no"])


def test_a_backtest_says_who_would_have_moved_when_and_what_they_became(ruling: Ruling) -> None:
    ruling.person("ann")
    ruling.person("bob")
    start = ruling.house.clock.now()
    ruling.house.clock.pass_(5 * DAY.total_seconds())
    views = [("ann", 1), ("ann", 2), ("ann", 3), ("bob", 1), ("bob", 20)]
    ruling.happen(*(Did(one, f"{one}{n}", start + n * HOUR) for one, n in views))
    ruling.house.move("ann", 8)
    rule = ruling.rule(conditions={"all": [TWICE]})

    number, found = backtest(ruling.house.services, ACCOUNT, rule.id, 90)

    assert number == 2
    assert [(one.profile_id, one.at, one.start, one.to, one.became) for one in found] == [
        ("ann", start + 2 * HOUR, 3, 6, 8),
        ("bob", start + 20 * HOUR, 3, 6, 3),
    ]
    assert (ruling.firings("ann"), ruling.firings("bob")) == ([], [])


def test_a_backtest_of_many_goes_through_them_page_by_page(ruling: Ruling) -> None:
    names = [f"p{number:03}" for number in range(AT_ONCE + 5)]
    for name in names:
        ruling.person(name)
    ruling.house.clock.pass_(DAY.total_seconds())
    now = ruling.house.clock.now()
    ruling.happen(*(Did(one, f"{one}{n}", now - n * HOUR) for one in names for n in (1, 2)))
    rule = ruling.rule(conditions={"all": [TWICE]})
    number, found = backtest(ruling.house.services, ACCOUNT, rule.id, 90)
    capped = ruling.rule(rule.id, conditions={"all": [TWICE]}, daily_cap=len(names))

    assert [one.profile_id for one in found] == names
    assert (number, found) == backtest(ruling.house.services, ACCOUNT, capped.id, 90)
