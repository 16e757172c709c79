"""A changed mapping moves nobody by itself; asked to, it is one batch that can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import Role
from connector.mapping.document import preset
from connector.mapping.table import Mapping, Meaning, SlotRow, Vocabulary
from connector.pipeline.configuring import save_mapping
from connector.pipeline.undoing import undo
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, CONNECTION, House

MQL = "marketingqualifiedlead"


def nurtured() -> Mapping:
    """Return the preset with one more row: nurtured MQLs are accepted."""
    now = preset("hubspot")
    row = SlotRow(Role.SAL, frozenset({MQL}), frozenset({"NURTURE"}))
    return replace(now, slots=(row, *now.slots))


def save(house: House, *, dry_run: bool = False) -> dict[str, Any]:
    return save_mapping(
        house.services, CONNECTION, nurtured(), dry_run=dry_run, reevaluate=not dry_run
    )


def two_who_were_nurtured(house: House) -> None:
    """Have an MQL, and a Customer who was one."""
    for record_id in ("11", "12"):
        lead(house, record_id, hs_lead_status="NURTURE")
        house.crm.edit(record_id, lifecyclestage=MQL)
        house.sync()
        house.clock.pass_(60)
    house.crm.edit("12", lifecyclestage="customer")
    house.sync()


def test_a_dry_run_names_who_would_move_and_moves_nobody(house: House) -> None:
    two_who_were_nurtured(house)

    told = save(house, dry_run=True)

    assert [(one["from"], one["to"]) for one in told["items"]] == [(6, 5)]
    assert (house.slot("11"), house.slot("12")) == (6, 8)


def test_undoing_a_reevaluation_touches_only_whom_it_moved(house: House) -> None:
    two_who_were_nurtured(house)
    batch_id = save(house)["batch_id"]
    assert (house.slot("11"), house.slot("12")) == (5, 8)

    told = undo(house.services, ACCOUNT, batch_id, dry_run=False)

    assert told["moved"] == [house.profile_of("11")]
    assert (house.slot("11"), house.slot("12")) == (6, 8)


def test_a_stage_learned_late_but_set_before_our_move_does_not_stop_it(house: House) -> None:
    profile = lead(house)
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")
    house.crm.edit("11", lifecyclestage=MQL)
    house.clock.pass_(10)
    house.move(profile, 4)
    house.hear(house.crm.told())

    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "active")
    house.sync()

    assert house.crm.value("11", "lifecyclestage") == "salesqualifiedlead"


def test_a_field_that_the_crm_does_not_have_is_refused(house: House) -> None:
    mapping = preset("hubspot")
    fields = {kind: dict(own) for kind, own in mapping.fields.items()}
    fields["contact"][Meaning.LIFECYCLE] = "no_such_field"
    names = {"contact": frozenset({"email", "lifecyclestage", "hs_lead_status"})}
    with house.store.writing() as unit:
        unit.set_vocabulary(CONNECTION, Vocabulary(names=names), house.clock.now())

    with pytest.raises(ConfigurationRefused, match="no field 'no_such_field' on a contact"):
        save_mapping(
            house.services,
            CONNECTION,
            replace(mapping, fields=fields),
            dry_run=True,
            reevaluate=False,
        )


def test_a_row_about_companies_keeps_counting_after_the_re_evaluation(house: House) -> None:
    lead(house)
    house.crm.create("501", "company", lifecyclestage="customer")
    house.crm.hire("11", "501")
    house.sync()
    now = preset("hubspot")
    row = SlotRow(Role.SQL, company=frozenset({"customer"}))
    mapping = replace(now, slots=(row, *now.slots))

    save_mapping(house.services, CONNECTION, mapping, dry_run=False, reevaluate=True)
    house.clock.pass_(60)
    house.crm.edit("11", hubspot_owner_id="7")
    house.sync()

    assert house.slot("11") == 4
