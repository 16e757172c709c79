import numpy as np

from scorer.alarms import outcomes
from scorer.bands import State, scores
from scorer.gates import Order, judge, judge_first
from scorer.kinds import Floats, chances
from scorer.measures import auc, calibration_error, lift, shift


def _world(rows: int = 2000, seed: int = 0) -> tuple[Floats, Floats]:
    chance = np.random.default_rng(seed)
    truth = chance.normal(-1.5, 1.2, rows)
    return truth, (chance.random(rows) < chances(truth)).astype(float)


def test_a_first_model_that_knows_something_is_promoted() -> None:
    truth, won = _world()

    assert judge_first(won, truth, -1.2).promoted


def test_a_first_model_of_noise_is_not() -> None:
    _, won = _world()
    noise = np.random.default_rng(1).normal(-1.2, 0.3, len(won))

    verdict = judge_first(won, noise, -1.2)

    assert not verdict.promoted
    assert verdict.reasons


def test_an_order_that_chance_makes_once_in_many_nights_is_not_enough() -> None:
    truth, won = _world()

    lucky = judge_first(won, truth, -1.2, order=Order(0.661, 0.046))

    assert [reason for reason in lucky.reasons if "may be chance (0.66" in reason]
    assert judge_first(won, truth, -1.2, order=Order(0.69, 0.046)).promoted


def test_a_better_challenger_is_promoted() -> None:
    truth, won = _world()
    blurred = truth + np.random.default_rng(2).normal(0, 0.6, len(truth))

    assert judge(won, truth, blurred).promoted
    assert not judge(won, blurred, truth).promoted


def test_a_challenger_that_moves_everybody_needs_a_word() -> None:
    truth, won = _world()
    other = np.random.default_rng(3).normal(-1.2, 1.0, len(truth))

    assert not judge(won, truth, other).promoted
    assert judge(won, truth, other, accept_shift=True).promoted


def test_chances_that_miss_raise_the_alarm() -> None:
    truth, won = _world()

    assert outcomes(truth, won) == []
    assert [alarm.about for alarm in outcomes(truth + 2.0, won)] == ["calibration"]


def test_a_score_keeps_its_meaning() -> None:
    points = np.array([-9.0, -2.0, -0.1, 0.0, 1.0, 2.0]) - 1.5

    assert list(scores(points, -1.5, State.TRAINED)) == [1, 2, 5, 6, 8, 10]
    assert list(scores(points, -1.5, State.LEARNING)) == [3, 3, 5, 6, 8, 8]


def test_measures_know_the_perfect_and_the_useless() -> None:
    won = np.array([0.0] * 90 + [1.0] * 10)

    assert auc(won, won) == 1.0
    assert auc(won, np.zeros(100)) == 0.5
    assert lift(won, won) == 10.0
    assert calibration_error(won, won) == 0.0
    assert shift(np.array([50.0, 50.0]), np.array([5000.0, 5000.0])) < 1e-3
