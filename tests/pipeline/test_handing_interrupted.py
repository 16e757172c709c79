"""A hand-off that is interrupted anywhere: one deal, one task, one owner's turn each (DESIGN 5.2).

At any of its calls the process dies, the answer is lost, or a second worker takes the lease and
does all the work, so that the first comes back with an answer that it may no longer save.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.errors import CrmDown, LeaseLost
from connector.mapping.handoff import AssignOwner, Handoff, ResetStatus, UntouchedTask
from connector.store import tables as t
from connector.store.tables_handoff import turn
from tests.pipeline.acts import DEAL, Crash, crash, lead, steal
from tests.pipeline.crm import Call
from tests.pipeline.house import House, quick_house

ALL_ON = Handoff(
    assign_owner=AssignOwner(enabled=True, owners=("7", "8", "9")),
    reset_status=ResetStatus(enabled=True, value="NEW"),
    create_deal=DEAL,
    untouched_task=UntouchedTask(enabled=True, hours=4, subject="Call"),
)
# What is called for the sake of a hand-off, in this order.
CALLS = ("owners", "read", "write", "deal_made", "open_deal", "create_deal", "add_task")
HOUR = 3600
SOME = settings(max_examples=settings().max_examples // 3, deadline=None)


def lost() -> None:
    raise CrmDown("the answer was lost")


def play(house: House, call: str, number: int, end: Callable[[], object], *, late: bool) -> bool:
    """Hand two leads over, interrupted once; say whether the call to interrupt ever came."""
    came: list[str] = []
    profiles = prepare(house)

    def hook(one: Call) -> None:
        came.extend([one.name] if one.name == call else [])
        if len(came) == number and one.name == call:
            house.crm.before = house.crm.after = lambda _call: None
            end()

    setattr(house.crm, "after" if late else "before", hook)
    hand_over(house, profiles)
    return len(came) >= number


def prepare(house: House) -> list[str]:
    """Have two leads, and everything switched on."""
    house.remap(handoff=ALL_ON)
    house.crm.staff = ("7", "8", "9")
    return [lead(house, one) for one in ("11", "12")]


def hand_over(house: House, profiles: list[str]) -> None:
    """Make MQLs of two leads: one is connected and gets a deal, nobody touches the other."""
    for profile in profiles:
        house.raise_(profile, 6)
        _sync(house)
    house.crm.edit("11", hs_lead_status="CONNECTED")
    _sync(house)
    house.clock.pass_(4 * HOUR)
    _sync(house)


def _sync(house: House) -> None:
    """Have everything done, whatever dies on the way."""
    for _ in range(2):
        with suppress(Crash, LeaseLost):
            house.sync(4)
        house.clock.pass_(700)


def another(house: House) -> None:
    """Have a second worker take the lease, and do all the work there is."""
    steal(house)
    house.clock.pass_(1)
    house.run()


def is_whole(house: House) -> None:
    deals = [record_id for kind, record_id in house.crm.records if kind == "deal"]
    assert deals == ["5000"]
    assert [one.record_id for one in house.crm.tasks.values()] == ["12"]
    owners = {one: house.crm.value(one, "hubspot_owner_id") for one in ("11", "12")}
    assert owners == {"11": "7", "12": "8"}
    assert [row.last for row in house.rows(turn)] == ["8"]
    assert house.crm.past("11", "hubspot_owner_id") == ["7"]
    assert {row.state for row in house.outbox()} <= {"sent", "dropped"}
    assert {row.state for row in house.rows(t.handoff, part="deal")} == {"made"}
    assert house.profile("11").disposition is None
    assert (house.slot("11"), house.slot("12")) == (4, 6)


@SOME
@given(
    st.sampled_from(CALLS),
    st.sampled_from([1, 1, 2, 3, 5]),
    st.sampled_from(["crash", "lost", "stolen"]),
    st.booleans(),
)
def test_whatever_interrupts_it_a_hand_off_is_done_once(
    call: str,
    number: int,
    end: str,
    late: bool,  # noqa: FBT001
) -> None:
    with quick_house() as house:
        ends = {"crash": crash, "lost": lost, "stolen": lambda: another(house)}

        play(house, call, number, ends[end], late=late)

        is_whole(house)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_that_is_interrupted_is_one_that_a_hand_off_makes(call: str) -> None:
    with quick_house() as house:
        assert play(house, call, 1, lambda: None, late=False)

        is_whole(house)


@SOME
@given(st.lists(st.tuples(st.sampled_from(CALLS), st.sampled_from(["crash", "lost"])), max_size=2))
def test_it_may_be_interrupted_over_and_over(line: list[tuple[str, str]]) -> None:
    with quick_house() as house:
        rest = list(line)

        def hook(one: Call) -> None:
            if rest and rest[0][0] == one.name:
                (crash if rest.pop(0)[1] == "crash" else lost)()

        profiles = prepare(house)
        house.crm.after = hook
        hand_over(house, profiles)

        is_whole(house)
