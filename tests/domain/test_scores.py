"""When a CRM is told of a score."""

from __future__ import annotations

import pytest

from connector.domain.facts import ProfileId
from connector.domain.scores import Score, ScoreState, Shown, is_due, shown_to, state_of, trend_of
from connector.domain.slots import Slot

LEARNED = ScoreState.LEARNING


def known(value: int | None, trend: int = 0) -> Score:
    shown = Shown(LEARNED, value, "Up: Visits +1.0")
    return Score(ProfileId("p"), LEARNED, value, shown=shown, trend=trend)


@pytest.mark.parametrize(
    ("before", "value", "at_once", "due"),
    [
        (None, 5, False, True),  # the first word
        (known(5), 5, True, False),  # nothing has changed
        (known(5), 6, False, False),  # a point, once
        (known(5, trend=1), 6, False, True),  # a point, twice
        (known(5, trend=-1), 6, False, False),  # it wavers
        (known(5), 7, False, True),
        (known(5), 6, True, True),  # a mark brought it about
        (known(5), None, False, True),
        (known(None), 5, False, True),
    ],
)
def test_a_small_change_is_told_once_it_has_lasted(
    before: Score | None, value: int | None, *, at_once: bool, due: bool
) -> None:
    assert is_due(before, LEARNED, value, at_once=at_once) is due


def test_a_new_state_is_told_though_the_number_stays() -> None:
    assert is_due(known(5), ScoreState.TRAINED, 5, at_once=False)


def test_the_trend_is_measured_from_what_is_shown() -> None:
    assert trend_of(known(5), 6) == 1
    assert trend_of(known(None), 6) == trend_of(None, 6) == trend_of(known(5), None) == 0


@pytest.mark.parametrize("slot", [Slot.CUSTOMER, Slot.POST_SALE])
def test_who_is_beyond_has_a_state_and_no_score(slot: Slot) -> None:
    assert shown_to(slot, known(7)) == Shown(LEARNED)
    assert state_of(slot, known(7)) is LEARNED


def test_who_must_not_be_contacted_is_suppressed_whatever_is_known() -> None:
    assert shown_to(Slot.DO_NOT_CONTACT, known(7)) == Shown(ScoreState.SUPPRESSED)
    assert state_of(Slot.DO_NOT_CONTACT, None) is ScoreState.SUPPRESSED


def test_without_a_journey_there_is_no_score() -> None:
    assert shown_to(Slot.QUALIFIED, None) == Shown()
    assert state_of(None, None) is ScoreState.NO_JOURNEY
