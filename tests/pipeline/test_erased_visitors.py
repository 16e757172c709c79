"""Erasure takes the journey along, and nothing late brings it back (DESIGN 5.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.pipeline.forgetting import erase
from connector.pipeline.housekeeping import keep_house
from connector.pipeline.split import split
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.ruling import Ruling
from tests.pipeline.test_erasure import ADDRESS, NAME, traces
from tests.pipeline.visiting_reader import Told
from tests.pipeline.visitors import SITE, Site

DEVICE, USER = "d0123456789abcdef", "u0123456789"


@pytest.fixture
def site(either: House) -> Site:
    return Site(either)


def person(site: Site) -> list[Told]:
    """Return what Zoë does: looks around, types her address, signs in."""
    signed = {"device_id": DEVICE, "user_id": USER, "email": ADDRESS, "person": {"name": NAME}}
    return [
        site.told("page_view", device_id=DEVICE, url=f"https://x.io/?for={USER}"),
        site.told("form_submitted", 1, device_id=DEVICE, email=ADDRESS, person={"name": NAME}),
        site.told("verified_conversion", 2, **signed),
    ]


@pytest.mark.parametrize("way", ["platform", "api", "record"])
def test_nothing_of_an_erased_visitor_is_left_in_any_table(site: Site, way: str) -> None:
    if way == "record":
        lead(site.house, "11987", email=ADDRESS)
    site.tell(person(site))
    site.house.raise_(site.whose(DEVICE), 6)
    site.keep(f'broken {DEVICE} "'.encode())
    site.work()
    profile = site.whose(DEVICE)

    forget(site, profile, way)

    assert traces(site.house, ADDRESS, NAME, DEVICE, USER, profile) == []
    assert {row.kind for row in site.house.rows(t.tombstone)} >= {"email", "device", "user"}


def test_what_was_put_aside_of_an_erased_visitor_goes_too(site: Site) -> None:
    site.tell([*person(site), site.told("custom", 2, device_id={"x": 1}, title=ADDRESS)])
    assert site.kept(profile_id=None)

    forget(site, site.whose(DEVICE), "api")

    assert traces(site.house, ADDRESS, DEVICE) == []


@pytest.mark.parametrize("email", ["ann@x.io", 'o"brien\\x@x.io', "zoë@x.io"])
def test_what_was_put_aside_under_a_contacts_address_goes_with_the_contact(
    site: Site, email: str
) -> None:
    lead(site.house, email=email)
    put_aside(site, site.told("form_submitted", device_id="d9", email=email))

    forget(site, site.house.profile_of("11"), "api")

    assert site.kept() == []


def test_what_was_put_aside_about_others_stays(site: Site) -> None:
    site.do("page_view", device_id="d1")
    put_aside(site, site.told("page_view", 1, device_id="d11", title="d1 and others"))

    forget(site, site.whose("d1"), "api")

    assert [row.data["device_id"] for row in site.kept()] == ["d11"]


def test_what_was_put_aside_goes_after_ninety_days(site: Site) -> None:
    put_aside(site, site.told("page_view", device_id="d9"))
    site.house.clock.pass_(89 * 86400)
    keep_house(site.house.services)
    assert site.kept()

    site.house.clock.pass_(2 * 86400)
    keep_house(site.house.services)

    assert site.kept() == []


def put_aside(site: Site, told: Told) -> None:
    """Have an event come in that can't be worked on."""
    site.keep([told])
    split(site.house.services)
    (waits,) = site.kept(profile_id=None)
    with site.house.store.writing() as unit:
        unit.visits.park(waits.id, "it broke")


def test_a_rule_s_batch_keeps_its_name_when_one_of_its_people_is_erased(site: Site) -> None:
    site.tell(person(site))
    profile = site.whose(DEVICE)
    ruling = Ruling(site.house)
    ruling.rule("rul_1", name="pricing twice", trigger={"event": "page_view"})
    site.do("page_view", 3, device_id=DEVICE)
    site.house.move(profile, 5, f"{NAME} called")

    forget(site, profile, "api")

    reasons = {row.actor: row.reason for row in site.house.rows(t.batch)}
    assert (reasons["rule"], reasons["person"]) == ("pricing twice", "")


def test_what_could_not_be_read_of_a_mere_device_goes_with_it(site: Site) -> None:
    site.do("page_view", device_id=DEVICE)
    undated = {"type": "page_view", "device_id": DEVICE}
    site.keep(
        json.dumps([undated | {"key": "1"}, undated | {"key": "2", "device_id": "d9"}]).encode()
    )
    site.work()
    assert len(parked(site)) == 2

    forget(site, site.whose(DEVICE), "api")

    assert [DEVICE in str(row.data) for row in parked(site)] == [False]
    assert traces(site.house, DEVICE) == []


def parked(site: Site) -> list[Any]:
    return site.house.rows(t.event, state="parked")


def test_what_was_done_before_the_erasure_brings_nobody_back(site: Site) -> None:
    told = person(site)
    site.tell(told)
    late = [
        site.told("page_view", 1.5, device_id=DEVICE),
        site.told("authentication", 1.5, user_id=USER),
        site.told("identity_conversion", 1.5, device_id="other", email=ADDRESS),
    ]
    forget(site, site.whose(DEVICE), "platform")

    site.tell(told + late)

    assert site.kept() == site.profiles() == []
    assert traces(site.house, ADDRESS, DEVICE, USER) == []


def test_a_sign_in_after_the_erasure_is_a_new_profile(site: Site) -> None:
    site.tell(person(site))
    before = site.whose(DEVICE)
    forget(site, before, "platform")

    site.do("authentication", 9, device_id=DEVICE, email=ADDRESS)

    assert site.whose(DEVICE) != before
    assert site.path(DEVICE) == [(None, 3)]


def test_nobody_but_its_owner_brings_an_erased_address_back(site: Site) -> None:
    site.tell(person(site))
    forget(site, site.whose(DEVICE), "platform")

    site.do("form_submitted", 9, device_id="d2", email=ADDRESS, person={"name": NAME})

    assert site.slot("d2") == 1
    assert traces(site.house, ADDRESS, NAME) == []


def test_an_erased_address_comes_back_by_no_part_of_an_event(site: Site) -> None:
    site.tell(person(site))
    forget(site, site.whose(DEVICE), "platform")
    typed = {
        "url": f"https://x.io/thanks?email={ADDRESS}",
        "title": f"Thank you, {NAME}",
        "origin": {"referrer": f"https://x.io/{ADDRESS.replace('@', '%40')}", "utm_source": "ads"},
        "more": {"fields": {"mail": ADDRESS, "name": NAME}},
    }

    site.do("form_submitted", 9, device_id="d2", email=ADDRESS, **typed)

    (kept,) = site.kept()
    assert (kept.url, kept.data["origin"]) == ("https://x.io/thanks", {"utm_source": "ads"})
    assert traces(site.house, ADDRESS, NAME) == []


def test_an_erased_visitors_record_is_refused_where_it_is_from_before(site: Site) -> None:
    site.house.crm.create("12987", email=ADDRESS, lifecyclestage="lead")
    late = site.house.crm.told()
    site.tell(person(site))
    forget(site, site.whose(DEVICE), "platform")

    site.house.hear(late)
    site.house.run()

    assert site.house.rows(t.record) == []
    assert traces(site.house, ADDRESS) == []


def test_a_device_alone_forgets_nobody_who_owns_records(site: Site) -> None:
    profile = lead(site.house, "11987", email=ADDRESS)
    site.tell(person(site))

    site.do("deidentified", 3, device_id=DEVICE)

    assert site.house.profile_of("11987") == profile


def forget(site: Site, profile: str, way: str) -> None:
    site.house.clock.pass_(3600)
    if way == "platform":
        site.do("deidentified", 3, user_id=USER)
    elif way == "record":
        site.house.crm.forget("11987")
        site.house.hear()
    else:
        erase(site.house.services, ACCOUNT, profile)
    assert site.house.rows(t.connection, id=SITE)


def test_whom_we_know_by_a_lesser_name_only_is_forgotten_too(site: Site) -> None:
    site.do("page_view", device_id="d1", url="https://x.io/?email=ann@x.io")

    site.do("deidentified", 1, device_id="d1", user_id="u1")

    assert (site.kept(), site.profiles()) == ([], [])


def test_a_device_under_a_name_that_we_do_not_know_forgets_nobody_who_is_owned(site: Site) -> None:
    site.do("verified_conversion", device_id="d1", email="ann@x.io")

    site.do("deidentified", 1, device_id="d1", user_id="u9")

    assert site.slot("d1") == 3


def test_who_came_by_another_of_the_names_is_forgotten_too(site: Site) -> None:
    site.do("verified_conversion", device_id="d1", user_id="u1", email="ann@x.io")
    site.do("page_view", 1, device_id="d2")

    site.do("deidentified", 2, device_id="d2", user_id="u1", email="ann@x.io")
    site.do("authentication", 1.5, device_id="d2", user_id="u1", email="ann@x.io")

    assert (site.kept(), site.profiles()) == ([], [])


def test_somebody_else_on_the_same_device_is_not_forgotten(site: Site) -> None:
    site.do("verified_conversion", device_id="d1", user_id="u1", email="ann@x.io")
    site.do("verified_conversion", 1, device_id="d2", user_id="u2", email="bob@x.io")

    site.do("deidentified", 2, device_id="d2", user_id="u1", email="ann@x.io")

    assert [row.id for row in site.profiles()] == [site.whose("d2")]
