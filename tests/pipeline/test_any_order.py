"""Any order, any doubling, any splitting of the same deliveries ends the same (DESIGN 3, 5.2)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from soak.oracle import Expected, expect, people
from tests.pipeline import world
from tests.pipeline.house import House, quick_house
from tests.pipeline.world import Deed, World, deliver, posts

# Each example has a database of its own: half of the profile's number will do.
some = settings(max_examples=settings().max_examples // 2)


def found(house: House, record: str) -> Expected:
    profile = house.profile(record)
    moves = tuple((move.start, move.goal, move.occurred_at) for move in house.moves(record))
    return Expected(
        int(profile.slot) if profile.slot else None,
        profile.success_at,
        str(profile.disposition) if profile.disposition else None,
        moves,
    )


def check(made: World) -> None:
    story = made.ended()
    house = made.house
    for record, group in people(story).items():
        wanted = expect(story, group)
        assert found(house, record) == wanted, record
        assert {house.profile_of(one) for one in group} == {house.profile_of(record)}
        starts = [start for start, _, _ in wanted.moves]
        assert starts == [None, *(goal for _, goal, _ in wanted.moves[:-1])][: len(starts)]
        if made._lives(record):
            assert house.own(record) == str(wanted.slot)
            assert house.own(record, "profile") == house.profile_of(record)


@some
@given(st.data(), st.lists(world.QUIET, max_size=12), st.booleans())
def test_what_the_crm_tells_ends_the_same_in_any_order(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        for deed in deeds:
            made.act(deed)
        stages = {one: house.crm.past(one, "lifecyclestage") for one in world.PEOPLE}
        line = data.draw(posts(house.crm.told()))
        house.clock.pass_(3600)

        deliver(house, line)

        check(made)
        # What a CRM caused writes back our own fields, and nothing else.
        assert {one: house.crm.past(one, "lifecyclestage") for one in world.PEOPLE} == stages


@some
@given(st.data(), st.lists(world.ALL, max_size=12), st.booleans())
def test_with_opt_outs_and_levers_it_ends_the_same_in_any_order(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        for deed in deeds:
            made.act(deed)
        line = data.draw(posts(house.crm.told()))
        house.clock.pass_(3600)

        deliver(house, line)
        house.sync()

        check(made)


@some
@given(st.data(), st.lists(world.ALL, min_size=1, max_size=12), st.booleans())
def test_as_it_happens_it_ends_the_same_as_afterwards(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        for deed in deeds:
            made.act(deed)
            step = data.draw(st.sampled_from(["", "drain", "sync"]))
            if step == "drain":
                house.hear()
            elif step == "sync":
                house.sync()

        house.sync()

        for record, group in people(made.story).items():
            assert len({house.profile_of(one) for one in group}) == 1
            ledger = house.steps(record)
            assert [start for start, _ in ledger] == [None, *(goal for _, goal in ledger[:-1])]
            assert house.slot(record) == ledger[-1][1]
            if made._lives(record):
                assert house.own(record) == str(house.slot(record))
