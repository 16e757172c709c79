"""Examples of the fold: one for each sentence of DESIGN 3."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.domain.facts import ConnectionId, RecordKey, Stamp
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor, Kind, Step, fold

FUNNEL = Pipeline().funnel
HERE = RecordKey(ConnectionId("hubspot"), "contact", "1")
THERE = RecordKey(ConnectionId("salesforce"), "lead", "2")
LEAD, SQL, SAL, MQL = Slot.QUALIFIED, Slot.FOURTH, Slot.FIFTH, Slot.SIXTH
CUSTOMER, PARTNER, OUT = Slot.CUSTOMER, Slot.POST_SALE, Slot.DO_NOT_CONTACT


def day(number: int) -> datetime:
    return datetime(2026, 5, number, tzinfo=UTC)


def step(
    kind: Kind,
    number: int,
    slot: Slot | None = None,
    *,
    record: RecordKey | None = None,
    start: Slot | None = None,
) -> Step:
    key = f"{number}:{kind}:{slot}"
    return Step(kind, Stamp(day(number)), key, Actor.CRM, FUNNEL, slot, start, record)


def says(number: int, slot: Slot, record: RecordKey = HERE) -> Step:
    return step(Kind.RESULT, number, slot, record=record)


def person(number: int, slot: Slot) -> Step:
    return step(Kind.PUT, number, slot)


def rule(number: int, slot: Slot) -> Step:
    return step(Kind.RAISE, number, slot)


def system(number: int, start: Slot | None, slot: Slot) -> Step:
    return step(Kind.SHIFT, number, slot, start=start)


def opt_out(number: int) -> Step:
    return step(Kind.OPT_OUT, number)


def reconsent(number: int) -> Step:
    return step(Kind.RECONSENT, number)


def path(*steps: Step) -> list[int]:
    return [move.goal.value for move in fold(steps).moves]


def slot_after(*steps: Step) -> Slot | None:
    return fold(steps).standing.slot


def success_of(*steps: Step) -> datetime | None:
    return fold(steps).standing.success_at


def test_nothing_said_is_no_slot() -> None:
    assert fold([]).standing.slot is None
    assert fold([]).slot_since is None


def test_the_first_move_comes_from_nowhere() -> None:
    (move,) = fold([says(1, MQL)]).moves

    assert (move.start, move.goal, move.when) == (None, MQL, day(1))


def test_a_records_forward_step_moves_on() -> None:
    assert path(says(1, LEAD), says(2, MQL), says(3, SAL), says(4, SQL)) == [3, 6, 5, 4]


def test_a_records_first_step_never_drags_back() -> None:
    assert path(person(1, SQL), says(2, LEAD)) == [4]


def test_a_records_first_step_may_take_on() -> None:
    assert path(person(1, LEAD), says(2, SQL)) == [3, 4]


def test_a_records_forward_step_stops_short_of_a_slot_that_is_further() -> None:
    assert path(says(1, LEAD), person(2, SQL), says(3, MQL)) == [3, 4]


def test_a_records_step_back_takes_the_profile_back() -> None:
    assert path(says(1, SQL), says(2, MQL)) == [4, 6]


def test_a_records_step_back_goes_no_further_than_what_other_records_say() -> None:
    assert path(says(1, SQL), says(2, SAL, THERE), says(3, LEAD)) == [4, 5]


def test_a_record_that_is_merged_away_says_no_more_at_that_instant() -> None:
    """A merge ends a record and has the survivor speak anew in one millisecond."""
    before = [says(1, SAL, THERE), person(2, CUSTOMER), says(2, CUSTOMER)]
    gone = replace(step(Kind.GONE, 3, record=THERE), key="the last by its key")

    assert path(*before, says(3, MQL), gone) == [5, 8, 6]


def test_a_records_step_back_can_lead_forward_to_what_another_record_says() -> None:
    assert path(says(1, SQL), says(2, SAL, THERE), person(3, LEAD), says(4, MQL)) == [4, 3, 5]


def test_a_deleted_record_holds_nobody_up() -> None:
    gone = step(Kind.GONE, 3, record=THERE)

    assert path(says(1, SQL), says(2, SAL, THERE), gone, says(4, LEAD)) == [4, 3]


def test_a_restored_record_counts_again() -> None:
    gone, back = step(Kind.GONE, 3, record=THERE), step(Kind.ALIVE, 4, record=THERE)

    assert path(says(1, SQL), says(2, SAL, THERE), gone, back, says(5, LEAD)) == [4, 5]


def test_deletion_makes_no_step() -> None:
    assert path(says(1, SQL), step(Kind.GONE, 2, record=HERE)) == [4]


def test_deletion_undoes_no_success() -> None:
    assert success_of(says(1, CUSTOMER), step(Kind.GONE, 2, record=HERE)) == day(1)


@pytest.mark.parametrize("slot", [LEAD, SAL, CUSTOMER, PARTNER])
def test_a_persons_step_leads_to_that_slot(slot: Slot) -> None:
    assert slot_after(says(1, SQL), person(2, slot)) is slot


def test_a_rules_step_leads_forward() -> None:
    assert path(says(1, LEAD), rule(2, MQL), rule(3, SQL)) == [3, 6, 4]


def test_a_rules_step_back_is_none() -> None:
    assert path(says(1, SQL), rule(2, MQL)) == [4]


@pytest.mark.parametrize("held", [Slot.ANONYMOUS, Slot.INCENTIVIZED])
def test_a_rule_acts_on_known_people_only(held: Slot) -> None:
    assert slot_after(system(1, None, held), rule(2, MQL)) is held
    assert slot_after(rule(2, MQL)) is None


@pytest.mark.parametrize("held", [CUSTOMER, PARTNER, OUT])
def test_a_rule_leads_nobody_out_of_8_9_or_10(held: Slot) -> None:
    assert slot_after(person(1, held), rule(2, Slot.SEVENTH)) is held


@pytest.mark.parametrize("wish", [CUSTOMER, PARTNER, OUT])
def test_a_rule_leads_nobody_into_8_9_or_10(wish: Slot) -> None:
    assert slot_after(person(1, SQL), rule(2, wish)) is SQL


def test_the_systems_step_counts_from_the_slot_it_starts_from() -> None:
    ways = [system(1, None, Slot.INCENTIVIZED), system(2, Slot.INCENTIVIZED, Slot.ANONYMOUS)]

    assert path(*ways) == [2, 1]


def test_the_systems_step_is_none_where_the_profile_has_moved_on() -> None:
    assert path(person(1, MQL), person(2, SQL), system(3, MQL, LEAD)) == [6, 4]


def test_an_opt_out_leads_to_10_whatever_else() -> None:
    assert slot_after(says(1, CUSTOMER), opt_out(2), person(3, SQL), says(4, SQL)) is OUT


def test_an_opt_out_that_comes_before_all_else_holds() -> None:
    assert slot_after(opt_out(1), says(2, SQL), rule(3, Slot.SEVENTH)) is OUT


def test_a_person_may_opt_someone_out() -> None:
    assert path(says(1, SQL), person(2, OUT), says(3, CUSTOMER)) == [4, 10]


def test_re_consent_leads_to_where_the_profile_would_be() -> None:
    assert path(says(1, SQL), opt_out(2), reconsent(3)) == [4, 10, 4]


def test_re_consent_of_a_stranger_leads_to_3() -> None:
    assert path(opt_out(1), reconsent(2)) == [10, 3]


def test_re_consent_of_someone_who_never_opted_out_is_nothing() -> None:
    assert path(reconsent(1)) == []


def test_an_opt_out_after_re_consent_counts_again() -> None:
    assert path(says(1, SQL), opt_out(2), reconsent(3), opt_out(4)) == [4, 10, 4, 10]


def test_an_untouched_value_never_undoes_a_rule() -> None:
    assert path(says(1, LEAD), rule(2, SQL), says(3, LEAD, THERE)) == [3, 4]


def test_a_fresh_lead_of_a_customer_changes_nothing() -> None:
    story = fold([says(1, CUSTOMER), says(9, LEAD, THERE)])

    assert [move.goal for move in story.moves] == [CUSTOMER]
    assert story.standing.success_at == day(1)


def test_a_late_event_is_put_in_its_place() -> None:
    on_time = [says(1, LEAD), says(2, SQL), person(3, MQL)]
    late = [on_time[0], on_time[2], on_time[1]]

    assert fold(late) == fold(on_time)
    assert slot_after(*late) is MQL


def test_a_doubled_step_counts_once() -> None:
    steps = [person(1, SQL), says(2, LEAD)]

    assert fold([*steps, *steps]) == fold(steps)


def test_our_own_write_is_known_and_moves_nobody() -> None:
    known = step(Kind.KNOWN, 2, SAL, record=HERE)

    assert path(says(1, LEAD), known) == [3]


def test_undoing_our_own_write_is_a_step_back() -> None:
    known = step(Kind.KNOWN, 3, MQL, record=HERE)

    assert path(says(1, LEAD), rule(2, MQL), known, says(4, LEAD)) == [3, 6, 3]


def test_steps_at_one_time_go_by_their_tie() -> None:
    first = Step(Kind.PUT, Stamp(day(1), "a"), "z", Actor.PERSON, FUNNEL, SQL)
    second = Step(Kind.PUT, Stamp(day(1), "b"), "a", Actor.PERSON, FUNNEL, SAL)

    assert path(second, first) == [4, 5]


def test_slot_since_is_when_the_profile_came_there() -> None:
    assert fold([says(1, SQL), says(2, LEAD, THERE)]).slot_since == day(1)


def test_a_success_is_dated_by_its_step() -> None:
    assert success_of(says(1, SQL), says(2, CUSTOMER)) == day(2)


def test_a_customer_who_churns_stays_a_success() -> None:
    assert success_of(says(1, CUSTOMER), person(2, PARTNER)) == day(1)


def test_a_customer_who_opts_out_stays_a_success() -> None:
    assert success_of(says(1, CUSTOMER), opt_out(2)) == day(1)


def test_a_win_in_slot_10_counts_while_the_slot_stays() -> None:
    story = fold([says(1, SQL), opt_out(2), says(3, CUSTOMER)])

    assert story.standing.slot is OUT
    assert story.standing.success_at == day(3)


def test_a_win_in_slot_9_counts_while_the_slot_stays() -> None:
    story = fold([person(1, PARTNER), says(2, CUSTOMER)])

    assert story.standing.slot is PARTNER
    assert story.standing.success_at == day(2)


def test_leaving_8_backwards_undoes_the_success() -> None:
    assert success_of(says(1, CUSTOMER), person(2, SQL)) is None
    assert success_of(says(1, CUSTOMER), says(2, SQL)) is None


def test_an_undone_success_won_again_has_its_new_date() -> None:
    assert success_of(says(1, CUSTOMER), person(2, SQL), person(3, CUSTOMER)) == day(3)


def test_a_second_win_keeps_the_first_date() -> None:
    assert success_of(says(1, CUSTOMER), says(2, CUSTOMER, THERE)) == day(1)


def test_coming_back_from_9_to_8_keeps_the_first_date() -> None:
    assert success_of(says(1, CUSTOMER), person(2, PARTNER), person(3, CUSTOMER)) == day(1)


def test_a_lever_pulled_after_an_opt_out_changes_nothing_underneath() -> None:
    lever = step(Kind.PUT, 3, SQL, record=HERE)

    story = fold([says(1, CUSTOMER), opt_out(2), lever, reconsent(4)])

    assert story.standing.slot is CUSTOMER
    assert story.standing.success_at == day(1)
