"""What events foretell of visitors, and that every planted fault is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from soak import visited
from soak.journeys import LAWS, Person, foretell, people

Json = dict[str, Any]
PRICES: Json = {"page": {"url": "https://soak.example/pricing"}}


def told(kind: str, second: int, device: str = "d1", state: str = "anonymous", **more: Any) -> Json:
    names = {"identified": {"email": "v@x.io"}, "verified": {"email": "v@x.io", "user_id": "u"}}
    visitor = {"device_id": device, "state": state, **names.get(state, {})}
    if "lead_stage" in more:
        visitor["lead_stage"] = more.pop("lead_stage")
    return {
        "type": kind,
        "occurred_at": f"2026-05-04T12:00:{second:02}Z",
        "visitor": visitor,
        **more,
    }


def looks(*seconds: int, state: str = "verified") -> list[Json]:
    return [told("page_view", one, state=state, **PRICES) for one in seconds]


def alone(*events: Json) -> Person:
    (person,) = people(events)
    return person


def slots(*events: Json) -> list[int]:
    return sorted(foretell(alone(*events)).slots)


def test_a_reward_leads_there_and_back_until_somebody_is_known() -> None:
    shown, gone = told("incentive_offered", 2), told("incentive_expired", 3)
    claimed = told("incentive_claimed", 5, state="verified")
    person = alone(told("page_view", 1), shown, gone, told("incentive_offered", 4), claimed)

    assert foretell(person).goals == (1, 2, 1, 2, 3)


def test_the_order_of_arrival_changes_no_move_of_the_system() -> None:
    events = [told("page_view", 1), told("incentive_offered", 2), *looks(3)]

    assert foretell(alone(*events)).goals == foretell(alone(*events[::-1])).goals == (1, 2, 3)


def test_three_looks_at_the_prices_move_whom_we_know() -> None:
    sign_in = told("verified_conversion", 0, state="verified")

    assert slots(sign_in, *looks(1, 2, 3)) == [6]
    assert slots(sign_in, *looks(1, 2)) == [3]
    assert slots(*looks(1, 2, 3, state="anonymous")) == [1]


def test_the_last_look_counts_what_was_done_before_anybody_was_known() -> None:
    assert slots(*looks(1, 2, state="anonymous"), *looks(3)) == [6]


def test_a_look_that_comes_late_counts_for_those_after_it() -> None:
    first, second, third = looks(1, 2, 3)

    assert slots(second, third, first) == [6]


def test_who_is_known_on_another_device_too_may_or_may_not_have_been_moved_yet() -> None:
    there = [told("page_view", one, "d2", **PRICES) for one in (1, 2)]
    joined = told("authentication", 4, "d2", state="verified")

    assert slots(*there, *looks(3), joined) == [3, 6]


def test_the_furthest_target_stands() -> None:
    contact = told("contact_us", 4, state="verified", form={"id": "contact"})

    assert slots(*looks(1, 2, 3), contact) == [4]


def test_a_strangers_opt_out_silences_nobody_who_has_signed_in() -> None:
    stranger = told("opt_out", 2, "d9", state="identified")

    assert slots(*looks(1), stranger) == [3]
    assert slots(told("page_view", 1), told("opt_out", 2)) == [10]


def test_names_in_common_make_one_person() -> None:
    events = [told("page_view", 1), told("page_view", 2, "d2"), told("page_view", 3, "d3")]
    events += [*looks(4), told("authentication", 5, "d2", state="verified")]

    assert [len(person.events) for person in people(events)] == [4, 1]


# Planted faults


def moved(*path: tuple[int | None, int], by: str = "system", reason: str = "") -> list[Json]:
    more = {"actor": by, "reason": reason, "occurred_at": "2026-05-04T12:00:00Z"}
    return [{"from": start, "to": goal, **more} for start, goal in path]


@pytest.fixture
def mql() -> list[Json]:
    return [*moved((None, 3)), *moved((3, 6), by="rule", reason=LAWS[0].name)]


def test_what_was_foretold_is_no_fault(mql: list[Json]) -> None:
    told_ = foretell(alone(*looks(1, 2, 3)))

    assert visited.slot_faults({"slot": 6}, mql, told_) == []
    assert visited.move_faults(mql, told_) == []


def test_a_dropped_event_is_lost() -> None:
    events = looks(1, 2)

    assert [len(rows) for rows in visited.difference(events, events[:1])] == [1, 0]


def test_an_event_that_is_there_twice_is_doubled() -> None:
    events = looks(1, 2)

    assert [len(rows) for rows in visited.difference(events, [*events, events[0]])] == [0, 1]


def test_a_move_by_a_rule_within_its_cooldown_is_doubled(mql: list[Json]) -> None:
    twice = [*mql, *moved((6, 3), by="person"), *mql[1:]]

    assert visited.move_faults(twice, foretell(alone(*looks(1, 2, 3)))) == [
        "2 moves by soak prices"
    ]


@pytest.mark.parametrize("way", [(4, 6), (8, 4), (3, 8), (2, 6)])
def test_a_rule_that_moves_back_or_where_it_may_not_is_a_fault(way: tuple[int, int]) -> None:
    moves = [*moved((None, way[0])), *moved(way, by="rule", reason=LAWS[0].name)]

    faults = visited.move_faults(moves, foretell(alone(*looks(1, 2, 3))))

    assert faults == [f"a rule moved {way[0]} -> {way[1]} by soak prices"]


def test_a_move_that_nothing_set_off_is_a_fault(mql: list[Json]) -> None:
    assert visited.move_faults(mql, foretell(alone(*looks(1, 2)))) == [
        "nothing set off 3 -> 6 by soak prices"
    ]


def test_a_rule_that_did_not_move_anybody_is_a_fault() -> None:
    told_ = foretell(alone(*looks(1, 2, 3)))

    assert visited.slot_faults({"slot": 3}, moved((None, 3)), told_) == ["slot 3 instead of [6]"]


def test_a_move_after_the_opt_out_is_a_fault() -> None:
    told_ = foretell(alone(*looks(1), told("opt_out", 2, state="verified")))
    moves = moved((None, 3), (3, 10), (10, 6))

    assert visited.move_faults(moves, told_) == ["moved after the opt-out: [3, 10, 6]"]
    assert len(visited.slot_faults({"slot": 6}, moves, told_)) == 2


# Whose a journey is


class Shown:
    """An installation that shows what it is given: profiles by device or address, journeys."""

    def __init__(self, profiles: dict[str, str], journeys: dict[str, list[Json]]) -> None:
        self.profiles = profiles
        self.journeys = journeys

    def items(self, path: str, **query: str) -> Iterator[Json]:
        if path == "profiles":
            found = [self.profiles[one] for one in query.values() if one in self.profiles]
            yield from [{"id": one, "slot": 3} for one in found]
        elif path.endswith("moves"):
            yield from moved((None, 3))
        elif path.endswith("journey"):
            yield from self.journeys[path.split("/")[1]]


def shown(profiles: dict[str, str], events: list[Json]) -> visited.Visited:
    mine = dict.fromkeys(profiles.values(), events)
    return visited.visit(Shown(profiles, mine), events)  # type: ignore[arg-type]


def test_a_visitor_with_one_profile_is_as_it_must_be() -> None:
    assert shown({"d1": "p1", "v@x.io": "p1"}, looks(1)).is_good


def test_a_visitor_with_two_profiles_has_diverged() -> None:
    verdict = shown({"d1": "p1", "v@x.io": "p2"}, looks(1))

    assert verdict.diverged == ["v@x.io: one visitor, profiles ['p1', 'p2']"]
    assert "page_view" in "".join(verdict.details)


def test_two_visitors_with_one_profile_have_diverged() -> None:
    events = [told("page_view", 1, "d1"), told("page_view", 2, "d2")]

    assert "d2: shares p1 with d1" in shown({"d1": "p1", "d2": "p1"}, events).diverged


def test_an_erased_visitor_who_is_shown_has_diverged() -> None:
    events = [*looks(1), told("deidentified", 2, state="verified")]

    assert shown({"d1": "p1"}, events).diverged == ["v@x.io: erased, but still shown: p1"]
    assert shown({}, events).is_good
