"""Entering MQL: a new lead's status and an owner, once for each live entry (DESIGN 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connector.domain.errors import CrmBusy, CrmDenied, CrmDown, CrmError
from connector.domain.facts import ConnectionId
from connector.mapping.handoff import AssignOwner, Handoff, ResetStatus
from connector.pipeline import forgetting, undoing
from connector.pipeline.backfilling import backfill
from connector.store import tables as t
from tests.pipeline.acts import Crash, after, before, crash, fail, lead, writes
from tests.pipeline.conftest import Build
from tests.pipeline.house import ACCOUNT, CONNECTION, House

MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
OWNER, STATUS = "hubspot_owner_id", "hs_lead_status"
TURNS = ("7", "8", "9")


def on(house: House, **switches: Any) -> None:
    """Switch the hand-off on: by default a new lead's status, and owners by turns."""
    chosen = switches or {
        "reset_status": ResetStatus(enabled=True, value="NEW"),
        "assign_owner": AssignOwner(enabled=True, owners=TURNS),
    }
    house.crm.staff = TURNS
    house.remap(handoff=Handoff(**chosen))


def test_nothing_is_handed_over_as_long_as_it_is_off(house: House) -> None:
    profile = lead(house)

    house.raise_(profile, 6)
    house.sync()

    assert house.rows(t.handoff) == []
    assert [house.crm.value("11", name) for name in (STATUS, OWNER)] == ["", ""]


def test_whoever_a_rule_makes_an_mql_is_new_and_has_an_owner(house: House) -> None:
    on(house)

    house.raise_(lead(house), 6)
    house.sync()

    assert [house.crm.value("11", name) for name in (STATUS, OWNER)] == ["NEW", "7"]
    assert house.slot("11") == 6


def test_an_mql_of_the_crm_s_own_is_handed_over_too(house: House) -> None:
    on(house)
    lead(house, hs_lead_status="BAD_TIMING")

    house.crm.edit("11", lifecyclestage=MQL)
    house.sync()

    assert [house.crm.value("11", name) for name in (STATUS, OWNER)] == ["NEW", "7"]
    assert house.slot("11") == 6


def test_whoever_has_an_owner_keeps_it_and_costs_nobody_a_turn(house: House) -> None:
    on(house)
    lead(house, hubspot_owner_id="42")
    house.raise_(house.profile_of("11"), 6)
    house.sync()

    house.raise_(lead(house, "12"), 6)
    house.sync()

    assert [house.crm.value(one, OWNER) for one in ("11", "12")] == ["42", "7"]


def test_a_record_that_was_merged_away_unheard_costs_nobody_a_turn(house: House) -> None:
    on(house, assign_owner=AssignOwner(enabled=True, owners=TURNS))
    one, two = lead(house), lead(house, "12")
    lead(house, "13")
    house.crm.merge("11", "13")
    house.crm.told()
    house.raise_(one, 6)
    house.run()

    house.raise_(two, 6)
    house.sync()

    assert house.crm.value("12", OWNER) == "7"


def test_an_owner_whom_somebody_sets_meanwhile_stands(house: House) -> None:
    on(house, assign_owner=AssignOwner(enabled=True, owners=TURNS))
    house.raise_(lead(house), 6)

    house.crm.edit("11", **{OWNER: "42"})
    house.run()

    assert house.crm.value("11", OWNER) == "42"
    assert house.rows(t.handoff.metadata.tables["turn"]) == []


def test_an_owner_whom_somebody_sets_in_the_gap_is_put_back(house: House) -> None:
    on(house, assign_owner=AssignOwner(enabled=True, owners=TURNS))
    house.raise_(lead(house), 6)
    before(house, "write", lambda: house.crm.edit("11", **{OWNER: "42"}), OWNER)

    house.sync()

    assert house.crm.value("11", OWNER) == "42"


def test_owners_take_turns_and_who_is_absent_is_passed_over(house: House) -> None:
    on(house)
    profiles = [lead(house, one) for one in ("11", "12", "13", "14")]
    house.crm.absent = {"8"}

    for profile in profiles:
        house.raise_(profile, 6)
        house.sync()

    assert [house.crm.value(one, OWNER) for one in ("11", "12", "13", "14")] == list("7979")


def test_owners_take_turns_within_a_batch(house: House) -> None:
    on(house)
    profiles = [lead(house, one) for one in ("11", "12", "13", "14")]

    house.raise_all(profiles, 6)
    house.sync()

    assert [house.crm.value(one, OWNER) for one in ("11", "12", "13", "14")] == list("7897")


def test_a_turn_waits_where_nobody_is_there_and_is_replayed(house: House) -> None:
    on(house)
    house.crm.absent = set(TURNS)
    house.raise_(lead(house), 6)
    house.sync()
    assert [row.state for row in house.outbox(purpose="owner")] == ["parked"]

    house.crm.absent = set()
    with house.store.writing() as unit:
        unit.retry_parked(house.connection(), house.clock.now())
    house.sync()

    assert house.crm.value("11", OWNER) == "7"


@pytest.mark.parametrize("when", [before, after])
def test_a_crash_at_the_write_costs_no_second_turn(house: House, when: Any) -> None:
    on(house)
    profiles = [lead(house, one) for one in ("11", "12")]
    house.raise_(profiles[0], 6)
    when(house, "write", crash, OWNER)
    with pytest.raises(Crash):
        house.run()

    house.clock.pass_(60)
    house.raise_(profiles[1], 6)
    house.sync()

    assert [house.crm.value(one, OWNER) for one in ("11", "12")] == ["7", "8"]


@pytest.mark.parametrize(
    "error",
    [CrmDown("away"), CrmBusy("busy", retry_in=5.0), CrmBusy("busy"), CrmDenied("no scope")],
)
@pytest.mark.parametrize("applies", [False, True])
def test_an_error_at_the_write_costs_no_second_turn(
    house: House, error: CrmError, *, applies: bool
) -> None:
    on(house, assign_owner=AssignOwner(enabled=True, owners=TURNS))
    profiles = [lead(house, one) for one in ("11", "12")]
    when = after if applies else before
    when(house, "write", fail(error), OWNER)
    house.raise_(profiles[0], 6)
    house.run()

    house.clock.pass_(60)
    with house.store.writing() as unit:
        unit.retry_parked(house.connection(), house.clock.now())
    house.raise_(profiles[1], 6)
    house.sync()

    assert [house.crm.value(one, OWNER) for one in ("11", "12")] == ["7", "8"]


def test_every_entry_is_a_new_lead_again(house: House) -> None:
    on(house)
    profile = lead(house)
    house.raise_(profile, 6)
    house.sync()
    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()
    house.clock.pass_(60)

    house.move(profile, 6)
    house.sync()

    assert house.crm.past("11", STATUS) == ["NEW", "OPEN", "NEW"]
    assert house.crm.past("11", OWNER) == ["7"]


def test_a_status_is_left_alone_where_the_profile_has_moved_on(house: House) -> None:
    on(house)
    profile = lead(house)
    house.raise_(profile, 6)
    house.move(profile, 8)

    house.sync()

    assert house.crm.value("11", STATUS) == ""


def test_a_status_that_a_rep_sets_meanwhile_stands(house: House) -> None:
    on(house)
    house.raise_(lead(house), 6)

    house.crm.edit("11", hs_lead_status="CONNECTED")
    house.run()

    assert house.crm.value("11", STATUS) == "CONNECTED"


def test_a_backfill_hands_nobody_over(house: House) -> None:
    on(house)
    house.crm.create("11", email="a@x.io", lifecyclestage=MQL)
    house.crm.rows.clear()

    backfill(house.services, CONNECTION, lambda _kind, _count: None)
    house.sync()

    assert house.slot("11") == 6
    assert house.rows(t.handoff) == []
    assert writes(house, STATUS) == writes(house, OWNER) == []


def test_an_undone_batch_hands_nobody_over_again(house: House) -> None:
    on(house)
    profile = lead(house)
    house.raise_(profile, 6)
    house.sync()
    house.raise_(profile, 4, cause="rule:wrong")
    batch = house.moves("11")[-1].batch_id
    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()

    undoing.undo(house.services, ACCOUNT, batch, dry_run=False)
    house.sync()

    assert house.crm.past("11", STATUS) == ["NEW", "OPEN"]


def test_two_records_of_one_person_are_handed_over_once(house: House) -> None:
    on(house)
    profile = lead(house)
    lead(house, "12", email="p11@x.io")

    house.raise_(profile, 6)
    house.sync()

    assert sorted(house.crm.value(one, OWNER) for one in ("11", "12")) == ["", "7"]


def test_each_crm_hands_over_by_its_own_choices(house: House) -> None:
    on(house)
    other = house.connect(ConnectionId("con_2"), "77")
    profile = lead(house)
    other.create("31", email="p11@x.io", lifecyclestage="lead")
    house.keep(other.told(), ConnectionId("con_2"))
    house.run()

    house.raise_(profile, 6)
    house.sync()

    assert house.crm.value("11", STATUS) == "NEW"
    assert other.value("31", STATUS) == ""


def test_nobody_in_slot_10_is_written_to(house: House) -> None:
    on(house)
    profile = lead(house)
    house.raise_(profile, 6)
    house.crm.edit("11", hs_email_optout="true")

    house.sync()

    assert house.slot("11") == 10
    assert [house.crm.value("11", name) for name in (STATUS, OWNER)] == ["", ""]


def test_the_brake_counts_what_is_handed_over(build: Build) -> None:
    house = build(brake_per_hour=5)
    on(house)
    profiles = [lead(house, str(number)) for number in range(1000, 1003)]

    house.raise_all(profiles, 6)
    house.sync()

    assert {row.state for row in house.outbox(purpose="owner")} == {"held"}
    assert {house.crm.value(str(one), STATUS) for one in range(1000, 1003)} == {""}


def test_who_is_erased_leaves_no_hand_off_behind(house: House) -> None:
    on(house)
    profile = lead(house)
    house.raise_(profile, 6)

    forgetting.erase(house.services, ACCOUNT, profile)
    house.run()

    assert house.rows(t.handoff) == []


def test_what_a_rep_said_after_the_entry_stands_though_the_entry_comes_late(house: House) -> None:
    on(house)
    profile = lead(house)
    house.clock.pass_(60)
    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()

    house.clock.time -= timedelta(seconds=90)
    house.raise_(profile, 6)
    house.clock.pass_(90)
    house.sync()

    assert house.crm.past("11", STATUS) == ["OPEN"]
    assert house.crm.value("11", OWNER) == "7"
