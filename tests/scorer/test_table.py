from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from scorer import LeadScorer
from scorer.kinds import log_odds
from scorer.measures import auc
from tests.scorer.people import KEY, table


@pytest.fixture(scope="module")
def fitted() -> LeadScorer:
    return LeadScorer().fit(*table(900))


def test_who_is_likelier_to_win_comes_first(fitted: LeadScorer) -> None:
    columns, won = table(900, seed=1)

    assert auc(won.astype(float), fitted.predict_proba(columns)[:, 1]) > 0.75


def test_chances_are_true_on_average(fitted: LeadScorer) -> None:
    columns, won = table(3000, seed=2)

    assert fitted.predict_proba(columns)[:, 1].mean() == pytest.approx(won.mean(), abs=0.05)


@settings(max_examples=25)
@given(
    time=st.lists(st.floats(allow_infinity=True) | st.none(), min_size=1, max_size=8),
    kind=st.sampled_from(["firm", "person", "never seen", "", None]),
)
def test_reasons_sum_to_the_log_odds(
    fitted: LeadScorer, time: list[float | None], kind: str | None
) -> None:
    count = len(time)
    columns = {"time": time, "kind": [kind] * count, "asked": [True] * count, "visits": [3] * count}

    sums = [sum(points.values()) for points in fitted.explain(columns)]

    chances = fitted.predict_proba(columns)[:, 1]
    assert sums == pytest.approx([log_odds(chance) for chance in chances], abs=1e-9)


def test_scores_are_whole_numbers_that_grow_with_the_chance(fitted: LeadScorer) -> None:
    columns, _ = table(500, seed=3)
    chances, scores = fitted.predict_proba(columns)[:, 1], fitted.predict_score(columns)

    assert scores.dtype.kind == "i"
    assert set(scores) <= set(range(1, 11))
    assert (np.diff(scores[np.argsort(chances)]) >= 0).all()


@pytest.mark.parametrize(
    ("wins", "state"), [(4, "rules"), (5, "learning"), (19, "learning"), (20, "trained")]
)
def test_the_number_of_successes_says_what_it_may(wins: int, state: str) -> None:
    columns, _ = table(200)

    scorer = LeadScorer().fit(columns, np.arange(200) < wins)

    assert scorer.state_ == state


def test_extremes_are_for_those_who_have_learned() -> None:
    columns, _ = table(300)
    keen = np.argsort(-np.nan_to_num(columns["time"]))[:10]

    scores = LeadScorer().fit(columns, np.isin(np.arange(300), keen)).predict_score(columns)

    assert scores.min() >= 3
    assert scores.max() <= 8


def test_nobody_has_won_yet() -> None:
    columns, _ = table(50)

    scorer = LeadScorer().fit(columns, np.zeros(50))

    assert scorer.state_ == "rules"
    assert scorer.predict_proba(columns)[:, 1].max() < 0.05


def test_the_same_data_and_chance_give_the_same_bytes() -> None:
    columns, won = table(300)

    first, second = (LeadScorer(random_state=7).fit(columns, won).to_bytes(KEY) for _ in range(2))

    assert first == second


def test_a_model_that_was_kept_scores_the_same_to_the_bit(fitted: LeadScorer) -> None:
    columns, _ = table(200, seed=4)

    kept = LeadScorer.from_bytes(fitted.to_bytes(KEY), KEY)

    assert (kept.predict_proba(columns) == fitted.predict_proba(columns)).all()
    assert kept.explain(columns) == fitted.explain(columns)
    assert kept.to_bytes(KEY) == fitted.to_bytes(KEY)


def test_words_that_only_look_like_classes_are_kept() -> None:
    columns, won = table(300)

    scorer = LeadScorer().fit(columns, np.where(won, "yes", "no"))

    assert list(scorer.classes_) == ["no", "yes"]
    assert set(scorer.predict(columns)) <= {"no", "yes"}


def test_it_keeps_to_the_conventions_of_scikit_learn(fitted: LeadScorer) -> None:
    assert fitted.get_params() == {"random_state": 0}
    assert fitted.n_features_in_ == 4
    assert list(fitted.feature_names_in_) == ["time", "kind", "asked", "visits"]
    with pytest.raises(NotFittedError):
        clone(fitted).predict_proba(table(5)[0])


def test_a_frame_is_read_without_knowing_whose_it_is(fitted: LeadScorer) -> None:
    class Frame(dict[str, Any]):
        @property
        def columns(self) -> list[str]:
            return list(self)

    columns, _ = table(50)

    assert (fitted.predict_score(Frame(columns)) == fitted.predict_score(columns)).all()


def test_rows_of_numbers_are_a_table_too() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3))

    scorer = LeadScorer().fit(rows, rows[:, 0] > 0.5)

    assert list(scorer.explain(rows[:1])[0]) == ["intercept", "x0", "x1", "x2"]


def test_a_column_that_is_lacking_is_named(fitted: LeadScorer) -> None:
    columns, _ = table(10)
    del columns["kind"]

    with pytest.raises(ValueError, match="kind"):
        fitted.predict_proba(columns)


def test_a_column_written_after_the_fact_raises_the_alarm() -> None:
    columns, won = table(600)

    honest = LeadScorer().fit(columns, won)
    fooled = LeadScorer().fit(columns | {"stage": np.where(won, "closed won", "open")}, won)

    assert honest.alarms_ == []
    assert [alarm.kind for alarm in fooled.alarms_][:1] == ["leak"]
    assert "stage" in fooled.alarms_[0].text


def test_people_of_another_kind_raise_the_alarm(fitted: LeadScorer) -> None:
    columns, _ = table(500, seed=5)
    others = columns | {"kind": ["firm"] * 500, "time": columns["time"] * 50}

    assert fitted.drift(columns) == []
    assert {"score", "kind"} <= {alarm.about for alarm in fitted.drift(others)}


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_hardly_anybody_did_not_win(lost: int) -> None:
    columns, _ = table(40)

    scorer = LeadScorer().fit(columns, np.arange(40) >= lost)

    assert scorer.predict_proba(columns)[:, 1].mean() > 0.9


@pytest.mark.parametrize("chance", [None, np.random.RandomState(3), np.int64(3)])
def test_chance_may_be_given_as_in_scikit_learn(chance: Any) -> None:
    columns, won = table(200)

    kept = LeadScorer.from_bytes(LeadScorer(chance).fit(columns, won).to_bytes(KEY), KEY)

    assert kept.state_ == "trained"
