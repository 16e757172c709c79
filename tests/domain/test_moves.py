from __future__ import annotations

import pytest

from connector.domain.moves import Go, Stay, judge
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor

FULL = Pipeline(labels={Slot.SEVENTH: "Meeting held", Slot.POST_SALE: "Partner"})

# Rows: the slot a profile is in ("-": none yet). Columns: the slot wished for.
# g: go. x: refused. =: it is there already, nothing happens.
PERSON = """
        1 2 3 4 5 6 7 8 9 10
    -   x x g g g g g g g g
    1   = x g g g g g g g g
    2   x = g g g g g g g g
    3   x x = g g g g g g g
    4   x x g = g g g g g g
    5   x x g g = g g g g g
    6   x x g g g = g g g g
    7   x x g g g g = g g g
    8   x x g g g g g = g g
    9   x x g g g g g g = g
    10  x x x x x x x x x =
"""
RULE = """
        1 2 3 4 5 6 7 8 9 10
    -   x x x x x x x x x x
    1   = x x x x x x x x x
    2   x = x x x x x x x x
    3   x x = g g g g x x x
    4   x x x = x x g x x x
    5   x x x g = x g x x x
    6   x x x g g = g x x x
    7   x x x x x x = x x x
    8   x x x x x x x = x x
    9   x x x x x x x x = x
    10  x x x x x x x x x =
"""
SYSTEM = """
        1 2 3 4 5 6 7 8 9 10
    -   g g g x x x x x x g
    1   = g g x x x x x x g
    2   g = g x x x x x x g
    3   x x = x x x x x x g
    4   x x g = x x x x x g
    5   x x g x = x x x x g
    6   x x g x x = x x x g
    7   x x x x x x = x x g
    8   x x x x x x x = x g
    9   x x x x x x x x = g
    10  x x x x x x x x x =
"""
TABLES = {
    Actor.PERSON: PERSON,
    Actor.CRM: PERSON,
    Actor.PLATFORM: PERSON,
    Actor.IMPORT: PERSON,
    Actor.RULE: RULE,
    Actor.SYSTEM: SYSTEM,
}


def drawn(pipeline: Pipeline, actor: Actor) -> str:
    lines = ["        1 2 3 4 5 6 7 8 9 10"]
    for now in (None, *Slot):
        marks = " ".join(_mark(judge(now, wish, actor, pipeline)) for wish in Slot)
        lines.append(f"    {now.value if now else '-':<3} {marks}")
    return "\n" + "\n".join(lines) + "\n"


def _mark(verdict: Go | Stay) -> str:
    if isinstance(verdict, Go):
        return "g"
    return "=" if verdict.allowed else "x"


def test_the_tables_cover_every_actor() -> None:
    assert TABLES.keys() == set(Actor)


@pytest.mark.parametrize("actor", Actor)
def test_every_wish_from_every_slot_gets_the_answer_of_the_table(actor: Actor) -> None:
    assert drawn(FULL, actor) == TABLES[actor]


@pytest.mark.parametrize("actor", Actor)
@pytest.mark.parametrize("empty", [Slot.SEVENTH, Slot.POST_SALE])
@pytest.mark.parametrize("now", [None, *Slot])
def test_nobody_is_moved_into_an_empty_slot(actor: Actor, empty: Slot, now: Slot | None) -> None:
    verdict = judge(now, empty, actor, Pipeline())

    assert isinstance(verdict, Stay)
    assert verdict.allowed is (now is empty)


def test_a_move_goes_to_the_slot_that_was_wished() -> None:
    assert judge(Slot.FOURTH, Slot.CUSTOMER, Actor.PERSON, FULL) == Go(Slot.CUSTOMER)


def test_a_rule_takes_an_mql_on_to_sql() -> None:
    assert judge(Slot.SIXTH, Slot.FOURTH, Actor.RULE, Pipeline()) == Go(Slot.FOURTH)


def test_a_rule_never_takes_an_sql_back_to_mql() -> None:
    verdict = judge(Slot.FOURTH, Slot.SIXTH, Actor.RULE, Pipeline())

    assert verdict == Stay("rules only climb")


def test_under_another_layout_a_rule_follows_the_roles() -> None:
    pipeline = Pipeline("mql-sal-sql")

    assert judge(Slot.FOURTH, Slot.SIXTH, Actor.RULE, pipeline) == Go(Slot.SIXTH)


def test_the_own_slot_is_no_fault_and_no_move() -> None:
    verdict = judge(Slot.FIFTH, Slot.FIFTH, Actor.PERSON, FULL)

    assert verdict == Stay("it is there already", allowed=True)


@pytest.mark.parametrize("actor", Actor)
def test_a_refusal_out_of_10_names_the_way_out(actor: Actor) -> None:
    verdict = judge(Slot.DO_NOT_CONTACT, Slot.FIFTH, actor, FULL)

    assert isinstance(verdict, Stay)
    assert "re-consent" in verdict.reason
