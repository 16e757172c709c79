import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer import JourneyScorer, LeadScorer
from scorer.bands import State
from scorer.kinds import chances
from scorer.learning import LEARNING_FROM, PAIRS_FROM, TRAINED_FROM
from scorer.points import loudness, reasons
from scorer.readiness import LEARNS_FROM, NEXT, OPENS_AT, PAIRS_AT, next_at, readiness
from scorer.summary import bands, calibration_bins, conversion, lift_by_tenth, uncertainty, wilson
from tests.scorer.people import AS_OF, journeys, table


@pytest.fixture(scope="module")
def fitted() -> JourneyScorer:
    return JourneyScorer().fit(*journeys(300), AS_OF)


def _world(rows: int = 2000) -> tuple[Any, Any]:
    chance = np.random.default_rng(0)
    truth = chance.normal(-1.5, 1.2, rows)
    return truth, (chance.random(rows) < chances(truth)).astype(float)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_lies_in_its_interval(won: int, lost: int) -> None:
    low, high = wilson(won, won + lost)

    assert 0 <= low <= high <= 1
    assert not won + lost or low - 1e-9 <= won / (won + lost) <= high + 1e-9


def test_more_rows_make_an_interval_narrower() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # as textbooks have it
    assert np.ptp(wilson(80, 100)) < np.ptp(wilson(8, 10))


def test_tenths_and_scores_count_every_row_once() -> None:
    points, won = _world(1003)

    for told in (
        lift_by_tenth(points, won),
        calibration_bins(points, won),
        conversion(points, won, -1.2, State.TRAINED),
    ):
        assert sum(part["rows"] for part in told) == 1003
        assert sum(part["won"] for part in told) == won.sum()


def test_the_best_tenth_wins_most_and_the_true_chance_is_calibrated() -> None:
    points, won = _world()
    lift, parts = lift_by_tenth(points, won), calibration_bins(points, won)

    assert lift[0]["lift"] > 2
    assert lift[-1]["lift"] < 1
    assert np.average([part["lift"] for part in lift]) == pytest.approx(1.0, abs=0.01)
    assert sum(part["low"] <= part["predicted"] <= part["high"] for part in parts) >= 9


def test_a_score_that_nobody_has_says_nothing() -> None:
    told = conversion(np.array([0.0]), np.array([1.0]), 0.0, State.TRAINED)

    assert [row["rate"] for row in told] == [None] * 5 + [1.0] + [None] * 4
    assert (told[0]["low"], told[0]["high"]) == (0.0, 1.0)


@pytest.mark.parametrize(("state", "first", "last"), [("trained", 1, 10), ("learning", 3, 8)])
def test_bands_take_every_chance_in(state: str, first: int, last: int) -> None:
    told = bands(-1.5, State(state))

    assert [band["score"] for band in told] == list(range(first, last + 1))
    assert (told[0]["from"], told[-1]["to"]) == (0.0, 1.0)
    assert [band["to"] for band in told[:-1]] == [band["from"] for band in told[1:]]


def test_groups_share_all_points_out() -> None:
    columns, won = table(300)
    many = {f"x{n:02}": np.random.default_rng(n).normal(size=300) for n in range(20)}
    told = LeadScorer().fit(columns | many, won).report_["plots"]["groups"]
    shares = [row["share"] for row in told[:-1]]

    assert len(told) == 16
    assert told[-1]["group"] == "the rest"
    assert shares == sorted(shares, reverse=True)
    assert sum(row["share"] for row in told) == pytest.approx(1.0, abs=1e-4)


def test_loudness_is_that_of_all_reasons_at_once() -> None:
    columns, won = table(300)
    scorer = LeadScorer().fit(columns, won)
    coded = scorer._code(columns)

    names, loud = loudness(scorer.learned_.model, scorer.scales_, coded, chunk=70)

    told = reasons(scorer.learned_.model, scorer.scales_, coded)
    assert names == told.groups
    assert loud == pytest.approx(np.abs(told.points).mean(axis=0))


def test_a_report_is_small_and_plain(fitted: JourneyScorer) -> None:
    told = json.dumps(fitted.report_, allow_nan=False)

    assert json.loads(told) == fitted.report_
    assert len(told) < 16_000
    assert fitted.report_["plots"]["rows"] == len(fitted.learned_.seen)


def test_a_table_has_the_same_plots() -> None:
    plots = LeadScorer().fit(*table(300)).report_["plots"]

    assert plots["rows"] == 300
    assert {"time", "kind", "visits"} <= {row["group"] for row in plots["groups"]}


def test_fill_says_what_events_bring(fitted: JourneyScorer) -> None:
    fill = fitted.report_["fill"]

    assert fill["pages"] == 1.0
    assert fill["campaigns"] == 0.0


def test_more_customers_make_a_score_surer() -> None:
    points, won = _world()

    few, many = (uncertainty(points, won, wins) for wins in (10, 400))

    assert few is not None
    assert many is not None
    assert many < few < 4
    assert uncertainty(points, won, 0) is None


def test_readiness_counts_from_where_learning_does() -> None:
    assert (LEARNS_FROM, OPENS_AT, PAIRS_AT) == (LEARNING_FROM, TRAINED_FROM, PAIRS_FROM)
    assert [next_at(many) for many in (0, 1, 7, 20, 100)] == [1, 5, 20, 100, None]


@pytest.mark.parametrize(
    ("wins", "said"),
    [
        (0, "0 usable customers of 0; from 1 on rules give points, before that nobody has a score"),
        (1, "1 usable customer of 1; from 5 on it learns from them instead of going by rules"),
        (7, "7 usable customers of 7; from 20 on the range opens to 1-10"),
    ],
)
def test_readiness_says_what_comes_next(wins: int, said: str) -> None:
    events, customers = journeys(300)

    report = JourneyScorer().fit(events, customers[:wins], AS_OF).report_

    assert report["readiness"]["sentences"][0] == said
    assert bool(report["readiness"]["interval"]) == (wins >= 5)


def test_readiness_says_what_is_lacking(fitted: JourneyScorer) -> None:
    counts = {"customers": 90, "usable_customers": 78, "provisional": True}

    how, idle, provisional, sure, lacking = readiness(fitted.report_ | counts)["sentences"]

    assert how == f"78 usable customers of 90; {NEXT['trained'](counts)}"
    assert idle.startswith("12 customers can't be learned from")
    assert provisional.startswith("outcomes are provisional")
    assert sure.startswith("a score is sure to ")
    assert lacking.startswith("hardly any profile has event codes, forms, sources")


def test_readiness_tells_a_journey_that_came_in_late_from_none() -> None:
    events, customers = journeys(300)
    late = [one | {"received_at": AS_OF.isoformat()} for one in events]
    silent = {"profile_id": "silent", "customer_at": customers[0]["customer_at"]}
    now = AS_OF + timedelta(seconds=1)

    report = JourneyScorer().fit(late, [*customers[:30], silent], now).report_

    assert report["state"] == "untrained"
    first, came_late, idle, *_ = report["readiness"]["sentences"]
    assert first.startswith("0 usable customers of 31; ")
    assert came_late.startswith("30 customers can't be learned from: the journey came in after")
    assert idle == "1 customer can't be learned from: no journey before the win"


def test_a_model_that_the_gate_held_says_so(fitted: JourneyScorer) -> None:
    held = fitted.report_ | {"promoted": False, "gate": ["it foretells no better"]}

    assert readiness(held)["sentences"][0].endswith("range at 3-8: it foretells no better")
