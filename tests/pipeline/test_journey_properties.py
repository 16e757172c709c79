"""Late, doubled and shuffled events lead to the slots of a naive reading in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.slots import OPEN_TO_PEOPLE
from tests.pipeline.house import START, quick_house
from tests.pipeline.visiting_reader import Told
from tests.pipeline.visitors import Site

LASTS = timedelta(days=14)
TYPES = (
    *("page_view", "page_view", "incentive_offered", "incentive_offered", "incentive_expired"),
    *(
        "incentive_claimed",
        "identity_conversion",
        "verified_conversion",
        "opt_out",
        "stage_changed",
    ),
)
Deed = tuple[int, str, int, int]  # who, what, with which of their devices, to which stage


def told(site: Site, hour: int, deed: Deed) -> Told:
    who, type_, device, stage = deed
    more = {"device_id": f"p{who}d{device}"}
    if type_ in {"identity_conversion", "verified_conversion"}:
        more |= {"email": f"p{who}@x.io"}
    if type_ == "opt_out":
        more |= {"known": "verified"}
    return site.told(type_, hour, **more, lead_stage=stage)


def naive(events: Sequence[Told], now: datetime) -> int | None:
    """Read one visitor's events in order of time."""
    slot, suppressed, shown = None, False, START
    for one in sorted(events, key=lambda one: str(one["occurred_at"])):
        when, type_ = datetime.fromisoformat(one["occurred_at"]), one["type"]
        if slot == 2 and shown + LASTS < when:
            slot = 1
        slot = slot or 1
        if type_ in {"identity_conversion", "verified_conversion", "opt_out"} and slot < 3:
            slot = 3
        elif type_ == "incentive_offered" and slot < 3:
            slot, shown = 2, when
        elif type_ == "incentive_expired" and slot == 2:
            slot = 1
        suppressed = suppressed or type_ == "opt_out"
        if type_ == "stage_changed" and one["lead_stage"] in set(OPEN_TO_PEOPLE):
            slot = one["lead_stage"]
        suppressed = suppressed or (type_ == "stage_changed" and one["lead_stage"] == 10)
    if slot == 2 and shown + LASTS <= now:
        slot = 1
    return 10 if suppressed else slot


def who(events: Sequence[Told]) -> list[list[Told]]:
    """Group events by visitor: devices are one person's where the same address came by them."""
    known = {one["device_id"]: one["email"] for one in events if one.get("email")}
    groups: dict[str, list[Told]] = {}
    for one in events:
        device = str(one["device_id"])
        groups.setdefault(str(known.get(device, device)), []).append(one)
    return list(groups.values())


_stages = st.sampled_from([1, 4, 6, 8, 10])
_deeds = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(TYPES),
            st.integers(0, 1),
            _stages,
        ),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda one: one[0],
)


@settings(deadline=None)
@given(_deeds, st.data())
def test_any_order_gives_the_slots_of_a_naive_reading(
    deeds: list[tuple[int, Deed]], data: st.DataObject
) -> None:
    hold(deeds, data)


_REWARDS = st.sampled_from(["incentive_offered", "incentive_offered", "incentive_expired"])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.tuples(st.just(0), _REWARDS, st.just(0), st.just(1))),
        min_size=2,
        max_size=5,
        unique_by=lambda one: one[0],
    ),
    st.data(),
)
def test_rewards_that_are_heard_of_late_end_as_if_heard_of_in_time(
    deeds: list[tuple[int, Deed]], data: st.DataObject
) -> None:
    hold(deeds, data)


def hold(deeds: list[tuple[int, Deed]], data: st.DataObject) -> None:
    """Hold what a house makes of the deeds, in any order and pieces, against a naive reading."""
    with quick_house() as house:
        site = Site(house)
        events = [told(site, 2 * hour, deed) for hour, deed in deeds]
        arriving = data.draw(st.permutations([*events, events[0]]))
        size = data.draw(st.integers(1, 5))

        for start in range(0, len(arriving), size):
            site.tell(arriving[start : start + size])
        house.clock.pass_(data.draw(st.sampled_from([0, 10, 15])) * 86400)
        site.work()

        now = house.clock.now()
        for own in who(events):
            for device in {one["device_id"] for one in own}:
                assert site.slot(device) == naive(own, now)
