"""Whatever webhooks get lost and wherever passes die, one more pass knows what the CRM knows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.pipeline.reconciling import reconcile
from soak.oracle import expect, people
from tests.pipeline import world
from tests.pipeline.acts import Crash, steal
from tests.pipeline.crm import Call, Row
from tests.pipeline.house import CONNECTION, House, quick_house
from tests.pipeline.test_any_order import found
from tests.pipeline.world import (
    DEALINGS,
    DEALS,
    MERGES,
    MOVING_IN,
    OPT_OUTS,
    PEOPLE,
    SETS,
    Deed,
    World,
)

# The CRM dates all of these: a deletion, a merge, and every value of a field that counts.
DELETIONS = st.tuples(st.just("delete"), st.sampled_from(PEOPLE))
DATED = st.one_of(*SETS, DELETIONS, MERGES, DEALINGS, MOVING_IN, OPT_OUTS)
FATES = st.sampled_from(["heard", "heard", "lost", "late", "pass", "dies"])
few = settings(max_examples=settings().max_examples // 4)


def poll(house: House) -> int:
    return reconcile(house.services, CONNECTION, lambda _kind, _count: None)


def die(house: House, calls: int) -> None:
    """Begin a pass in a process that is killed around one of its calls to the CRM."""
    left = [calls]

    def count(_call: Call) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash

    house.crm.before = house.crm.after = count
    try:
        poll(house)
    except Crash:
        steal(house)
    house.crm.before = house.crm.after = lambda _call: None


def live_through(data: st.DataObject, made: World, deeds: list[Deed]) -> list[Row]:
    """Do deeds while webhooks come, or not, and passes end, or not; return what comes late."""
    house = made.house
    late: list[Row] = []
    for deed in deeds:
        if deed[0] == "merge":
            poll(house)  # no CRM tells what a record held that is another one now
        made.act(deed)
        fate = data.draw(FATES)
        if fate in {"heard", "late"}:
            rows = house.crm.told()
            late += rows if fate == "late" else []
            house.hear([] if fate == "late" else rows)
        elif fate == "lost":
            house.crm.rows.clear()
        elif fate == "pass":
            poll(house)
        else:
            die(house, data.draw(st.integers(0, 12)))
        house.clock.pass_(data.draw(st.sampled_from([0.5, 400.0])))
    house.crm.rows.clear()
    return late


@few
@given(st.data(), st.lists(DATED, max_size=12), st.booleans())
def test_a_pass_ends_where_all_webhooks_end(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        for deal, person in zip(DEALS, PEOPLE, strict=False):
            made.tie(deal, person)
        house.sync()
        late = live_through(data, made, deeds)
        house.clock.pass_(3600)

        poll(house)
        house.hear(late)
        house.sync()

        for record, group in people(made.ended()).items():
            wanted = expect(made.ended(), group)
            if wanted.slot == 10:  # nobody is asked about them any more
                assert house.slot(record) == 10
            else:
                assert found(house, record) == wanted, record
            assert {house.profile_of(one) for one in group} == {house.profile_of(record)}


@few
@given(st.data(), st.lists(world.ALL, max_size=12), st.booleans())
def test_after_a_pass_we_hold_what_the_crm_holds(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        house.sync()
        live_through(data, made, deeds)
        house.clock.pass_(3600)

        poll(house)
        house.run()

        for one in PEOPLE:
            known, there = house.known(one), house.crm.records["contact", one]
            assert known.alive is (not there.deleted and not there.merged_into)
            assert bool(known.merged_into) is bool(there.merged_into)
            if known.alive and house.slot(one) != 10:
                assert known.lifecycle == there.value("lifecyclestage")
                assert known.lead_status == there.value("hs_lead_status")
        house.clock.pass_(3600)
        assert poll(house) == 0
