"""A record is made in a CRM only where that is switched on, once, and never for the wrong ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import CrmDown, CrmRefused, LeaseLost
from connector.domain.facts import ConnectionId
from connector.domain.slots import Slot
from connector.mapping.creation import Creation
from connector.mapping.handoff import AssignOwner, Handoff
from connector.pipeline.forgetting import erase
from connector.store.tables_creation import creation
from connector.stored import Purpose
from tests.pipeline.acts import Crash, after, before, crash, lead, steal
from tests.pipeline.crm import FakeCrm, Trouble
from tests.pipeline.house import ACCOUNT, House, quick_house
from tests.pipeline.visitors import Site

FROM_MQL = Creation(Slot.SIXTH, 50)
DAY = 24 * 3600.0


@pytest.fixture
def site(house: House) -> Site:
    return opened(house)


def opened(house: House, creation: Creation | None = FROM_MQL) -> Site:
    house.remap(create=creation)
    return Site(house)


def visitor(site: Site, name: str = "ann", **more: object) -> str:
    """Have somebody sign in; return their profile."""
    told = {"device_id": name, "email": f"{name}@x.io", "person": {"first_name": "Ann"}}
    site.do("authentication", 0, **{**told, **more})
    return site.whose(name)


def mql(site: Site, name: str = "ann") -> str:
    """Have somebody sign in and become an MQL by a rule."""
    profile = visitor(site, name)
    site.house.raise_(profile, 6)
    site.house.sync()
    return profile


def contacts(house: House, email: str = "ann@x.io") -> list[str]:
    return [one.id for one in house.crm.records.values() if one.value("email") == email]


def test_nobody_is_made_unless_it_is_switched_on(house: House) -> None:
    mql(opened(house, None))

    assert house.crm.records == {}
    assert house.rows(creation) == []


def test_a_proven_visitor_who_comes_far_enough_gets_a_record_with_our_fields(either: House) -> None:
    site = opened(either)
    house, profile = site.house, mql(site)

    (made,) = contacts(house)
    assert house.profile_of(made) == profile
    assert house.own(made) == "6"
    assert house.own(made, "profile") == profile
    assert house.crm.value(made, "firstname") == "Ann"
    assert len(site.profiles()) == 1


def test_the_new_record_learns_of_the_stage_and_is_handed_over(site: Site) -> None:
    site.house.remap(handoff=Handoff(assign_owner=AssignOwner(True, ("7",))))
    site.house.crm.staff = ("7",)

    mql(site)

    (made,) = contacts(site.house)
    assert site.house.crm.value(made, "lifecyclestage") == "marketingqualifiedlead"
    assert site.house.crm.value(made, "hubspot_owner_id") == "7"
    assert site.slot("ann") == 6


def test_the_number_of_a_slot_is_no_rank(site: Site) -> None:
    profile = visitor(site)

    site.house.raise_(profile, 4)  # SQL: further than 6, MQL
    site.house.sync()

    assert len(contacts(site.house)) == 1


def test_whoever_is_not_far_enough_gets_none(site: Site) -> None:
    visitor(site)
    site.house.sync()

    assert contacts(site.house) == []


def test_an_address_that_was_only_typed_makes_nobody(site: Site) -> None:
    site.do("form_submitted", 0, device_id="ann", email="ann@x.io")
    site.house.raise_(site.whose("ann"), 6)
    site.house.sync()
    assert contacts(site.house) == []

    site.do("authentication", 1, device_id="ann", email="ann@x.io")
    site.house.sync()

    assert len(contacts(site.house)) == 1


def test_whoever_was_imported_gets_a_record_when_they_do_something(site: Site) -> None:
    site.house.remap(create=Creation(Slot.QUALIFIED, 50))
    told = {"device_id": "ann", "email": "ann@x.io"}
    silent = site.told("authentication", 0, **told)
    site.tell_silently([silent])
    site.house.sync()
    assert site.slot("ann") == 3
    assert contacts(site.house) == []

    site.do("page_view", 2, device_id="ann")
    site.house.sync()

    assert len(contacts(site.house)) == 1


def test_who_is_in_the_crm_already_is_linked_and_not_made_again(either: House) -> None:
    site = opened(either)
    site.house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    site.house.crm.told()  # no webhook of it ever comes

    profile = mql(site)

    assert contacts(site.house) == ["11"]
    assert site.house.profile_of("11") == profile
    assert [row.state for row in site.house.rows(creation)] == ["found"]
    assert site.house.crm.past("11", "lifecyclestage") == ["lead", "marketingqualifiedlead"]


def test_a_record_whose_address_is_changed_at_once_is_theirs_all_the_same(site: Site) -> None:
    house, profile = site.house, visitor(site)
    after(house, "create_person", lambda: house.crm.edit(contacts(house)[0], email="other@x.io"))

    house.raise_(profile, 6)
    house.run()  # none of its webhooks comes

    assert house.profile_of(contacts(house, "other@x.io")[0]) == profile
    assert len(site.profiles()) == 1


def test_a_record_that_came_by_itself_meanwhile_is_enough(site: Site) -> None:
    site.house.raise_(visitor(site), 6)
    site.house.crm.create("11", email="ann@x.io")
    site.house.hear()

    site.house.sync()

    assert contacts(site.house) == ["11"]
    assert [call.name for call in site.house.crm.calls if "person" in call.name] == []


def test_whoever_was_deleted_in_the_crm_is_not_made_anew(site: Site) -> None:
    mql(site)
    (made,) = contacts(site.house)
    site.house.crm.delete(made)
    site.house.sync()

    site.do("page_view", 5, device_id="ann")
    site.house.sync()

    assert contacts(site.house) == [made]


def test_the_day_s_cap_holds_and_the_others_come_the_day_after(house: House) -> None:
    site = opened(house, Creation(Slot.SIXTH, 2))
    for name in ("ann", "bob", "eve"):
        mql(site, name)
    assert len(house.crm.records) == 2

    house.clock.pass_(DAY)
    house.sync()

    assert len(house.crm.records) == 3


def test_nobody_in_slot_10_is_made(site: Site) -> None:
    before(
        site.house, "find_person", lambda: site.do("opt_out", 0, email="ann@x.io", known="verified")
    )

    mql(site)

    assert site.slot("ann") == 10
    assert contacts(site.house) == []
    assert "create_person" not in [call.name for call in site.house.crm.calls]


def test_an_erased_person_is_not_made_though_they_sign_in_again(site: Site) -> None:
    profile = visitor(site)
    erase(site.house.services, ACCOUNT, profile)
    site.house.clock.pass_(60)

    site.do("authentication", 2, device_id="ann2", email="ann@x.io")
    site.house.raise_(site.whose("ann2"), 6)
    site.house.sync()

    assert contacts(site.house) == []


def test_who_is_erased_while_their_record_is_made_does_not_come_back(either: House) -> None:
    site = opened(either)
    profile = visitor(site)
    after(site.house, "create_person", lambda: erase(site.house.services, ACCOUNT, profile))

    site.house.raise_(profile, 6)
    site.house.sync()

    assert site.profiles() == []
    assert site.house.rows(creation) == []


def test_a_refused_record_is_parked_and_others_are_made(site: Site) -> None:
    site.house.crm.trouble["create_person"].append(Trouble(CrmRefused("no", status=400)))
    profiles = [visitor(site, "ann"), visitor(site, "bob")]

    site.house.raise_all(profiles, 6)
    site.house.sync()

    states = {row.profile_id: row.state for row in site.house.outbox(purpose="create")}
    assert states == {profiles[0]: "parked", profiles[1]: "sent"}


def test_the_brake_holds_what_one_cause_wants_too_much_of(house: House) -> None:
    object.__setattr__(house.services, "brake_per_hour", 1)
    site = opened(house)
    profiles = [visitor(site, name) for name in ("ann", "bob")]

    house.raise_all(profiles, 6)
    house.sync()

    assert {row.state for row in house.outbox(purpose="create")} == {"held"}
    assert house.crm.records == {}


def test_two_profiles_that_are_one_get_one_record(either: House) -> None:
    site = opened(either)
    first, second = visitor(site, "ann", user_id="u1"), visitor(site, "bob", user_id="u2")
    site.house.raise_all([first, second], 6)
    site.do("authentication", 1, user_id="u1", email="bob@x.io")
    assert len(site.profiles()) == 1

    site.house.sync()

    assert len(site.house.crm.records) == 1


def test_a_record_goes_into_each_crm_that_wants_one(site: Site) -> None:
    other: FakeCrm = site.house.connect(ConnectionId("con_2"), "4343")
    lead(site.house, "11", email="ann@x.io")

    mql(site)

    assert contacts(site.house) == ["11"]
    assert other.records == {}  # its mapping says nothing of it


ENDS = st.lists(st.sampled_from(["lost answer", "lost call", "crash", "crash after"]), max_size=4)
CALLS = st.sampled_from(["create_person", "find_person"])


@given(ENDS, CALLS, st.booleans())
def test_however_often_it_is_interrupted_there_is_one_record(
    ends: list[str],
    call: str,
    hears: bool,  # noqa: FBT001
) -> None:
    with quick_house() as house:
        site = opened(house)
        profile = visitor(site)
        house.raise_(profile, 6)

        for end in ends:
            _interrupt(house, end, call)
            if hears:
                house.hear()
            house.clock.pass_(700)
        house.crm.before = house.crm.after = lambda _call: None
        house.crm.trouble.clear()
        house.clock.pass_(700)
        house.sync()

        (made,) = contacts(house)
        assert house.profile_of(made) == profile
        assert house.crm.value(made, "lifecyclestage") == "marketingqualifiedlead"
        assert [(row.state, row.record_id) for row in house.rows(creation)] == [("made", made)]
        assert len(site.profiles()) == 1


def _interrupt(house: House, end: str, call: str) -> None:
    if end.startswith("lost"):
        house.crm.trouble[call].append(Trouble(CrmDown("gone"), applies=end == "lost answer"))
        house.run()
        return
    (after if end == "crash after" else before)(house, call, crash)
    try:
        house.run()
    except Crash:
        house.clock.pass_(60)


@given(CALLS, st.booleans())
def test_two_workers_make_one_record(call: str, first: bool) -> None:  # noqa: FBT001
    """The lease is taken away in the middle of a call, and its next holder does all the work."""
    with quick_house() as house:
        site = opened(house)
        house.raise_(visitor(site), 6)

        def another() -> None:
            steal(house)
            house.clock.pass_(1)
            house.run()

        (before if first else after)(house, call, another)
        with suppress(LeaseLost):
            house.run()
        house.sync()

        assert len(contacts(house)) == 1
        assert {row.state for row in house.outbox(purpose=Purpose.CREATE)} == {"sent"}


def test_a_cap_counts_calls_whose_answer_was_lost(house: House) -> None:
    site = opened(house, Creation(Slot.SIXTH, 1))
    house.crm.trouble["create_person"].append(Trouble(CrmDown("gone"), applies=True))
    for name in ("ann", "bob"):
        mql(site, name)

    house.clock.pass_(700)
    house.sync()

    assert len(house.crm.records) == 1


def test_switching_it_off_again_makes_nobody_more(site: Site) -> None:
    profile = visitor(site)
    site.house.raise_(profile, 6)
    site.house.remap(create=None)

    site.house.sync()

    assert contacts(site.house) == []
    assert site.house.rows(creation) == []


def test_the_cap_may_be_raised_on_the_same_day(house: House) -> None:
    site = opened(house, Creation(Slot.SIXTH, 1))
    for name in ("ann", "bob"):
        mql(site, name)

    house.remap(create=replace(FROM_MQL, daily_cap=2))
    house.clock.pass_(3700)
    house.sync()

    assert len(house.crm.records) == 2
