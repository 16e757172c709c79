"""Chance is never promoted, behaviour that tells is."""

import numpy as np
import pytest

from bench.worlds import AS_OF, NOISE, by_prices
from scorer import JourneyScorer
from scorer.gates import Standing, order_among


@pytest.mark.parametrize("kind", NOISE)
def test_chance_is_not_promoted(kind: str) -> None:
    world = NOISE[kind](np.random.default_rng(7), 160, 50)

    scorer = JourneyScorer().fit(world.events, world.customers, AS_OF)

    assert not scorer.report_["promoted"]
    assert scorer.report_["gate"]
    assert scorer.state_ == "learning"


def test_behaviour_that_tells_is_promoted() -> None:
    world = by_prices(np.random.default_rng(7), 160, 40)

    scorer = JourneyScorer().fit(world.events, world.customers, AS_OF)

    assert scorer.state_ == "trained"
    assert scorer.report_["gate"] == []


@pytest.mark.parametrize("seed", [0, 6])
def test_behaviour_of_two_dozen_customers_that_tells_is_promoted(seed: int) -> None:
    world = by_prices(np.random.default_rng(seed), 200, 25)

    assert JourneyScorer().fit(world.events, world.customers, AS_OF).state_ == "trained"


@pytest.mark.parametrize("kind", ["after a fixed lag", "heavy users"])
def test_chance_among_two_dozen_customers_is_not_promoted(kind: str) -> None:
    world = NOISE[kind](np.random.default_rng(9), 200, 25)

    assert JourneyScorer().fit(world.events, world.customers, AS_OF).state_ == "learning"


def test_who_is_ahead_by_age_alone_is_ahead_of_no_peer() -> None:
    chance = np.random.default_rng(1)
    came = np.sort(chance.permutation(10**6)[:2000])
    won = (chance.random(2000) < came / 2e6).astype(float)
    among = Standing(np.arange(2000), np.zeros(2000, np.int64), came)

    order = order_among(won, np.exp(came / 1e5), among)

    assert order.ahead == pytest.approx(0.5)
    assert order.error < 0.02


def test_who_did_more_is_ahead_of_peers() -> None:
    chance = np.random.default_rng(2)
    did, came = chance.normal(size=1000), chance.integers(0, 10**6, 1000)
    won = (chance.random(1000) < 1 / (1 + np.exp(2 - did))).astype(float)
    among = Standing(np.arange(1000), chance.integers(0, 3, 1000), came)

    order = order_among(won, did, among)

    assert order.ahead - 3 * order.error > 0.5


def test_rows_of_one_profile_make_an_order_no_surer() -> None:
    chance = np.random.default_rng(3)
    points, won = chance.normal(size=300), (np.arange(300) < 30).astype(float)
    who, came = np.arange(300), chance.permutation(300)
    once = order_among(won, points, Standing(who, np.zeros(300, np.int64), came))
    kinds = np.repeat([0, 1, 2], 300)

    thrice = order_among(
        np.tile(won, 3), np.tile(points, 3), Standing(np.tile(who, 3), kinds, np.tile(came, 3))
    )

    assert thrice == pytest.approx(once)


def test_nobody_to_compare_with_proves_nothing() -> None:
    alone = Standing(np.arange(3), np.arange(3), np.arange(3))

    assert order_among(np.array([1.0, 0.0, 1.0]), np.arange(3.0), alone) == (0.5, 1.0)
