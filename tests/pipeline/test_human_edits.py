"""What people do in the CRM stands, whenever they do it (DESIGN 5.4)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from connector.domain.errors import CrmDown
from connector.domain.slots import Role
from connector.mapping.document import preset
from connector.mapping.table import Meaning, Mode, OutboundRow, Put
from connector.ports import Fate, Outcome
from connector.store import tables as t
from tests.pipeline.acts import Crash, after, before, crash, lead, writes
from tests.pipeline.crm import Trouble
from tests.pipeline.house import CONNECTION, House

MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"


def test_an_edit_that_was_made_before_our_read_stands(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    edit(house, lifecyclestage="subscriber")
    house.crm.rows.clear()  # its webhook is still on its way

    house.run()

    assert house.crm.past("11", "lifecyclestage") == ["lead", "subscriber"]
    assert house.notes("write_skipped") == ["changed in the CRM meanwhile: lifecyclestage"]


def test_an_edit_we_did_not_know_of_is_read_at_once(house: House) -> None:
    profile = lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    house.crm.rows.clear()

    house.raise_(profile, 6)
    house.run()

    assert house.slot("11") == 8


@pytest.mark.parametrize("tells_history", [True, False])
def test_an_edit_between_our_read_and_our_write_is_put_back(
    house: House, *, tells_history: bool
) -> None:
    profile = lead(house, lifecyclestage="subscriber")
    house.crm.tells_history = tells_history
    before(house, "write", lambda: edit(house, lifecyclestage="lead"), "lifecyclestage")
    house.move(profile, 6)

    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["subscriber", "lead", MQL, "", "lead"]
    assert house.notes("human_edit_put_back") == ["lifecyclestage"]
    assert house.slot("11") == 6


def test_a_forward_edit_between_our_read_and_our_write_is_kept_by_the_crm_itself(
    house: House,
) -> None:
    profile = lead(house)
    before(house, "write", lambda: edit(house, lifecyclestage="customer"), "lifecyclestage")
    house.move(profile, 6)

    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["lead", "customer"]
    assert house.slot("11") == 8
    assert house.notes("human_edit_put_back") == []


def test_a_forward_edit_in_between_is_not_cleared_where_going_back_is_allowed(
    house: House,
) -> None:
    house.remap(allow_backward=True)
    profile = lead(house)
    before(house, "write", lambda: edit(house, lifecyclestage="customer"), "lifecyclestage")
    house.move(profile, 6)

    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["lead", "customer"]


def test_an_edit_after_our_write_is_theirs_and_moves_the_profile(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    house.sync()
    house.clock.pass_(10)

    house.crm.edit("11", lifecyclestage=SQL)
    house.sync()

    assert house.slot("11") == 4
    assert house.crm.value("11", "lifecyclestage") == SQL


def test_an_edit_that_was_taken_back_before_our_read_is_not_brought_up_again(
    house: House,
) -> None:
    profile = lead(house, lifecyclestage="subscriber")
    house.crm.edit("11", lifecyclestage="lead")
    house.clock.pass_(5)
    house.crm.edit("11", lifecyclestage="subscriber")
    late = house.crm.told()
    house.clock.pass_(5)
    house.move(profile, 6)
    house.run()

    house.hear(late)
    house.sync()

    assert house.crm.value("11", "lifecyclestage") == MQL
    assert house.notes("human_edit_put_back") == []


def test_of_several_edits_in_between_the_last_one_is_put_back(house: House) -> None:
    profile = lead(house, hs_lead_status="NEW")
    status(house)

    def twice() -> None:
        edit(house, hs_lead_status="CONNECTED")
        edit(house, hs_lead_status="UNQUALIFIED")

    before(house, "write", twice, "hs_lead_status")
    house.move(profile, 5)
    house.sync()

    assert house.crm.value("11", "hs_lead_status") == "UNQUALIFIED"
    assert house.notes("human_edit_put_back") == ["hs_lead_status"]


def test_the_past_of_a_record_that_we_never_read_is_not_put_back(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    house.crm.edit("11", hs_lead_status="CONNECTED")
    house.clock.pass_(60)
    house.crm.edit("11", hs_lead_status="")
    house.clock.pass_(60)
    status(house)
    house.hear([row for row in house.crm.told() if row.get("propertyName") == "email"])
    house.move(house.profile_of("11"), 5)

    house.sync()

    assert house.crm.value("11", "hs_lead_status") == "OPEN"
    assert house.notes("human_edit_put_back") == []


def test_a_status_is_only_written_over_what_we_saw(house: House) -> None:
    profile = lead(house, hs_lead_status="NEW")
    status(house)
    house.move(profile, 5)
    edit(house, hs_lead_status="BAD_TIMING")
    house.crm.rows.clear()

    house.run()

    assert house.crm.past("11", "hs_lead_status") == ["NEW", "BAD_TIMING"]


def test_going_back_clears_first_where_the_admin_allows_it(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)

    house.move(profile, 6)
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == [SQL, "", MQL]
    assert house.steps("11") == [(None, 4), (4, 6)]
    assert house.rows(t.journal, state="open") == []


def test_the_crm_keeps_its_stage_where_going_back_is_not_allowed(house: House) -> None:
    profile = lead(house, lifecyclestage=SQL)

    house.move(profile, 6)
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == [SQL]
    assert house.slot("11") == 6
    assert house.notes("write_skipped") == [f"lifecycle: would regress from {SQL}"]


@pytest.mark.parametrize("late", [0, 3600])
def test_a_record_left_blank_by_a_crash_is_set_first_thing(house: House, late: float) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)
    house.move(profile, 6)
    blanked(house)
    house.clock.pass_(late)

    house.sync()

    assert house.crm.value("11", "lifecyclestage") == MQL
    assert house.rows(t.journal, state="open") == []
    assert house.known("11").lifecycle == MQL
    assert house.steps("11") == [(None, 4), (4, 6)]


def test_a_value_that_was_set_over_the_blank_stands(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)
    house.move(profile, 6)
    blanked(house)
    edit(house, lifecyclestage="customer")

    house.sync()

    assert house.crm.value("11", "lifecyclestage") == "customer"
    assert house.slot("11") == 8


@pytest.mark.parametrize("fate", [Fate.LATER, Fate.REFUSED])
def test_a_record_stays_not_blank_when_setting_it_fails(house: House, fate: Fate) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)
    house.move(profile, 6)
    before_blanked = len(house.crm.calls)
    blanked(house)
    house.crm.fates["11"].append(Outcome("11", fate, "not now"))

    house.run()
    house.clock.pass_(60)
    house.run()

    assert len(house.crm.calls) > before_blanked
    assert house.crm.value("11", "lifecyclestage") in {MQL, SQL}


def test_a_clear_that_does_not_come_through_leaves_the_stage_as_it_was(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)
    house.move(profile, 6)

    def refuse() -> None:
        house.crm.fates["11"].append(Outcome("11", Fate.REFUSED, "required field"))

    after(house, "write", refuse, "lifecyclestage")
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == [SQL]
    assert house.known("11").lifecycle == SQL


def test_a_crash_between_clear_and_set_while_the_crm_is_down_waits(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage=SQL)
    house.move(profile, 6)
    blanked(house)
    house.crm.trouble["write"].append(Trouble(CrmDown("502")))

    house.run()
    house.clock.pass_(5)
    house.run()

    assert house.crm.value("11", "lifecyclestage") == MQL


def test_our_own_write_coming_back_is_no_step(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 6)
    house.sync()
    echoes = [row for row in house.crm.rows if row["changeSource"] == "INTEGRATION"]

    assert house.steps("11") == [(None, 3), (3, 6)]
    assert echoes == []
    assert [row.ours for row in house.rows(t.fact, field="lifecyclestage", value=MQL)] == [
        True,
        True,
    ]


def test_another_system_with_our_app_id_is_not_mistaken_for_us(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    rows = house.crm.told()
    for row in rows:
        row["changeSource"], row["sourceId"] = "INTEGRATION", "1001"

    house.hear(rows)

    assert house.slot("11") == 8


def test_the_lever_moves_by_hand_and_is_blanked_unread(house: House) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="7")

    house.sync()

    assert house.slot("11") == 7
    assert house.moves("11")[-1].actor == "person"
    assert house.crm.past("11", "bnb_set_slot") == ["7", ""]
    assert [call.name for call in house.crm.calls if call.name == "read"] == []


def test_a_lever_pulled_again_as_we_blank_it_still_counts(house: House) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="7")
    before(house, "write", lambda: edit(house, bnb_set_slot="9"), "bnb_set_slot")

    house.sync()

    assert house.slot("11") == 9
    assert house.crm.value("11", "bnb_set_slot") == ""


def test_a_lever_is_blanked_once_though_its_blank_is_not_known_yet(house: House) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="7")
    house.hear()
    house.clock.pass_(1.1)
    house.deliver()
    with house.store.writing() as unit:  # as if a batch had begun just before the blank was done
        unit.tx.execute(update(t.event).where(t.event.c.state == "pending").values(state="parked"))

    edit(house, lifecyclestage="subscriber")
    house.hear([row for row in house.crm.told() if row["propertyName"] == "lifecyclestage"])

    assert house.waiting("lever") == []
    assert len(writes(house, "bnb_set_slot")) == 1


def test_a_lever_is_blanked_once_though_more_comes_while_its_blank_is_under_way(
    house: House,
) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="7")
    before(house, "write", lambda: _say_more(house), "bnb_set_slot")

    house.sync()

    assert house.slot("11") == 10
    assert len(writes(house, "bnb_set_slot")) == 1


def _say_more(house: House) -> None:
    edit(house, hs_email_optout="true", lifecyclestage="subscriber")
    house.hear([row for row in house.crm.told() if row["propertyName"] != "bnb_set_slot"])


def test_a_lever_pulled_to_no_slot_is_only_blanked(house: House) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="10")

    house.sync()

    assert house.slot("11") == 3
    assert house.crm.value("11", "bnb_set_slot") == ""
    assert len(writes(house, "bnb_set_slot")) == 1


def edit(house: House, **fields: str) -> None:
    house.clock.pass_(0.1)
    house.crm.edit("11", **fields)
    house.clock.pass_(0.1)


def blanked(house: House) -> None:
    """Die between the clear and the set of the lifecycle stage."""

    def at_the_clear() -> None:
        after(house, "write", crash, "lifecyclestage")

    after(house, "write", at_the_clear, "lifecyclestage")
    with pytest.raises(Crash):
        house.deliver()
    assert house.crm.value("11", "lifecyclestage") == ""


def status(house: House) -> None:
    """Have slot 5 write a lead status as well."""
    rows = [row for row in preset("hubspot").outbound if row.source is not Role.SAL]
    put = Put("OPEN", Mode.IF_UNCHANGED)
    house.remap(outbound=(*rows, OutboundRow(Role.SAL, None, put)))
    assert Meaning.LEAD_STATUS


def test_an_edit_that_we_have_not_heard_of_is_not_overwritten_by_a_rule(house: House) -> None:
    profile = lead(house, hs_lead_status="NEW")
    status(house)
    edit(house, hs_lead_status="BAD_TIMING")
    late = house.crm.told()  # its webhook is late
    house.clock.pass_(60)

    house.raise_(profile, 5)
    house.run()
    house.hear(late)
    house.run()

    assert house.crm.past("11", "hs_lead_status") == ["NEW", "BAD_TIMING"]


def test_a_rule_that_did_not_know_of_an_edit_yields_to_it(house: House) -> None:
    profile = lead(house)
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")
    house.crm.edit("11", lifecyclestage="subscriber")
    house.clock.pass_(10)
    house.raise_(profile, 6)
    house.hear(house.crm.told())

    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "active")
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["lead", "subscriber"]
