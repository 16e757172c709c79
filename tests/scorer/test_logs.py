"""Event logs and lists of customers as people have them."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from scorer import JourneyScorer
from scorer.events import read_events, read_time, read_times
from scorer.landmarks import make_rows, read_wins
from tests.scorer.people import AS_OF, KEY, START, event, journeys
from tests.scorer.test_cells import NONE

NAN = float("nan")


@pytest.mark.parametrize("none", NONE)
def test_people_without_a_deal_share_none(none: Any) -> None:
    events = read_events([event(name, START, "/") for name in ("a", "b")])
    won = (START + timedelta(days=9)).isoformat()
    told = {"profile_id": ["a", "b"], "customer_at": [won, won], "deal": [none, none]}

    assert list(read_wins(events, told, read_time(AS_OF)).weight) == [1.0, 1.0]


@pytest.mark.parametrize("none", NONE)
def test_a_customer_without_a_date_is_no_row(none: Any) -> None:
    events = read_events([event(name, START, "/") for name in ("a", "b", "c")])
    told = {"profile_id": ["a", "b"], "customer_at": [START + timedelta(days=9), none]}
    now = read_time(AS_OF)

    wins = read_wins(events, told, now)
    rows = make_rows(events, wins, now, 30)

    assert (wins.told, list(wins.usable)) == (2, [True, False, False])
    assert set(rows.who) == {0, 2}


@pytest.mark.parametrize("none", NONE)
def test_what_does_not_say_when_it_came_in_came_in_at_once(none: Any) -> None:
    rows = [event("a", START, "/", received_at=none), event("a", START, "/", received_at=AS_OF)]

    told = read_events(rows)

    assert list(told.received) == [read_time(START), read_time(AS_OF)]


def test_gaps_in_arrays_of_instants_are_gaps() -> None:
    whole = np.array(["2026-01-02", "NaT"], dtype="datetime64[ns]")

    assert list(read_times(whole, np.array([1, 2]))) == [read_time("2026-01-02"), 2]


@pytest.mark.parametrize("none", NONE)
def test_what_nobody_did_is_left_out(none: Any) -> None:
    told = read_events([event("a", START, "/"), event(none, START, "/docs")])

    assert (told.profiles, len(told)) == (("a",), 1)


def test_an_id_is_the_same_as_a_word_and_as_any_number() -> None:
    ids: list[Any] = ["7", 7, 7.0, np.int64(7), np.float64(7)]
    rows = [event(one, START, "/") for one in ids]

    told = read_events(rows)

    assert told.profiles == ("7",)
    assert list(told.find(ids)) == [0] * 5


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_as_numbers_are_of_the_unit_that_makes_sense(unit: str) -> None:
    second = np.datetime64("2026-01-02T03:04:05", "s")
    number = second.astype(f"datetime64[{unit}]").astype(np.int64)
    then = read_time("2026-01-02T03:04:05+00:00")

    assert list(read_times(np.array([number]))) == [then]
    assert read_time(float(number)) == pytest.approx(then, abs=1000)
    assert read_time(str(number)) == pytest.approx(then, abs=1000)


@pytest.mark.parametrize(
    "same", [AS_OF.date(), AS_OF.replace(tzinfo=None), "2026-06-30 00:00:00 UTC", "2026-06-30"]
)
def test_an_instant_is_utc_if_unsaid(same: Any) -> None:
    assert read_time(same) == read_time(AS_OF)


def test_an_instant_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="'yesterday'"):
        read_time("yesterday")


def test_an_empty_log_is_a_log() -> None:
    scorer = JourneyScorer().fit([], [], AS_OF)

    assert scorer.state_ == "untrained"
    assert list(scorer.predict_score([], ["a"], AS_OF)) == [0]


@pytest.mark.parametrize("lacking", ["profile_id", "customer_at"])
def test_a_column_that_customers_lack_is_named(lacking: str) -> None:
    customers = {"profile_id": ["a"], "customer_at": [START]}
    del customers[lacking]

    with pytest.raises(ValueError, match=lacking):
        JourneyScorer().fit([event("a", START, "/")], customers, AS_OF)


@pytest.mark.parametrize("days", [0, -3])
def test_a_horizon_is_a_day_at_least(days: int) -> None:
    with pytest.raises(ValueError, match="horizon_days"):
        JourneyScorer().fit(*journeys(20), AS_OF, days)


def test_a_horizon_may_be_any_whole_number() -> None:
    same: list[Any] = [20, np.int64(20)]

    whole, numpys = (JourneyScorer().fit(*journeys(40), AS_OF, days) for days in same)

    assert whole.to_bytes(KEY) == numpys.to_bytes(KEY)
