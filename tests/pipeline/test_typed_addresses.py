"""What an address that was only typed may not do to the people whose it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.house import House, quick_house
from tests.pipeline.visitors import Site


def contact(site: Site, record_id: str, email: str) -> None:
    site.house.crm.create(record_id, email=email, lifecyclestage="lead")
    site.house.sync()


Act = Callable[[Site], None]
BORROWED: dict[str, Act] = {
    "types": lambda site: site.do("form_submitted", 0, device_id="d1", email="victim@x.io"),
    "signs in": lambda site: site.do("verified_conversion", 1, device_id="d1", email="me@x.io"),
    "victim": lambda site: contact(site, "11", "victim@x.io"),
    "me": lambda site: contact(site, "12", "me@x.io"),
}


@settings(deadline=None, max_examples=25)
@given(st.permutations(sorted(BORROWED)))
def test_who_types_anothers_address_and_signs_in_stays_somebody_else(order: list[str]) -> None:
    with quick_house() as house:
        site = Site(house)
        for one in order:
            BORROWED[one](site)

        house.crm.edit("11", hs_email_optout="true")
        house.sync()

        assert house.profile_of("11") != house.profile_of("12")
        assert (house.slot("11"), house.slot("12")) == (10, 3)


@pytest.fixture
def site(house: House) -> Site:
    return Site(house)


def test_a_visitor_whom_nobody_owns_opts_out_by_a_device(site: Site) -> None:
    site.do("page_view", device_id="d1")
    site.do("identity_conversion", device_id="d2", email="bob@x.io")

    site.do("opt_out", 1, device_id="d1")
    site.do("opt_out", 1, device_id="d2", email="bob@x.io")

    assert (site.slot("d1"), site.slot("d2")) == (10, 10)


@pytest.mark.parametrize("name", [{"device_id": "d1"}, {"user_id": "u1"}, {"email": "ann@x.io"}])
def test_who_has_signed_in_opts_out_by_any_name(site: Site, name: dict[str, str]) -> None:
    site.do("verified_conversion", device_id="d1", user_id="u1", email="ann@x.io")

    site.do("opt_out", 1, **name)

    assert site.slot("d1") == 10


def test_a_device_whose_visitor_only_typed_a_contacts_address_opts_nobody_out(site: Site) -> None:
    contact(site, "11", "ann@x.io")
    site.do("form_submitted", device_id="d1", email="ann@x.io")

    site.do("opt_out", 1, device_id="d1")

    assert (site.slot("d1"), site.house.notes("opt_out_refused")) == (
        3,
        ["who sent it has not signed in"],
    )


UNSUBSCRIBED: dict[str, Act] = {
    "types": lambda site: site.do("form_submitted", 0, device_id="d1", email="ann@x.io"),
    "follows the link": lambda site: site.do("opt_out", 1, email="ann@x.io"),
    "signs in as bob": lambda site: site.do("authentication", 2, device_id="d1", email="bob@x.io"),
    "contact": lambda site: contact(site, "11", "ann@x.io"),
    "bob": lambda site: contact(site, "12", "bob@x.io"),
}


@settings(deadline=None, max_examples=40)
@given(st.permutations(sorted(UNSUBSCRIBED)))
def test_an_opt_out_from_a_mail_counts_for_its_address_in_any_order(order: list[str]) -> None:
    with quick_house() as house:
        site = Site(house)
        for one in order:
            UNSUBSCRIBED[one](site)

        assert (house.slot("11"), house.slot("12")) == (10, 3)


def test_an_opt_out_from_a_mail_counts_though_nobody_has_a_record(site: Site) -> None:
    site.do("identity_conversion", device_id="d1", email="ann@x.io")

    site.do("opt_out", 1, email="ann@x.io")

    assert site.path("d1") == [(None, 3), (3, 10)]


def test_an_address_told_as_typed_opts_no_contact_out(site: Site) -> None:
    contact(site, "11", "ann@x.io")

    site.do("opt_out", email="ann@x.io", known="identified")

    assert site.house.slot("11") == 3


def test_who_signs_in_joins_nobody_who_typed_that_address_and_proved_another(site: Site) -> None:
    site.do("form_submitted", device_id="d1", email="ann@x.io")
    site.do("verified_conversion", 1, device_id="d1", email="me@x.io")

    site.do("verified_conversion", 2, device_id="d2", email="ann@x.io")

    assert site.whose("d1") != site.whose("d2")


SENT: dict[str, Act] = {
    "signs in": lambda site: site.do("verified_conversion", 4, device_id="d1", email="ann@x.io"),
    "opts out": lambda site: site.do("opt_out", 5, device_id="d1", email="ann@x.io"),
    "looks": lambda site: site.do("page_view", 6, device_id="d1"),
    "contact": lambda site: contact(site, "11", "ann@x.io"),
}


@settings(deadline=None, max_examples=25)
@given(st.permutations(sorted(SENT)))
def test_an_opt_out_under_a_proven_address_counts_in_any_order(order: list[str]) -> None:
    with quick_house() as house:
        site = Site(house)
        for one in order:
            SENT[one](site)

        assert (house.slot("11"), site.slot("d1")) == (10, 10)


STRANGE: dict[str, Act] = {
    "looks": lambda site: site.do("page_view", 0, device_id="d9"),
    "types": lambda site: site.do("form_submitted", 1, device_id="d9", email="ann@x.io"),
    "opts out": lambda site: site.do("opt_out", 2, device_id="d9"),
    "opts her out": lambda site: site.do("opt_out", 3, device_id="d9", email="ann@x.io"),
    "contact": lambda site: contact(site, "11", "ann@x.io"),
}


@settings(deadline=None, max_examples=25)
@given(st.permutations(sorted(STRANGE)))
def test_nobody_is_opted_out_by_an_address_that_a_stranger_typed(order: list[str]) -> None:
    with quick_house() as house:
        site = Site(house)
        for one in order:
            STRANGE[one](site)

        assert house.slot("11") == 3


def test_who_was_opted_out_by_hand_stays_so_when_the_contact_comes(site: Site) -> None:
    site.do("identity_conversion", device_id="d1", email="ann@x.io")
    site.house.move(site.whose("d1"), 10)

    contact(site, "11", "ann@x.io")

    assert site.house.slot("11") == 10


def test_who_opted_out_unknown_stays_so_by_signing_in(site: Site) -> None:
    site.do("opt_out", device_id="d1")

    site.do("verified_conversion", 1, device_id="d1", email="ann@x.io")

    assert (len(site.profiles()), site.slot("d1")) == (1, 10)


def test_a_sign_in_that_is_told_as_unproven_joins_nobody(site: Site) -> None:
    contact(site, "11", "ann@x.io")
    contact(site, "12", "bob@x.io")

    for email in ("ann@x.io", "bob@x.io"):
        site.do("authentication", user_id="u1", email=email, known="identified")

    assert site.house.profile_of("11") != site.house.profile_of("12")
