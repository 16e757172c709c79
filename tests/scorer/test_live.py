"""Accounts whose events all came in today, and marks a minute later."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer import JourneyScorer
from scorer.events import read_events, read_time
from scorer.kinds import Ints
from scorer.landmarks import Rows, Wins, eves, first_of, make_rows, read_wins
from tests.scorer.people import AS_OF, event

Log = list[dict[str, Any]]
WON, LIKE_THEM, PEOPLE = 8, 8, 60
NOW = AS_OF + timedelta(minutes=3)


def _today(months: int = 0, seed: int = 0) -> Log:
    """Return what came in within half a minute; the first and last eight look at prices."""
    chance = np.random.default_rng(seed)
    events = []
    for number in range(PEOPLE):
        keen = number < WON or number >= PEOPLE - LIKE_THEM
        for step in range(int(chance.integers(3, 8))):
            page = "/pricing" if keen and step % 2 else str(chance.choice(["/", "/blog", "/docs"]))
            came = AS_OF + timedelta(seconds=float(chance.uniform(0, 30)))
            did = came - timedelta(days=float(chance.uniform(0, 30 * months)))
            events.append(event(f"p{number:02}", did, page, received_at=came.isoformat()))
    return events


def _marks(apart: float = 1.0, count: int = WON) -> Log:
    first = AS_OF + timedelta(minutes=1)
    return [
        {"profile_id": f"p{n:02}", "customer_at": first + timedelta(seconds=apart * n)}
        for n in range(count)
    ]


def _scores(scorer: JourneyScorer, events: Log) -> tuple[Ints, Ints]:
    """Return the scores of open profiles that do as customers did, and of the others."""
    like = [f"p{n:02}" for n in range(PEOPLE - LIKE_THEM, PEOPLE)]
    others = [f"p{n:02}" for n in range(WON, PEOPLE - LIKE_THEM)]
    return scorer.predict_score(events, like, NOW), scorer.predict_score(events, others, NOW)


@pytest.mark.parametrize(
    ("apart", "months"), [(1.0, 0), (0.0, 0), (1.0, 3)], ids=["apart", "at once", "old events"]
)
def test_marks_a_minute_after_the_first_events_are_learned(apart: float, months: int) -> None:
    events = _today(months)

    scorer = JourneyScorer().fit(events, _marks(apart), NOW)

    like, others = _scores(scorer, events)
    assert scorer.state_ == "learning"
    assert scorer.report_["provisional"]
    assert scorer.report_["customers_learned_from"] == WON
    assert like.mean() > others.mean() + 1


def test_a_history_that_was_imported_is_learned_as_it_happened() -> None:
    events = [
        row | {"received_at": row["occurred_at"]} for row in _today(months=3)
    ]  # imported: it counts as received when it happened

    scorer = JourneyScorer().fit(events, _marks(), NOW)

    like, others = _scores(scorer, events)
    assert scorer.state_ == "learning"
    assert like.mean() > others.mean() + 1


def test_five_customers_of_today_are_enough() -> None:
    scorer = JourneyScorer().fit(_today(), _marks(count=5), NOW)

    assert scorer.state_ == "learning"


def test_a_customer_whose_events_came_after_the_win_is_not_usable() -> None:
    early = [{"profile_id": f"p{n:02}", "customer_at": AS_OF - timedelta(1)} for n in range(9, 20)]

    report = JourneyScorer().fit(_today(months=3), _marks() + early, NOW).report_

    assert (report["customers"], report["usable_customers"]) == (19, WON)


@given(order=st.permutations(range(2 * WON)))
def test_of_several_dates_the_first_counts_in_whatever_order(order: list[int]) -> None:
    events = read_events(_today())
    marks = [row | {"deal": "a"} for row in _marks()]
    again = [row | {"customer_at": row["customer_at"] + timedelta(5), "deal": "b"} for row in marks]
    both = [*marks, *again]

    told = read_wins(events, [both[n] for n in order], read_time(NOW))

    plain = read_wins(events, marks, read_time(NOW))
    assert (told.at == plain.at).all()
    assert (told.weight == plain.weight).all()


def test_a_row_is_of_what_had_come_in_before_it_and_of_nothing_else() -> None:
    rows = _rows(_today(), _marks())

    log = read_events(_today())
    assert (first_of(log)[rows.who] < rows.when).all()
    assert rows.y.sum() == WON


def test_what_becomes_of_one_profile_moves_no_landmark_of_its_own() -> None:
    rows = _rows(_today(), _marks(apart=7.0))

    landmarks = [sorted(set(rows.when[rows.kind == kind])) for kind in np.unique(rows.kind)]

    assert all(len(instants) == 1 for instants in landmarks)


Stays = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=12)


@given(stays=Stays, most=st.integers(1, 12))
def test_eves_see_every_customer_if_they_may_be_as_many(
    stays: list[tuple[int, int]], most: int
) -> None:
    first = np.array([start for start, _ in stays])
    at = np.array([start + 1 + more for start, more in stays])  # an instant between at least
    wins = Wins(at, np.ones(len(at)), len(at), np.ones(len(at), np.bool_))

    found = eves(first, wins, most)

    seen = ((first[:, None] < found) & (found < at[:, None])).any(axis=1)
    assert len(found) <= most
    assert set(found + 1) <= set(at)
    assert seen.all() or len(found) == most


def _rows(events: Log, marks: Log, now: datetime = NOW) -> Rows:
    log, instant = read_events(events), read_time(now)
    return make_rows(log, read_wins(log, marks, instant), instant, None)
