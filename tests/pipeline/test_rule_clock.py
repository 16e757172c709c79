"""Rules that the CRM's fields and the clock set off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.domain.facts import ProfileId
from connector.domain.journeys import Visitor
from connector.pipeline.backtesting import backtest
from connector.pipeline.rule_clock import by_clock
from connector.pipeline.split import split
from connector.pipeline.turns import leased
from connector.store import rules as r
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.ruling import TWICE, Did, Ruling
from tests.pipeline.visitors import Site

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


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


def test_whose_time_is_learned_late_is_met_late(ruling: Ruling) -> None:
    site = Site(ruling.house)
    ruling.rule(trigger={"in_slot_for": "1h"})
    late = site.told("identity_conversion", 1, device_id="d1", email="ann@x.io")
    site.do("identity_conversion", 1.5, device_id="d2", email="bob@x.io")
    assert (tick(ruling, HOUR), site.slot("d2")) == (1, 6)

    site.tell([late])

    assert [tick(ruling, HOUR), tick(ruling, HOUR)] == [1, 0]
    assert site.slot("d1") == 6


def test_the_clock_says_no_once_for_a_time(ruling: Ruling) -> None:
    ruling.rule(trigger={"in_slot_for": "1h"}, conditions={"score_at_least": 9})
    ruling.person("ann")

    for _ in range(3):
        tick(ruling, HOUR)

    (counted,) = ruling.house.rows(r.refusal_day)
    assert (ruling.why("ann"), counted.number) == (["condition"], 1)


@pytest.mark.parametrize(("near", "far"), [("rul_a", "rul_b"), ("rul_b", "rul_a")])
def test_the_clock_goes_furthest_first(ruling: Ruling, near: str, far: str) -> None:
    ruling.rule(near, name="near", trigger={"in_slot_for": "3d"}, to=6)
    ruling.rule(far, name="far", trigger={"in_slot_for": "3d"}, to=4)
    ruling.person("ann")

    tick(ruling, 3 * DAY)

    assert ruling.moves("ann")[1:] == [(3, 4, "rule")]


@pytest.mark.parametrize("is_split", [False, True])
def test_nobody_counts_as_gone_while_what_they_did_waits(ruling: Ruling, *, is_split: bool) -> None:
    site = Site(ruling.house)
    ruling.rule(trigger={"inactive_for": "14d"})
    site.do("identity_conversion", device_id="d1", email="ann@x.io")
    ruling.house.clock.pass_(13 * DAY.total_seconds())
    site.keep([site.told("page_view", 13 * 24, device_id="d1")])
    if is_split:
        split(ruling.house.services)

    assert tick(ruling, 2 * DAY) == 0
    site.work()
    assert (tick(ruling, HOUR), site.slot("d1")) == (0, 3)


def test_the_clock_asks_before_it_waits_for_the_account(ruling: Ruling) -> None:
    ruling.rule(trigger={"in_slot_for": "3d"})
    ruling.person("ann")

    with leased(ruling.house.services, ACCOUNT):
        assert tick(ruling, DAY) == 0


def test_whom_the_clock_can_not_judge_holds_up_nobody(ruling: Ruling) -> None:
    ruling.rule(trigger={"in_slot_for": "3d"})
    for one in ("ann", "bob", "cy"):
        ruling.person(one)
    calls = iter(range(100))

    def breaks(prefix: str) -> str:
        if prefix == "stp" and next(calls) in {1, 3, 4}:  # bob, with both, one, none
            raise ZeroDivisionError
        return ruling.house.services.new_id(prefix)

    ruling.house.clock.pass_(3 * DAY.total_seconds())
    moved = by_clock(replace(ruling.house.services, new_id=breaks), ACCOUNT)

    assert moved == 2
    assert tick(ruling, HOUR) == 1


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


def test_a_field_that_a_new_contact_holds_moves_it(ruling: Ruling) -> None:
    ruling.rule(trigger={"field": "hs_lead_status", "becomes": "OPEN"})
    house = ruling.house

    house.crm.create("11", email="ann@x.io", lifecyclestage="lead", hs_lead_status="OPEN")
    house.sync()

    assert house.steps("11") == [(None, 3), (3, 6)]


def test_a_field_moves_nobody_about_whom_sales_says_no(ruling: Ruling) -> None:
    status = {"field": "hs_lead_status", "becomes": "UNQUALIFIED"}
    ruling.rule(trigger=status, cooldown="0m")
    house = ruling.house
    profile_id = lead(house, "11")

    house.crm.edit("11", hs_lead_status="UNQUALIFIED")
    house.sync()

    assert (house.slot("11"), ruling.why(profile_id)) == (3, ["said_no"])


def test_a_no_on_one_record_holds_whatever_is_said_on_another(ruling: Ruling) -> None:
    ruling.rule(to=7)
    house = ruling.house
    profile_id = lead(house, "11", email="ann@x.io")
    lead(house, "12", email="ann@x.io")
    house.crm.edit("11", hs_lead_status="UNQUALIFIED")
    house.crm.create("901", "deal", dealstage="appointment")
    house.crm.tie("901", "12")
    house.sync()
    house.clock.pass_(60)
    house.crm.edit("901", "deal", dealstage="closedlost")
    house.sync()

    ruling.happen(Did(profile_id, "look", house.clock.now()))

    assert house.profile("12").disposition == "lost"
    assert ruling.why(profile_id) == ["said_no"]


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


def test_a_backtest_of_a_rule_that_is_live_shows_what_it_did(ruling: Ruling) -> None:
    ruling.person("ann")
    rule = ruling.rule()
    ruling.happen(Did("ann", "look", ruling.house.clock.now()))

    number, found = backtest(ruling.house.services, ACCOUNT, rule.id, 90)

    assert [(rule.id, one.at) for one in found] == ruling.firings("ann")
    assert (number, found[0].start, found[0].became) == (1, 3, 6)


@pytest.mark.parametrize("cap", [None, 150])
def test_a_backtest_of_many_people_shows_the_first_in_time_and_keeps_the_cap(
    ruling: Ruling, cap: int | None
) -> None:
    start = ruling.house.clock.now()
    names = [f"p{n:03}" for n in range(230)]
    for name in names:
        ruling.person(name)
    ruling.house.clock.pass_(5 * DAY.total_seconds())
    looks = [Did(one, one, start + (300 - n) * MINUTE) for n, one in enumerate(names)]
    ruling.happen(*looks)
    rule = ruling.rule(daily_cap=cap)

    number, found = backtest(ruling.house.services, ACCOUNT, rule.id, 90)

    assert number == (cap or len(names))
    assert [one.profile_id for one in found] == names[::-1][:number]
