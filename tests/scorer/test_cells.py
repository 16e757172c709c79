"""Cells as people's tables have them: missing in many ways, mixed, huge, dated."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from scorer import LeadScorer
from scorer.cells import is_missing, number_of, word_of
from scorer.columns import read_column
from scorer.measures import auc
from tests.scorer.people import table


class Neither:
    """What pandas.NA is: neither like anything nor unlike it."""

    def __eq__(self, other: object) -> Any:
        return self

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


NAN = float("nan")
NONE = [None, NAN, np.float32("nan"), np.datetime64("NaT"), Neither(), "", " ", "NaN", "<NA>"]


@pytest.mark.parametrize("cell", NONE)
def test_a_cell_that_says_nothing_is_missing(cell: Any) -> None:
    assert is_missing(cell)
    assert word_of(cell) == ""
    assert np.isnan(number_of(cell))


def test_nullable_columns_of_a_frame_are_learned_from() -> None:
    columns, won = table(300)
    for name, cells in columns.items():
        gaps = [Neither() if n % 5 == 0 else cell for n, cell in enumerate(cells)]
        columns[name] = np.array(gaps, dtype=object)

    assert LeadScorer().fit(columns, won).report_["auc"] > 0.6


def test_words_beside_nothing_stay_words() -> None:
    assert read_column(["a", NAN, None, 1, 1.0, True]) == ["a", "", "", "1", "1", "True"]


def test_a_row_is_scored_alike_alone_and_among_others() -> None:
    chance = np.random.default_rng(0)
    codes = [1000001, 1000002.0, True, "007", "x", None]
    cells = [codes[n] for n in chance.integers(0, 6, 400)]
    scorer = LeadScorer().fit({"code": cells}, [cell in {1000001, "007"} for cell in cells])

    together = scorer.predict_proba({"code": codes})
    alone = [scorer.predict_proba({"code": [code]})[0] for code in codes]

    assert (together == np.array(alone)).all()
    assert len(np.unique(together[:, 1])) > 1


def test_a_few_words_leave_a_column_of_numbers_what_it_is() -> None:
    told = read_column([*(f"{n}.5" for n in range(99)), "unknown"])

    assert isinstance(told, np.ndarray)
    assert np.isnan(told[-1])
    assert told[98] == 98.5


def test_dates_of_every_make_are_the_same_numbers() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(30)]
    aware = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
    arrays = np.array(days, dtype="datetime64[ns]")

    same = [read_column(each) for each in (days, aware, arrays, list(arrays))]

    assert all(np.array_equal(each, same[0]) for each in same)


@pytest.mark.parametrize("huge", [1e300, 1.7e308, 10**400])
def test_huge_numbers_are_numbers(huge: float) -> None:
    won = np.arange(200) % 4 == 0
    column = [huge if yes else number for number, yes in enumerate(won.tolist())]

    scorer = LeadScorer().fit({"amount": column}, won)

    assert auc(won.astype(float), scorer.decision_function({"amount": column})) > 0.98


def test_a_column_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="dimensions"):
        LeadScorer().fit({"a": np.zeros((4, 2))}, [0, 1, 0, 1])


def test_rows_without_names_go_by_their_place() -> None:
    columns, won = table(200)
    numbers = {name: columns[name] for name in ("time", "visits")}
    scorer = LeadScorer().fit(numbers, won)
    rows = np.column_stack(list(numbers.values()))

    assert (scorer.predict_proba(rows) == scorer.predict_proba(numbers)).all()
    with pytest.raises(ValueError, match="3 columns"):
        scorer.predict_proba(np.zeros((2, 3)))


@pytest.mark.parametrize("y", [[1.0, NAN], [None, 1], [], [[1, 0], [0, 1]]])
def test_an_outcome_that_says_nothing_is_refused(y: Any) -> None:
    with pytest.raises(ValueError, match="y "):
        LeadScorer().fit({"a": [1.0, 2.0]}, y)


def test_outcomes_may_be_rows_of_one() -> None:
    columns, won = table(200)

    flat, rows = (LeadScorer().fit(columns, each) for each in (won, won.reshape(-1, 1)))

    assert (flat.predict_proba(columns) == rows.predict_proba(columns)).all()
