"""The switch that lets a connection make records: absent is off."""

from __future__ import annotations

from typing import Any

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import Pipeline, Slot
from connector.mapping.creation import Creation
from connector.mapping.document import dump, parse, preset


def with_creation(**switch: Any) -> dict[str, object]:
    return {**dump(preset("hubspot")), "create": switch}


def test_a_mapping_that_says_nothing_makes_nobody() -> None:
    assert preset("hubspot").create is None
    assert "create" not in dump(preset("hubspot"))


def test_what_is_kept_of_the_switch_reads_back_the_same() -> None:
    mapping = parse(with_creation(from_slot=6, daily_cap=50))

    assert mapping.create == Creation(Slot.SIXTH, 50)
    assert parse(dump(mapping)) == mapping


def test_further_means_funnel_order() -> None:
    slots = Creation(Slot.SIXTH, 1).slots(Pipeline().funnel)

    assert [int(slot) for slot in slots] == [6, 5, 4, 7, 8, 9]


@pytest.mark.parametrize(
    "switch",
    [
        {"from_slot": 2, "daily_cap": 50},
        {"from_slot": 10, "daily_cap": 50},
        {"from_slot": 6},
        {"from_slot": 6, "daily_cap": 0},
        {"from_slot": 6, "daily_cap": True},
        {"from_slot": 6, "daily_cap": 50, "typed": True},
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(switch: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationRefused, match="create"):
        parse(with_creation(**switch))
