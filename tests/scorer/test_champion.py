"""A model that serves, and those that want to."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from scorer import JourneyScorer
from scorer.alarms import Alarm
from scorer.champion import outgrown, without_new_leaks
from scorer.gates import Verdict
from scorer.kinds import log_odds
from tests.scorer.people import AS_OF, KEY, journeys

Rows = list[dict[str, Any]]
THEN = AS_OF - timedelta(days=60)


@pytest.fixture(scope="module")
def log() -> tuple[Rows, Rows]:
    return journeys(300)


@pytest.fixture(scope="module")
def champion(log: tuple[Rows, Rows]) -> JourneyScorer:
    return JourneyScorer().fit(*log, THEN)


def test_a_challenger_is_compared_on_what_became_known_since(
    log: tuple[Rows, Rows], champion: JourneyScorer
) -> None:
    challenger = JourneyScorer().fit(*log, AS_OF, champion=champion)

    figures = challenger.report_["metrics"]
    assert champion.state_ == "trained"
    assert 20 <= figures["won"] < challenger.report_["rows_won"]
    assert {"sure", "same", "champion_auc", "champion_log_loss"} <= set(figures)
    assert challenger.report_["promoted"] == (challenger.state_ == "trained")


def test_what_the_champion_knows_already_takes_nobodys_place(
    log: tuple[Rows, Rows], champion: JourneyScorer
) -> None:
    again = JourneyScorer().fit(*log, THEN, champion=champion)

    assert not again.report_["promoted"]
    assert again.report_["gate"]


def test_a_champion_that_knew_a_third_of_the_customers_is_no_measure(
    log: tuple[Rows, Rows],
) -> None:
    events, customers = log
    young = JourneyScorer().fit(events, customers[::3], AS_OF)
    young.state_ = "trained"

    grown = JourneyScorer().fit(events, customers, AS_OF, champion=young)

    assert (grown.state_, grown.base_) == ("trained", young.base_)
    assert "champion_auc" not in grown.report_["metrics"]
    few, many = (each.report_["customers_learned_from"] for each in (young, grown))
    assert outgrown(many, young.report_)
    assert not outgrown(2 * few - 1, young.report_)


def test_a_champion_that_was_fooled_gives_way(log: tuple[Rows, Rows]) -> None:
    chance = np.random.default_rng(0)
    events, customers = log
    fooled = JourneyScorer().fit(events, customers, THEN)
    fooled.learned_.model.table[:] *= -1.0
    fooled.learned_.model.table[:] += chance.normal(0, 0.01, len(fooled.learned_.model.table))

    challenger = JourneyScorer().fit(events, customers, AS_OF, champion=fooled, accept_shift=True)

    assert challenger.report_["promoted"]


def test_scores_hang_on_the_champions_base_until_a_rebase(
    log: tuple[Rows, Rows], champion: JourneyScorer
) -> None:
    challenger = JourneyScorer().fit(*log, AS_OF, champion=champion)
    kept = JourneyScorer.from_bytes(challenger.to_bytes(KEY), KEY)

    assert kept.base_ == champion.base_
    assert kept.rebase().base_ == challenger.learned_.base


def test_a_frozen_base_moves_scores_and_no_chances(
    log: tuple[Rows, Rows], champion: JourneyScorer
) -> None:
    people = [f"p{number:04}" for number in range(50)]
    other = JourneyScorer.from_bytes(champion.to_bytes(KEY), KEY)
    other.base_ = log_odds(0.9)

    same = other.predict_proba(log[0], people, AS_OF)
    assert np.array_equal(same, champion.predict_proba(log[0], people, AS_OF), equal_nan=True)
    assert (
        other.predict_score(log[0], people, AS_OF).sum()
        < champion.predict_score(log[0], people, AS_OF).sum()
    )


def test_an_untrained_champion_is_none(log: tuple[Rows, Rows]) -> None:
    rules = JourneyScorer().fit(log[0], log[1][:2], AS_OF)

    scorer = JourneyScorer().fit(*log, AS_OF, champion=rules)

    assert scorer.report_["promoted"]
    assert scorer.base_ == scorer.learned_.base


def test_a_leak_that_the_champion_does_not_have_is_refused() -> None:
    fine = Verdict(True, (), {})
    leak = Alarm("leak", "stage", 0.99, "stage carries 99%")

    assert not without_new_leaks(fine, [leak], []).promoted
    assert without_new_leaks(fine, [leak], [leak]).promoted
