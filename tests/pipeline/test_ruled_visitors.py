"""Rules over visitors whose events come in by the front door."""

from __future__ import annotations

import pytest

from connector.store import rules as r
from connector.store.sql import add
from connector.store.tables_journeys import visitor
from tests.pipeline.house import ACCOUNT, START, House
from tests.pipeline.ruling import Ruling
from tests.pipeline.visitors import Site

PRICES = "https://example.com/pricing"


@pytest.fixture
def ruling(house: House) -> Ruling:
    return Ruling(house)


@pytest.fixture
def site(house: House) -> Site:
    return Site(house)


def test_an_event_that_joins_somebody_to_an_older_visitor_sets_off(
    ruling: Ruling, site: Site
) -> None:
    ruling.rule()
    site.do("page_view", 0, device_id="d1")
    site.do("identity_conversion", 1, device_id="d2", user_id="u1", email="ann@x.io")

    site.do("page_view", 2, device_id="d1", user_id="u1", url=PRICES)

    assert site.path("d1") == [(None, 1), (1, 3), (3, 6)]


def test_a_rule_sees_a_sign_in_as_the_one_who_signs_in(ruling: Ruling, site: Site) -> None:
    ruling.rule(
        trigger={"event": "authentication"}, conditions={"profile": "known", "is": "verified"}
    )

    site.do("authentication", device_id="d1", user_id="u1", email="ann@x.io")

    assert site.path("d1") == [(None, 3), (3, 6)]


def test_a_rule_sees_the_origin_of_the_first_visit_however_late_it_comes(
    ruling: Ruling, site: Site
) -> None:
    ruling.rule(conditions={"origin": "utm_source", "is": "partner"})
    site.do("page_view", 0, device_id="d1")
    first = site.told("page_view", 5, device_id="d1", origin={"utm_source": "partner"})
    site.do(
        "identity_conversion",
        10,
        device_id="d1",
        email="ann@x.io",
        origin={"utm_source": "google"},
    )

    seen = site.told("page_view", 11, device_id="d1", url=PRICES)
    site.tell([seen, first])

    (known,) = site.house.rows(visitor)
    assert known.origin == {"utm_source": "partner"}
    assert site.slot("d1") == 6


def test_the_noes_of_unknown_visitors_are_counted_each(ruling: Ruling, site: Site) -> None:
    ruling.rule()

    for hour in range(3):
        site.do("page_view", hour, device_id="d1", url=PRICES)

    (counted,) = site.house.rows(r.refusal_day)
    assert (counted.why, counted.number) == ("unknown_person", 3)
    assert site.house.rows(r.refusal) == []


def test_a_new_rule_moves_nobody_for_what_came_in_before_it(ruling: Ruling, site: Site) -> None:
    site.do("identity_conversion", 0, device_id="d1", email="ann@x.io")
    site.do("page_view", 1, device_id="d1", url=PRICES)
    site.house.clock.pass_(86400)

    ruling.rule()
    site.do("page_view", 48, device_id="d1", url="https://x.io/other")

    assert site.slot("d1") == 3


def test_a_rule_judges_what_comes_in_after_it_whenever_that_happened(
    ruling: Ruling, site: Site
) -> None:
    site.do("identity_conversion", 0, device_id="d1", email="ann@x.io")
    late = site.told("page_view", 1, device_id="d1", url=PRICES)
    site.house.clock.pass_(86400)

    ruling.rule()
    site.tell([late])

    assert site.slot("d1") == 6


def test_a_rule_judges_a_change_of_a_field_that_it_learns_of(ruling: Ruling) -> None:
    house = ruling.house
    house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    house.sync()
    house.crm.edit("11", hs_lead_status="OPEN")
    house.clock.pass_(3600)

    ruling.rule(trigger={"field": "hs_lead_status", "becomes": "OPEN"})
    house.sync()

    assert house.slot("11") == 6


def test_a_rule_that_this_code_can_not_read_stops_nobody_else(ruling: Ruling, site: Site) -> None:
    ruling.rule()
    site.do("identity_conversion", 0, device_id="d1", email="ann@x.io")
    strange = {"name": "x", "trigger": {"moon_is": "full"}, "to": 6}
    row = {"account_id": ACCOUNT, "id": "rul_x", "version": 1, "document": strange, "since": START}
    with ruling.house.store.writing() as unit:
        add(unit.tx, r.rule, [row])

    site.do("page_view", 1, device_id="d1", url=PRICES)

    assert site.slot("d1") == 6
