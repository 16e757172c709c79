"""Every preset that ships, under every layout that there is."""

from __future__ import annotations

from importlib.resources import files

import pytest

from connector.domain.slots import LAYOUTS, Pipeline, Role, Slot
from connector.mapping import document
from connector.mapping.lookup import Lookup
from connector.mapping.plan import row_for
from connector.mapping.table import Meaning, Mode

FOLDER = files("connector.mapping") / "presets"
SHIPPED = sorted(file.name.removesuffix(".yaml") for file in FOLDER.iterdir())


def test_hubspot_ships() -> None:
    assert "hubspot" in SHIPPED


@pytest.mark.parametrize("system", SHIPPED)
def test_a_preset_is_named_for_its_system(system: str) -> None:
    assert document.preset(system).system == system


@pytest.mark.parametrize("system", SHIPPED)
def test_a_preset_comes_back_from_its_document(system: str) -> None:
    preset = document.preset(system)

    assert document.parse(document.dump(preset)) == preset


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("system", SHIPPED)
def test_a_preset_fits_every_layout(system: str, layout: str) -> None:
    document.check(Lookup(document.preset(system), Pipeline(layout)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("system", SHIPPED)
def test_no_preset_row_targets_7_9_or_the_systems_slots(system: str, layout: str) -> None:
    targets = Lookup(document.preset(system), Pipeline(layout)).targets()

    assert targets <= {Slot(number) for number in (3, 4, 5, 6, 8)}


@pytest.mark.parametrize("system", SHIPPED)
def test_a_preset_goes_neither_backward_nor_pushes_opt_outs(system: str) -> None:
    preset = document.preset(system)

    assert not preset.allow_backward
    assert not preset.push_opt_out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hubspots_preset_writes_mql_sql_and_customer(layout: str) -> None:
    lookup = Lookup(document.preset("hubspot"), Pipeline(layout))

    written = {}
    for slot in Slot:
        row = row_for(slot, lookup)
        if row and row.lifecycle and row.lifecycle.mode is Mode.IF_UNCHANGED:
            written[lookup.pipeline.roles[slot]] = row.lifecycle.value
    assert written == {
        Role.MQL: "marketingqualifiedlead",
        Role.SQL: "salesqualifiedlead",
        Role.SUCCESS: "customer",
    }


def test_hubspots_default_words_are_all_mapped() -> None:
    lookup = Lookup(document.preset("hubspot"))
    stages = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer"
    statuses = (
        "NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING"
    )

    words = [(Meaning.LIFECYCLE, stage) for stage in (*stages.split(), "evangelist", "other")]
    words += [(Meaning.LEAD_STATUS, status) for status in statuses.split()]
    assert [value for meaning, value in words if lookup.is_unmapped(meaning, value)] == []
