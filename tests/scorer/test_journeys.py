from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from scorer import JourneyScorer
from scorer.days import day_buckets
from scorer.events import read_events, read_time
from scorer.landmarks import make_rows, own_horizon, read_wins, thinned
from scorer.measures import auc
from tests.scorer.people import AS_OF, KEY, START, event, journeys

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def log() -> tuple[Rows, Rows]:
    return journeys(300)


@pytest.fixture(scope="module")
def fitted(log: tuple[Rows, Rows]) -> JourneyScorer:
    return JourneyScorer().fit(*log, AS_OF)


def test_those_who_will_win_come_first(fitted: JourneyScorer) -> None:
    events, customers = journeys(300, seed=9)
    people = sorted({row["profile_id"] for row in events})
    won = np.isin(people, [row["profile_id"] for row in customers])

    chances = fitted.predict_proba(events, people, AS_OF)[:, 1]

    assert fitted.state_ == "trained"
    assert auc(won.astype(float), chances) > 0.7


def test_reasons_sum_to_the_log_odds(fitted: JourneyScorer, log: tuple[Rows, Rows]) -> None:
    people = [f"p{number:04}" for number in range(50)]

    sums = [sum(points.values()) for points in fitted.explain(log[0], people, AS_OF)]

    assert sums == pytest.approx(fitted.decision_function(log[0], people, AS_OF), abs=1e-9)


def test_nobody_without_a_journey_gets_a_score(
    fitted: JourneyScorer, log: tuple[Rows, Rows]
) -> None:
    assert list(fitted.predict_score(log[0], ["who never came"], AS_OF)) == [0]
    assert np.isnan(fitted.predict_proba(log[0], ["who never came"], AS_OF)).all()
    assert fitted.explain(log[0], ["who never came"], AS_OF) == [{}]


def test_the_future_changes_no_model(fitted: JourneyScorer, log: tuple[Rows, Rows]) -> None:
    events, customers = log
    after = [event(f"p{n:04}", AS_OF + timedelta(days=n), "/checkout") for n in range(300)]
    late = [event("p0001", START, "/checkout", received_at=(AS_OF + timedelta(1)).isoformat())]
    soon = [{"profile_id": "p0001", "customer_at": (AS_OF + timedelta(days=1)).isoformat()}]

    told = JourneyScorer().fit(events + after + late, customers + soon, AS_OF)

    assert told.to_bytes(KEY) == fitted.to_bytes(KEY)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_is_never_promoted(log: tuple[Rows, Rows], seed: int) -> None:
    chance = np.random.default_rng(seed)
    customers = [
        {"profile_id": f"p{n:04}", "customer_at": START + timedelta(days=chance.uniform(0, 180))}
        for n in chance.choice(300, 90, replace=False)
    ]

    scorer = JourneyScorer().fit(log[0], customers, AS_OF)

    assert not scorer.report_["promoted"]
    assert scorer.report_["gate"]
    assert scorer.state_ == "learning"


def test_days_and_todays_events_give_the_same_score(
    fitted: JourneyScorer, log: tuple[Rows, Rows]
) -> None:
    now = START + timedelta(days=100, hours=15)
    people = [f"p{number:04}" for number in range(300)]
    today = now.replace(hour=0)
    recent = [row for row in log[0] if datetime.fromisoformat(row["occurred_at"]) >= today]
    buckets = day_buckets(read_events(log[0]), read_time(now))

    whole = fitted.predict_proba(log[0], people, now)
    by_days = fitted.predict_proba(recent, people, now, buckets)

    assert np.array_equal(whole, by_days, equal_nan=True)


@pytest.mark.parametrize(
    ("wins", "state"),
    [(0, "untrained"), (1, "rules"), (4, "rules"), (5, "learning"), (19, "learning")],
)
def test_the_number_of_usable_customers_says_what_it_may(
    log: tuple[Rows, Rows], wins: int, state: str
) -> None:
    events, customers = log
    scorer = JourneyScorer().fit(events, customers[:wins], AS_OF)

    assert scorer.state_ == state
    assert scorer.report_["usable_customers"] == wins


def test_before_any_customer_there_is_no_score(log: tuple[Rows, Rows]) -> None:
    scorer = JourneyScorer().fit(log[0], [], AS_OF)

    assert set(scorer.predict_score(log[0], ["p0001", "p0002"], AS_OF)) == {0}


def test_rules_speak_until_there_is_something_to_learn_from(log: tuple[Rows, Rows]) -> None:
    scorer = JourneyScorer().fit(log[0], log[1][:2], AS_OF)
    now = START + timedelta(days=170)
    more = log[0] + [
        event("keen", now - timedelta(hours=1), "/pricing"),
        event("job", now - timedelta(hours=1), "/careers"),
    ]

    keen, job = scorer.predict_score(more, ["keen", "job"], now)

    assert 3 <= job < keen <= 8


def test_a_customer_without_a_journey_counts_for_nothing(log: tuple[Rows, Rows]) -> None:
    silent = [{"profile_id": f"s{n}", "customer_at": AS_OF - timedelta(days=50)} for n in range(9)]

    report = JourneyScorer().fit(log[0], log[1][:5] + silent, AS_OF).report_

    assert (report["customers"], report["usable_customers"]) == (14, 5)


def test_people_of_one_deal_are_one_success() -> None:
    events = read_events([event(name, START, "/") for name in ("a", "b", "c")])
    won = (START + timedelta(days=9)).isoformat()
    deals = [
        {"profile_id": name, "customer_at": won, "deal": deal}
        for name, deal in (("a", "1"), ("b", "1"), ("c", ""))
    ]

    assert list(read_wins(events, deals, read_time(AS_OF)).weight) == [0.5, 0.5, 1.0]


def test_the_horizon_is_the_accounts_own() -> None:
    events = read_events([event(f"p{n}", START, "/") for n in range(10)])
    wins = [
        {"profile_id": f"p{n}", "customer_at": START + timedelta(days=20 + n)} for n in range(10)
    ]

    assert own_horizon(events, read_wins(events, wins, read_time(AS_OF))) == 28


def test_a_row_counts_only_once_its_horizon_is_over() -> None:
    events = read_events([event(f"p{n:02}", START + timedelta(days=n), "/") for n in range(60)])
    wins = [
        {"profile_id": f"p{n:02}", "customer_at": START + timedelta(days=n + 10)} for n in range(40)
    ]
    now = read_time(START + timedelta(days=60))

    rows = make_rows(events, read_wins(events, wins, now), now, 20)

    assert not rows.provisional
    assert rows.when.max() <= read_time(START + timedelta(days=40))


def test_too_few_complete_rows_make_labels_provisional() -> None:
    events = read_events([event(f"p{n}", AS_OF - timedelta(days=9), "/") for n in range(60)])
    wins = [{"profile_id": f"p{n}", "customer_at": AS_OF - timedelta(days=5)} for n in range(20)]
    now = read_time(AS_OF)

    assert make_rows(events, read_wins(events, wins, now), now, None).provisional


def test_a_model_that_was_kept_scores_the_same_to_the_bit(
    fitted: JourneyScorer, log: tuple[Rows, Rows]
) -> None:
    kept = JourneyScorer.from_bytes(fitted.to_bytes(KEY), KEY)
    people = [f"p{number:04}" for number in range(50)]

    assert kept.explain(log[0], people, AS_OF) == fitted.explain(log[0], people, AS_OF)
    assert kept.report_ == fitted.report_


def test_of_very_many_lost_only_some_people_are_learned_from() -> None:
    log = read_events(journeys(people=600, seed=3)[0])
    wins = read_wins(log, journeys(people=600, seed=3)[1], read_time(AS_OF))
    rows = make_rows(log, wins, read_time(AS_OF), None)

    fewer, share = thinned(rows, 0, (400, 400))

    winners = np.unique(rows.who[rows.y > 0])
    lost, kept = (~np.isin(each.who, winners) for each in (rows, fewer))
    assert kept.sum() == pytest.approx(400, rel=0.1)
    assert share == pytest.approx(fewer.weights[kept].sum() / rows.weights[lost].sum())
    assert (fewer.y > 0).sum() == (rows.y > 0).sum()
    assert set(fewer.when[fewer.newest]) == set(rows.when[rows.newest])
    assert thinned(rows, 0) == (rows, 1.0)


def test_all_but_one_have_won() -> None:
    days = [START + timedelta(days=n) for n in range(5)]
    events = [event(f"a{n}", day, "/") for n, day in enumerate([*days, days[0]])]
    won = [(f"a{n}", day + timedelta(days=10)) for n, day in enumerate(days)]
    customers = [{"profile_id": who, "customer_at": at} for who, at in won]

    scorer = JourneyScorer().fit(events, customers, AS_OF)

    assert (scorer.state_, scorer.report_["usable_customers"]) == ("learning", 5)
