from __future__ import annotations

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import (
    LAYOUTS,
    Pipeline,
    Role,
    Slot,
    check,
    furthest,
    is_forward,
)


def faults_of(pipeline: Pipeline, *targets: Slot) -> tuple[str, ...]:
    with pytest.raises(ConfigurationRefused) as refusal:
        check(pipeline, targets)
    return refusal.value.faults


def test_the_default_pipeline_is_sound() -> None:
    check(Pipeline(), targets=set(Slot) - {Slot.SEVENTH, Slot.POST_SALE})


def test_the_default_funnel_runs_mql_sal_sql() -> None:
    assert [slot.value for slot in Pipeline().funnel] == [1, 2, 3, 6, 5, 4, 7, 8, 9]


def test_mql_to_sql_is_forward_though_the_number_falls() -> None:
    funnel = Pipeline().funnel

    assert is_forward(funnel, Slot.SIXTH, Slot.FOURTH)
    assert not is_forward(funnel, Slot.FOURTH, Slot.SIXTH)


def test_no_slot_lies_before_itself() -> None:
    assert not any(is_forward(Pipeline().funnel, slot, slot) for slot in Pipeline().funnel)


def test_the_furthest_slot_is_the_furthest_down_the_funnel() -> None:
    assert furthest(Pipeline().funnel, [Slot.SIXTH, Slot.FOURTH, Slot.QUALIFIED]) is Slot.FOURTH


@pytest.mark.parametrize(
    ("layout", "middle"),
    [
        ("sql-sal-mql", ["sql", "sal", "mql"]),
        ("mql-sql-sal", ["mql", "sql", "sal"]),
        ("mql-sal-sql", ["mql", "sal", "sql"]),
    ],
)
def test_a_layout_permutes_the_roles_of_4_to_6(layout: str, middle: list[str]) -> None:
    roles = Pipeline(layout).roles

    assert [roles[slot] for slot in (Slot.FOURTH, Slot.FIFTH, Slot.SIXTH)] == middle
    assert roles[Slot.CUSTOMER] is Role.SUCCESS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_under_every_layout_sales_runs_mql_sal_sql(layout: str) -> None:
    pipeline = Pipeline(layout)

    ways = [pipeline.roles[slot] for slot in pipeline.funnel]
    assert ways[2:7] == [Role.QUALIFIED, Role.MQL, Role.SAL, Role.SQL, Role.CUSTOM]


def test_a_label_changes_nothing_but_itself() -> None:
    renamed = Pipeline(labels={Slot.FOURTH: "MQL", Slot.SIXTH: "SQL"})

    check(renamed)
    assert renamed.roles == Pipeline().roles
    assert renamed.funnel == Pipeline().funnel


@pytest.mark.parametrize("slot", [Slot.ANONYMOUS, Slot.INCENTIVIZED, Slot.DO_NOT_CONTACT])
def test_a_locked_slot_keeps_its_label(slot: Slot) -> None:
    faults = faults_of(Pipeline(labels={slot: "Mine"}))

    assert faults == (f"slot {slot.value} is locked: its label can't be changed",)


@pytest.mark.parametrize("slot", [3, 4, 5, 6, 7, 8, 9])
def test_every_other_slot_may_be_renamed(slot: int) -> None:
    check(Pipeline(labels={Slot(slot): "Ours"}))


@pytest.mark.parametrize("slot", [3, 4, 5, 6, 8])
def test_only_7_and_9_may_stay_empty(slot: int) -> None:
    assert f"slot {slot} needs a label" in faults_of(Pipeline(labels={Slot(slot): " "}))


@pytest.mark.parametrize("slot", [Slot.SEVENTH, Slot.POST_SALE])
def test_an_empty_slot_is_no_target_until_it_is_named(slot: Slot) -> None:
    faults = faults_of(Pipeline(), slot)

    assert faults == (f"slot {slot.value} has no label, so it can't be a target: name it first",)
    check(Pipeline(labels={slot: "Partner"}), [slot])


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4, 5, 6, 7, 8, 8],
        [1, 2, 3, 4, 5, 6, 7, 8, 10],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ],
)
def test_a_funnel_order_holds_1_to_9_exactly_once(numbers: list[int]) -> None:
    faults = faults_of(Pipeline(funnel=tuple(map(Slot, numbers))))

    assert faults == ("the funnel order must hold each slot from 1 to 9 exactly once",)


def test_an_unknown_layout_is_refused_with_those_there_are() -> None:
    (fault,) = faults_of(Pipeline("sideways"))

    assert "sideways" in fault
    assert all(layout in fault for layout in LAYOUTS)


def test_two_slots_can_not_share_a_label() -> None:
    faults = faults_of(Pipeline(labels={Slot.SEVENTH: " customer"}))

    assert faults == ("two slots are called 'customer'",)


@pytest.mark.parametrize("label", ["x" * 61, "two\nlines"])
def test_a_label_is_one_short_line(label: str) -> None:
    assert len(faults_of(Pipeline(labels={Slot.FOURTH: label}))) == 1


def test_every_fault_is_named_at_once() -> None:
    pipeline = Pipeline("sideways", {Slot.ANONYMOUS: "Ghost"}, (Slot.ANONYMOUS,))

    assert len(faults_of(pipeline, Slot.SEVENTH)) == 4


def test_a_picklist_shows_an_empty_slot_by_number() -> None:
    assert Pipeline().option_label(Slot.SEVENTH) == "Slot 7"
    assert Pipeline().option_label(Slot.CUSTOMER) == "Customer"
