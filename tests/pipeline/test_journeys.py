"""Visitors' events find their profile, and the system moves it (DESIGN 3 and 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.visiting import Capture
from connector.pipeline.housekeeping import keep_house
from connector.pipeline.operating import Choice, replay
from connector.pipeline.services import Visiting
from connector.pipeline.split import split
from connector.store import tables as t
from connector.store.tables_journeys import day, visitor
from tests.pipeline.acts import lead
from tests.pipeline.conftest import Build
from tests.pipeline.house import ACCOUNT, START, House
from tests.pipeline.visitors import Site


@pytest.fixture
def site(either: House) -> Site:
    return Site(either)


def test_an_unknown_visitor_is_anonymous(site: Site) -> None:
    site.do("page_view", device_id="d1", url="https://x.io/")

    assert site.slot("d1") == 1
    assert site.path("d1") == [(None, 1)]
    assert [row.profile_id for row in site.kept()] == [site.whose("d1")]


def test_an_event_counts_once_however_often_it_comes(site: Site) -> None:
    told = site.told("page_view", device_id="d1")

    site.tell([told, told])
    site.tell([told, site.told("page_view", 1, device_id="d1")])

    assert len(site.kept()) == 2


def test_a_shown_reward_incentivizes_and_its_end_leads_back(site: Site) -> None:
    site.do("page_view", device_id="d1")
    site.do("incentive_offered", 1, device_id="d1")
    assert site.slot("d1") == 2

    site.do("incentive_dismissed", 2, device_id="d1")

    assert site.path("d1") == [(None, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("known", "why"), [("verified", "incentive_claimed"), ("identified", "identity")]
)
def test_a_reward_is_claimed_by_a_sign_in_only(site: Site, known: str, why: str) -> None:
    site.do("incentive_offered", device_id="d1")

    site.do("incentive_claimed", 1, device_id="d1", email="ann@x.io", known=known)

    assert site.house.ledger(site.whose("d1"))[-1].reason == why


def test_a_reward_ends_by_the_clock(site: Site) -> None:
    site.do("incentive_offered", device_id="d1")
    site.house.clock.pass_(14 * 86400 - 1)
    site.work()
    assert site.slot("d1") == 2

    site.house.clock.pass_(2)
    site.work()

    assert site.slot("d1") == 1
    moved = site.house.ledger(site.whose("d1"))[-1].occurred_at
    assert moved == START + timedelta(days=14)


def test_a_reward_shown_again_lasts_as_long_again_also_where_it_is_heard_of_late(
    site: Site,
) -> None:
    site.do("incentive_offered", device_id="d1")
    site.house.clock.pass_(15 * 86400)
    site.work()
    assert site.slot("d1") == 1

    site.do("incentive_offered", 10 * 24, device_id="d1")

    assert site.slot("d1") == 2
    site.house.clock.pass_(10 * 86400)
    site.work()
    assert site.slot("d1") == 1
    assert site.house.ledger(site.whose("d1"))[-1].occurred_at == START + timedelta(days=24)


def test_a_claim_counts_with_a_verified_sign_in_only(site: Site) -> None:
    site.do("incentive_offered", device_id="d1")
    site.do("incentive_claimed", 1, device_id="d1")
    assert site.slot("d1") == 2

    site.do("incentive_claimed", 2, device_id="d1", user_id="u1", known="verified")

    assert site.path("d1") == [(None, 1), (1, 2), (2, 3)]


def test_a_typed_address_qualifies(site: Site) -> None:
    site.do("identity_conversion", device_id="d1", email="ann@x.io")

    assert site.path("d1") == [(None, 3)]
    assert [one.id for one in site.found(email="ann@x.io")] == [site.whose("d1")]


def test_where_only_a_sign_in_qualifies_a_typed_address_does_not(build: Build) -> None:
    site = Site(build(visiting=Visiting(capture=Capture.PROVEN)))
    site.do("identity_conversion", device_id="d1", email="ann@x.io")
    assert site.slot("d1") == 1

    site.do("verified_conversion", 1, device_id="d1", email="ann@x.io")

    assert site.slot("d1") == 3


def test_who_typed_an_address_before_that_qualified_does_so_by_the_next_event(
    build: Build,
) -> None:
    house = build(visiting=Visiting(capture=Capture.PROVEN))
    site = Site(house)
    site.do("identity_conversion", device_id="d1", email="ann@x.io")
    object.__setattr__(house.services, "visiting", Visiting())

    site.do("form_submitted", 1, device_id="d1", email="ann@x.io")

    assert site.slot("d1") == 3


def test_a_late_identification_brings_the_anonymous_past_along(site: Site) -> None:
    site.do("page_view", device_id="laptop")
    site.do("page_view", 1, device_id="phone")
    older = site.whose("laptop")

    site.do("identity_conversion", 2, device_id="phone", email="ann@x.io")
    site.do("identity_conversion", 3, device_id="laptop", email="ann@x.io")

    assert site.whose("laptop") == site.whose("phone") == older
    assert site.path("phone") == [(None, 1), (1, 3)]
    assert {row.profile_id for row in site.kept()} == {older}
    assert len(site.profiles()) == 1


def test_a_lead_of_the_crm_is_found_by_its_address(site: Site) -> None:
    profile = lead(site.house, email="ann@x.io")

    site.do("page_view", -48, device_id="d1")
    site.do("form_submitted", 1, device_id="d1", email="ann@x.io")

    assert site.whose("d1") == profile
    assert site.slot("d1") == 3
    assert site.house.profile_of("11") == profile


def test_a_record_that_turns_up_finds_the_visitor_who_typed_its_address(site: Site) -> None:
    site.do("identity_conversion", device_id="d1", email="p11@x.io")
    visitor = site.whose("d1")

    lead(site.house, lifecyclestage="marketingqualifiedlead")

    assert site.house.profile_of("11") == visitor == site.whose("d1")
    assert site.slot("d1") == 6


def test_two_who_own_records_are_not_joined_by_what_was_typed(site: Site) -> None:
    ann, bob = lead(site.house, "11"), lead(site.house, "12")
    site.do("verified_conversion", device_id="d1", email="p11@x.io")

    site.do("identity_conversion", 1, device_id="d1", email="p12@x.io")

    assert site.whose("d1") == ann
    assert [one.id for one in site.found(email="p12@x.io")] == [bob]
    assert {row.profile_id for row in site.kept()} == {ann, bob}


def test_a_typed_address_of_nobody_yet_stays_apart_from_who_owns_records(site: Site) -> None:
    ann = lead(site.house, "11")
    site.do("verified_conversion", device_id="d1", email="p11@x.io")
    site.do("identity_conversion", 1, device_id="d1", email="p12@x.io")

    bob = lead(site.house, "12")

    assert bob != ann
    assert site.whose("d1") == ann


def test_a_sign_in_joins_two_who_own_records(site: Site) -> None:
    ann, bob = lead(site.house, "11"), lead(site.house, "12")
    site.do("verified_conversion", user_id="u1", email="p11@x.io")

    site.do("authentication", 1, user_id="u1", email="p12@x.io")

    assert site.house.profile_of("11") == site.house.profile_of("12")
    assert {one.id for one in site.profiles()} == {min(ann, bob)}


def test_somebody_else_at_the_same_device_is_somebody_else(site: Site) -> None:
    site.do("verified_conversion", device_id="d1", email="ann@x.io")
    ann = site.whose("d1")

    site.do("verified_conversion", 1, device_id="d1", email="bob@x.io")

    assert [one.id for one in site.found(email="ann@x.io")] == [ann]
    assert [one.id for one in site.found(email="bob@x.io")] != [ann]


def test_a_verified_opt_out_counts_for_good(site: Site) -> None:
    site.do("verified_conversion", device_id="d1", email="ann@x.io")

    site.do("opt_out", 1, device_id="d1", email="ann@x.io", known="verified")
    site.do("page_view", 2, device_id="d1")

    assert site.path("d1") == [(None, 3), (3, 10)]


def test_who_is_in_slot_10_stays_there_when_joined(site: Site) -> None:
    site.do("opt_out", device_id="d1", known="verified")

    site.do("verified_conversion", 1, user_id="u1", email="ann@x.io")
    site.do("page_view", 2, device_id="d1", user_id="u1")

    assert len(site.profiles()) == 1
    assert site.slot("d1") == 10


def test_a_stage_set_in_the_platform_is_a_persons_move(site: Site) -> None:
    site.house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    site.house.sync()
    site.do("identity_conversion", device_id="d1", email="ann@x.io")

    site.do("stage_changed", 1, device_id="d1", lead_stage=6)
    site.house.run()

    assert site.slot("d1") == 6
    assert site.house.ledger(site.whose("d1"))[-1].actor == "platform"
    assert site.house.crm.value("11", "lifecyclestage") == "marketingqualifiedlead"


@pytest.mark.parametrize("stage", [1, 2, 11, None])
def test_a_stage_that_is_no_persons_to_give_changes_nothing(site: Site, stage: int | None) -> None:
    site.do("identity_conversion", device_id="d1", email="ann@x.io")

    site.do("stage_changed", 1, device_id="d1", lead_stage=stage)

    assert site.slot("d1") == 3


def test_the_echo_of_our_own_move_moves_nobody(site: Site) -> None:
    site.do("identity_conversion", device_id="d1", email="ann@x.io")

    echo = {"id_of_move": "bnb_move_7"}
    site.do("stage_changed", 1, device_id="d1", lead_stage=6, more=echo)

    assert site.slot("d1") == 3


def test_bots_are_not_kept(site: Site) -> None:
    site.do("page_view", device_id="d1", client={"is_bot": "true"})
    site.do("page_view", device_id="d2", client={"user_agent": "Googlebot/2.1"})

    assert site.kept() == []
    assert site.profiles() == []


def test_more_of_one_type_than_a_day_may_have_is_not_kept(build: Build) -> None:
    site = Site(build(visiting=Visiting(per_day=3)))
    site.tell([site.told("page_view", n / 10, device_id="d1") for n in range(5)])
    site.tell([site.told("page_view", 1, device_id="d1"), site.told("custom", 1, device_id="d1")])
    site.tell([site.told("page_view", 24, device_id="d1")])

    assert len(site.kept()) == 5
    days = [row.counts for row in site.house.rows(day)]
    assert days == [{"page_view": 3, "custom": 1}, {"page_view": 1}]


def test_the_first_origin_stays_whatever_comes_later_or_late(site: Site) -> None:
    for hour, source in ((5, "ads"), (9, "mail"), (1, "partner"), (3, "late")):
        site.do("page_view", hour, device_id="d1", origin={"utm_source": source})

    (known,) = site.house.rows(visitor)
    assert known.origin == {"utm_source": "partner"}
    assert known.first_at == START + timedelta(hours=1)
    assert known.last_at == START + timedelta(hours=9)


def test_an_event_that_breaks_the_batch_is_put_aside_alone(site: Site) -> None:
    tall = site.told("page_view", 1, device_id="d1", key="poison", origin={"utm_source": 1})
    wrong = tall | {"device_id": {"not": "a text"}}

    site.tell([site.told("page_view", device_id="d1"), wrong, site.told("custom", device_id="d2")])

    assert len(site.profiles()) == 2
    assert [row.key for row in site.kept(profile_id=None)] == ["poison"]
    assert site.kept(profile_id=None)[0].reason


def test_an_entry_that_is_no_event_is_parked_and_the_rest_flows(site: Site) -> None:
    site.tell([{"key": "k", "type": "page_view"}, site.told("page_view", device_id="d1")])

    assert site.slot("d1") == 1
    assert len(site.house.rows(t.event, state="parked")) == 1
    assert {row.body for row in site.house.rows(t.delivery)} == {None}


def test_whoever_sweeps_finds_journeys_that_wait_and_rewards_that_ended(site: Site) -> None:
    site.keep([site.told("incentive_offered", device_id="d1")])
    split(site.house.services)
    assert due(site) == [("drain", ACCOUNT)]
    site.work()
    assert due(site) == []

    site.house.clock.pass_(15 * 86400)

    assert due(site) == [("drain", ACCOUNT)]


def due(site: Site) -> list[tuple[str, str]]:
    now, lasts = site.house.clock.now(), site.house.services.visiting.reward_lasts
    with site.house.store.reading() as unit:
        found = unit.due(now, now, rewards=now - lasts)
    return [one for one in found if one[0] == "drain"]


def test_old_events_go_and_the_counts_by_day_stay(site: Site) -> None:
    site.do("page_view", device_id="d1")
    site.house.clock.pass_(731 * 86400)

    keep_house(site.house.services)

    assert site.kept() == []
    assert [row.counts for row in site.house.rows(day)] == [{"page_view": 1}]
    assert site.slot("d1") == 1


def test_what_was_put_aside_is_worked_on_again_when_replayed(site: Site) -> None:
    site.do("custom", device_id={"not": "a text"})
    services = site.house.services

    assert replay(services, ACCOUNT, "inbox", Choice(), dry_run=True) == 1
    assert replay(services, ACCOUNT, "inbox", Choice(), dry_run=False) == 1

    assert [row.silent for row in site.kept(reason="")] == [True]
