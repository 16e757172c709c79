"""Alarms: what was written after the fact, and a world that has moved."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bench.worlds import AS_OF, World, by_prices
from scorer import JourneyScorer, LeadScorer
from scorer.alarms import chance_shift
from scorer.measures import shift
from tests.scorer.people import KEY, event, table

THEN = AS_OF - timedelta(days=60)


@pytest.fixture(scope="module")
def world() -> World:
    return by_prices(np.random.default_rng(1), 400, 120)


@pytest.fixture(scope="module")
def fitted(world: World) -> JourneyScorer:
    return JourneyScorer().fit(world.events, world.customers, THEN)


def _open(world: World, now: datetime) -> list[str]:
    won = {row["profile_id"] for row in world.customers if row["customer_at"] < now.isoformat()}
    return sorted({row["profile_id"] for row in world.events} - won)


def _about(alarms: Sequence[Any]) -> set[str]:
    return {alarm.about for alarm in alarms}


def test_a_value_that_only_winners_have_is_named() -> None:
    columns, won = table(900)
    half = np.random.default_rng(0).random(900) < 0.5
    told = np.where(won & half, "sent the contract", np.where(half, "called", ""))

    scorer = LeadScorer().fit(columns | {"note": told}, won)

    assert "note" in _about(scorer.alarms_)
    assert {alarm.kind for alarm in scorer.alarms_} == {"leak"}


def test_an_event_that_winning_brings_about_is_named(world: World) -> None:
    wins = [datetime.fromisoformat(row["customer_at"]) for row in world.customers]
    after = [
        event(row["profile_id"], at - timedelta(days=3), "", code="contract_signed")
        for row, at in zip(world.customers, wins, strict=True)
    ]

    honest = JourneyScorer().fit(world.events, world.customers, AS_OF)
    fooled = JourneyScorer().fit(world.events + after, world.customers, AS_OF)

    assert honest.alarms_ == []
    assert "Event contract signed" in _about(fooled.alarms_)


def test_that_the_keenest_of_all_win_is_no_leak(world: World) -> None:
    won = {row["profile_id"] for row in world.customers}
    more = [
        event(
            row["profile_id"],
            datetime.fromisoformat(row["occurred_at"]) + timedelta(minutes=minute),
            row["url"] if row["profile_id"] in won else "/",
        )
        for row in world.events
        for minute in (1, 2, 3)
    ]

    told = JourneyScorer().fit(world.events + more, world.customers, AS_OF)

    assert told.alarms_ == []


def test_people_as_ever_raise_no_alarm(world: World, fitted: JourneyScorer) -> None:
    for days in (0, 20, 50):
        now = THEN + timedelta(days=days)

        assert fitted.drift(world.events, _open(world, now), now) == []
        assert fitted.outcomes(world.events, world.customers, now) == []


def test_people_of_another_kind_raise_the_alarm(world: World, fitted: JourneyScorer) -> None:
    now = THEN + timedelta(days=25)
    moved = [
        row | {"url": "/pricing"} if row["occurred_at"] > THEN.isoformat() else row
        for row in world.events
    ]

    found = fitted.drift(moved, _open(world, now), now)

    assert {"score", "page:pricing|count_30"} <= _about(found)
    told = fitted.watch(moved, _open(world, now), world.customers, now)
    assert told.alarms == found
    assert told.psi is not None
    assert told.psi > 0.25
    kept = JourneyScorer.from_bytes(fitted.to_bytes(KEY), KEY)
    assert kept.drift(moved, _open(world, now), now) == found


def test_outcomes_that_turn_round_raise_the_alarm(world: World, fitted: JourneyScorer) -> None:
    turned = _turned(world)

    found = fitted.outcomes(turned.events, turned.customers, AS_OF)

    assert {alarm.kind for alarm in found} == {"outcome"}


def _turned(world: World) -> World:
    """Return the same with those who came since winning if they had not, a week after they came."""
    came: dict[str, str] = {}
    for row in world.events:
        came[row["profile_id"]] = min(row["occurred_at"], came.get(row["profile_id"], "9"))
    before = [row for row in world.customers if row["customer_at"] < THEN.isoformat()]
    won = {row["profile_id"] for row in world.customers}
    others = [
        {"profile_id": who, "customer_at": datetime.fromisoformat(at) + timedelta(days=9)}
        for who, at in came.items()
        if at > THEN.isoformat() and who not in won
    ]
    return replace(world, customers=before + others)


def test_a_few_people_differ_by_chance() -> None:
    chance = np.random.default_rng(0)
    found = [
        shift(*(chance.multinomial(60, [0.1] * 10).astype(float) for _ in range(2)))
        for _ in range(300)
    ]

    assert max(found) > 0.25
    assert max(found) < 1.5 * chance_shift(np.full(10, 6.0), np.full(10, 6.0))


def test_what_no_landmark_could_see_changes_nothing_to_the_bit(
    world: World, fitted: JourneyScorer
) -> None:
    ripe = THEN - timedelta(days=int(fitted.report_["horizon_days"]))
    early = {row["profile_id"] for row in world.events if row["occurred_at"] < ripe.isoformat()}
    later = [event(who, ripe + timedelta(hours=1), "/checkout", code="new") for who in early]
    heard = [
        event(who, ripe - timedelta(days=1), "/checkout", received_at=ripe + timedelta(hours=1))
        for who in early
    ]

    told = JourneyScorer().fit(world.events + later + heard, world.customers, THEN)

    assert told.to_bytes(KEY) == fitted.to_bytes(KEY)


@pytest.mark.parametrize("base", [-3.0, -1.5, 0.0])
@pytest.mark.parametrize("filled", [0.25, 0.6])
def test_a_field_that_only_winners_have_raises_the_alarm(base: float, filled: float) -> None:
    columns, won = table(1200, base=base)
    chance = np.random.default_rng(1)
    some = won & (chance.random(1200) < filled)

    scorer = LeadScorer().fit(columns | {"sum": np.where(some, chance.normal(9, 1, 1200), 0)}, won)

    assert [alarm.about for alarm in scorer.alarms_ if alarm.about != "auc"] == ["sum"]
