from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.hubspot import Limiter
from connector.domain.errors import CrmBusy

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Hands:
    """Two clocks that a test turns: one that only runs, and the time of day."""

    def __init__(self, monotonic: float = 5.0) -> None:
        self.monotonic = monotonic
        self.wall = NOON

    def turn(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def limiter(
        self, per_window: int = 10, daily: int | None = None, reserve: float = 0.1
    ) -> Limiter:
        return Limiter(
            per_window, 10.0, daily, reserve, clock=lambda: self.monotonic, wall=lambda: self.wall
        )


def drain(limiter: Limiter, *, urgent: bool = False) -> tuple[int, float]:
    """Take until there is no room; return how many were had and the wait told then."""
    for had in range(10_000):
        try:
            limiter.take(urgent=urgent)
        except CrmBusy as busy:
            return had, busy.retry_in or 0.0
    raise AssertionError("there was no end to it")


def test_nine_tenths_are_planned_and_a_part_of_them_is_kept_for_the_urgent() -> None:
    limiter = Hands().limiter()

    assert drain(limiter)[0] == 8
    assert drain(limiter, urgent=True)[0] == 1


def test_bulk_leaves_room_for_single_edits() -> None:
    hands = Hands()
    limiter = hands.limiter(per_window=100)
    taken = 0
    while limiter.bulk_wait() == 0:
        limiter.take()
        taken += 1

    assert taken == 64  # four fifths of what may be used
    assert drain(limiter)[0] == 16


def test_bulk_that_waits_as_long_as_told_has_room() -> None:
    hands = Hands()
    limiter = hands.limiter(per_window=100)
    drain(limiter)

    hands.turn(limiter.bulk_wait())

    assert limiter.bulk_wait() == 0


def test_who_waits_as_long_as_told_finds_room() -> None:
    hands = Hands()
    limiter = hands.limiter()
    limiter.take()
    limiter.take()
    hands.turn(3)
    _, wait = drain(limiter)
    hands.turn(wait)

    assert wait == pytest.approx(7, abs=0.01)
    assert drain(limiter)[0] == 2


def test_work_of_several_calls_waits_until_all_have_room() -> None:
    hands = Hands()
    limiter = hands.limiter(per_window=100)
    for _ in range(80):
        limiter.take()
        hands.turn(0.1)
    with pytest.raises(CrmBusy) as caught:
        limiter.expect(20)
    hands.turn(caught.value.retry_in or 0)
    limiter.take()  # beginning again costs a call of its own

    limiter.expect(20)


def test_work_without_calls_needs_no_room() -> None:
    limiter = Hands().limiter()
    limiter.block(60)

    limiter.expect(0)


def test_work_of_more_calls_than_a_window_waits_for_a_whole_one() -> None:
    hands = Hands()
    limiter = hands.limiter()
    limiter.take()
    with pytest.raises(CrmBusy) as caught:
        limiter.expect(500)
    hands.turn(caught.value.retry_in or 0)

    limiter.expect(500)


def test_a_block_stops_the_urgent_too() -> None:
    hands = Hands()
    limiter = hands.limiter()
    limiter.block(30)

    assert drain(limiter, urgent=True) == (0, 30)
    hands.turn(30)
    assert drain(limiter)[0] == 8


def test_the_vendors_own_count_is_believed() -> None:
    limiter = Hands().limiter()
    limiter.take()
    limiter.heard({"x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-remaining": "40"})

    assert drain(limiter)[0] == 20


def test_a_shorter_interval_is_believed() -> None:
    limiter = Hands().limiter()
    limiter.heard({"x-hubspot-ratelimit-interval-milliseconds": "1000"})

    assert drain(limiter)[1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("odd", ["", "-1", "many", "1e9", "9" * 5000, "\u0661"])
def test_headers_that_make_no_sense_change_nothing(odd: str) -> None:
    limiter = Hands().limiter()
    names = ("max", "remaining", "interval-milliseconds", "daily", "daily-remaining")
    limiter.heard({f"x-hubspot-ratelimit-{name}": odd for name in names})

    assert drain(limiter)[0] == 8


def test_a_spent_day_waits_for_midnight_and_keeps_some_for_the_urgent() -> None:
    hands = Hands()
    limiter = hands.limiter(per_window=1000, daily=100)

    had, wait = drain(limiter)

    assert (had, round(wait)) == (80, 12 * HOUR)
    assert drain(limiter, urgent=True)[0] == 10
    hands.turn(12 * HOUR + 1)
    assert drain(limiter)[0] == 80


def test_a_day_is_the_portals_day() -> None:
    limiter = Hands().limiter()
    limiter.live_in("Asia/Tokyo")

    assert limiter.midnight() == 3 * HOUR


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc", "a\0b"])
def test_an_unknown_zone_is_passed_over(zone: str) -> None:
    limiter = Hands().limiter()
    limiter.live_in(zone)

    assert limiter.midnight() == 12 * HOUR


def test_the_daily_headers_count_what_others_used() -> None:
    limiter = Hands().limiter(per_window=1000)
    limiter.heard(
        {"x-hubspot-ratelimit-daily": "1000", "x-hubspot-ratelimit-daily-remaining": "210"}
    )

    assert drain(limiter)[0] == 10


def test_the_next_holder_goes_on_where_the_last_one_stopped() -> None:
    one, other = Hands(), Hands(monotonic=7_000.0)
    first, second = one.limiter(daily=1000), other.limiter()
    first.live_in("Asia/Tokyo")
    drain(first)
    first.block(60)
    other.turn(4)
    second.restore(json.loads(json.dumps(first.state())))

    had, wait = drain(second)

    assert (had, round(wait)) == (0, 56)
    assert second.state() == first.state()


def test_the_next_holder_waits_for_the_window_of_the_last() -> None:
    one, other = Hands(), Hands(monotonic=7_000.0)
    first, second = one.limiter(), other.limiter()
    drain(first)
    other.turn(4)
    second.restore(json.loads(json.dumps(first.state())))

    had, wait = drain(second)

    assert (had, round(wait)) == (0, 6)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"calls": "x", "blocked_until": "x", "per_window": [], "window_s": None, "zone": 3},
        {"calls": [None, "x"], "day_ends": float("nan"), "daily": -1, "window_s": -5},
    ],
    ids=str,
)
def test_a_state_that_makes_no_sense_is_survived(state: dict[str, object]) -> None:
    limiter = Hands().limiter()
    limiter.restore(state)

    assert drain(limiter)[0] <= 8


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.floats(0, 12), st.booleans(), st.booleans()), max_size=120),
)
def test_no_window_holds_more_than_the_limit(
    limit: int, steps: list[tuple[float, bool, bool]]
) -> None:
    hands = Hands()
    limiter = hands.limiter(per_window=limit)
    had: list[float] = []
    for wait, urgent, handed_on in steps:
        hands.turn(wait)
        if handed_on:
            state, limiter = limiter.state(), hands.limiter(per_window=limit)
            limiter.restore(state)
        try:
            limiter.take(urgent=urgent)
        except CrmBusy:
            continue
        had.append(hands.monotonic)

    for start in had:
        assert sum(start <= moment < start + 9.999 for moment in had) <= max(1, limit * 0.9)
