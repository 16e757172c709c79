"""Which move may write what, and to which CRM; bulk is silent; the brake (DESIGN 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.domain.facts import ConnectionId
from connector.mapping.document import preset
from connector.mapping.table import Mode
from connector.pipeline import undoing
from connector.pipeline.backfilling import backfill
from connector.store import tables as t
from connector.stored import BULK, LIVE
from tests.pipeline.acts import interrupt, lead, writes
from tests.pipeline.conftest import Build
from tests.pipeline.house import ACCOUNT, House

MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
OTHER = ConnectionId("con_2")


@pytest.mark.parametrize(
    "words",
    [
        {"lifecyclestage": MQL},
        {"lifecyclestage": MQL, "hs_lead_status": "OPEN"},
        {"lifecyclestage": "customer"},
        {"hs_lead_status": "CONNECTED"},
    ],
)
def test_a_move_caused_by_the_crm_writes_back_only_our_own_fields(
    house: House, words: dict[str, str]
) -> None:
    lead(house)
    house.crm.edit("11", **words)

    house.sync()

    written = {name for call in writes(house) for fields in call.fields for name in fields}
    assert {name for name in written if not name.startswith("bnb_")} == set()


def test_a_move_caused_by_a_deal_writes_back_only_our_own_fields(house: House) -> None:
    lead(house)
    house.crm.create("901", "deal", dealstage="closedwon")
    house.crm.tie("901", "11")

    house.sync()

    assert house.slot("11") == 8
    assert house.crm.past("11", "lifecyclestage") == ["lead"]


def test_a_move_by_one_crm_writes_the_stage_of_the_other(house: House) -> None:
    lead(house)
    other = house.connect(OTHER, "77")
    other.create("31", email="p11@x.io", lifecyclestage="lead")
    house.keep(other.told(), OTHER)
    house.run()
    house.clock.pass_(60)

    house.crm.edit("11", lifecyclestage="customer")
    house.sync()

    assert other.value("31", "lifecyclestage") == "customer"
    assert house.crm.past("11", "lifecyclestage") == ["lead", "customer"]


@pytest.mark.parametrize(("goal", "stage"), [(6, MQL), (4, SQL), (8, "customer"), (5, "lead")])
def test_a_person_s_move_writes_the_stage_that_the_mapping_names(
    house: House, goal: int, stage: str
) -> None:
    profile = lead(house)

    house.move(profile, goal)
    house.sync()

    assert house.crm.value("11", "lifecyclestage") == stage
    assert house.slot("11") == goal


def test_a_rule_s_move_writes_the_stage(house: House) -> None:
    profile = lead(house)

    house.raise_(profile, 4)
    house.sync()

    assert house.crm.value("11", "lifecyclestage") == SQL


def test_the_lever_writes_the_stage(house: House) -> None:
    lead(house)
    house.crm.edit("11", bnb_set_slot="6")

    house.sync()

    assert house.crm.value("11", "lifecyclestage") == MQL


def test_a_mapping_that_is_off_writes_nothing(house: House) -> None:
    rows = preset("hubspot").outbound
    off = [
        replace(row, lifecycle=replace(row.lifecycle, mode=Mode.OFF) if row.lifecycle else None)
        for row in rows
    ]
    house.remap(outbound=tuple(off))
    profile = lead(house)

    house.move(profile, 6)
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["lead"]
    assert house.own("11") == "6"


def test_nothing_is_written_where_the_record_s_words_mean_the_slot_already(house: House) -> None:
    profile = lead(house, lifecyclestage="opportunity")
    house.move(profile, 8)
    house.run()
    house.crm.edit("11", lifecyclestage="opportunity")
    house.sync()
    house.clock.pass_(10)

    house.move(profile, 4)
    house.sync()

    assert house.crm.value("11", "lifecyclestage") == "opportunity"


def test_a_record_that_joins_learns_the_slot_and_who_it_is(house: House) -> None:
    profile = lead(house)
    house.move(profile, 7)
    house.sync()

    house.crm.create("12", email="p11@x.io")
    house.sync()

    assert house.own("12") == "7"
    assert house.own("12", "profile") == profile


def test_what_is_replayed_is_silent(house: House) -> None:
    lead(house)
    other = house.connect(OTHER, "77")
    other.create("31", email="p11@x.io", lifecyclestage="lead")
    house.keep(other.told(), OTHER)
    house.run()
    park(house, lifecyclestage="customer")

    with house.store.writing() as unit:
        unit.replay_events(ACCOUNT, unit.parked_events(ACCOUNT))
    house.run()

    assert house.slot("11") == 8
    assert other.value("31", "lifecyclestage") == "lead"


def test_a_storm_goes_behind_single_edits(build: Build) -> None:
    house = build(bulk_per_minute=5)
    for number in range(8):
        house.crm.create(str(1000 + number), email=f"p{number}@x.io")
    rows = house.crm.told()

    house.keep(rows)
    house.drain()

    lanes = [row.lane for row in house.rows(t.event)]
    assert lanes.count(LIVE) == 5
    assert lanes.count(BULK) == len(rows) - 5


def test_imports_are_bulk_from_the_first_event(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    rows = house.crm.told()
    for row in rows:
        row["changeSource"] = "IMPORT"

    house.hear(rows)

    assert {row.lane for row in house.rows(t.event)} == {BULK}


def test_a_backfilled_win_moves_nobody_s_stage_in_the_other_crm(house: House) -> None:
    other = house.connect(OTHER, "77")
    other.create("32", email="b@x.io", lifecyclestage="lead")
    other.create("901", "deal", dealstage="closedwon")
    other.tie("901", "32")
    other.rows.clear()
    lead(house, "12", email="b@x.io")

    backfill(house.services, OTHER, lambda _kind, _count: None)
    house.sync()

    assert house.slot("12") == 8
    assert house.crm.value("12", "lifecyclestage") == "lead"


def test_a_backfill_moves_nobody_s_stage_in_the_other_crm(house: House) -> None:
    lead(house)
    other = house.connect(OTHER, "77")
    other.create("31", email="p11@x.io", lifecyclestage="customer")
    other.rows.clear()

    backfill(house.services, OTHER, lambda _kind, _count: None)
    house.sync()

    assert house.slot("11") == 8
    assert house.crm.value("11", "lifecyclestage") == "lead"
    assert house.own("11") == "8"


@pytest.mark.parametrize(("count", "state"), [(5, "sent"), (6, "held")])
def test_the_brake_holds_a_cause_that_wants_more_than_the_limit(
    build: Build, count: int, state: str
) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, count)

    house.raise_all(profiles, 6)
    house.run()

    assert {row.state for row in house.outbox(purpose="stage")} == {state}
    assert {house.own(one) for one in ids(count)} == {"6"}


def test_the_brake_adds_up_over_the_hour(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 8)
    house.raise_all(profiles[:4], 6)
    house.run()
    house.clock.pass_(1800)

    house.raise_all(profiles[4:6], 6)
    house.run()

    assert stages(house) == {"sent": 4, "held": 2}


def test_the_brake_forgets_after_an_hour(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 8)
    house.raise_all(profiles[:4], 6)
    house.run()
    house.clock.pass_(3700)

    house.raise_all(profiles[4:], 6)
    house.run()

    assert stages(house) == {"sent": 8}


def test_a_second_wish_for_the_same_record_counts_once(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 3)
    house.raise_all(profiles, 6)
    house.clock.pass_(1)

    house.raise_all(profiles, 4)
    house.run()

    assert stages(house) == {"sent": 3}


def test_one_cause_is_held_and_another_is_not(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 8)
    house.raise_all(profiles[:6], 6)

    house.raise_all(profiles[6:], 6, cause="rule:other")
    house.run()

    assert stages(house) == {"held": 6, "sent": 2}


def test_what_a_person_releases_is_sent(build: Build) -> None:
    house = build(brake_per_hour=5)
    house.raise_all(crowd(house, 6), 6)
    house.run()

    release(house)
    house.run()

    assert stages(house) == {"sent": 6}


def test_what_was_released_is_not_held_again_by_the_next_wish(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 7)
    house.raise_all(profiles[:6], 6)
    house.run()
    release(house)

    house.raise_all(profiles[6:], 6)
    house.run()

    assert stages(house) == {"sent": 7}


def test_the_brake_holds_again_after_a_release_when_it_is_too_much_again(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 12)
    house.raise_all(profiles[:6], 6)
    release(house)
    house.run()
    house.clock.pass_(1)

    house.raise_all(profiles[6:], 6)
    house.run()

    assert stages(house) == {"sent": 6, "held": 6}


def test_what_is_held_and_no_longer_wanted_is_not_sent_when_released(build: Build) -> None:
    house = build(brake_per_hour=5)
    profiles = crowd(house, 6)
    house.raise_all(profiles, 6)
    house.crm.edit("1000", lifecyclestage="customer")
    house.sync()

    release(house)
    house.run()

    assert stages(house) == {"sent": 5, "dropped": 1}
    assert house.crm.value("1000", "lifecyclestage") == "customer"


def test_an_undone_batch_goes_back_and_skips_what_has_moved_since(house: House) -> None:
    profiles = [lead(house, one) for one in ("11", "12", "13")]
    house.raise_all(profiles, 7)
    batch = house.moves("11")[-1].batch_id
    house.clock.pass_(1)
    house.move(profiles[1], 9)
    house.clock.pass_(1)

    told = undoing.undo(house.services, ACCOUNT, batch, dry_run=False)
    house.sync()

    assert [house.slot(one) for one in ("11", "12", "13")] == [3, 9, 3]
    assert sorted(told["moved"]) == [profiles[0], profiles[2]]
    assert [one["profile_id"] for one in told["skipped"]] == [profiles[1]]
    assert house.own("13") == "3"


def test_undoing_twice_changes_nothing_more(house: House) -> None:
    house.raise_(lead(house), 7)
    batch = house.moves("11")[-1].batch_id
    undoing.undo(house.services, ACCOUNT, batch, dry_run=False)

    again = undoing.undo(house.services, ACCOUNT, batch, dry_run=False)

    assert again["moved"] == []
    assert house.steps("11") == [(None, 3), (3, 7), (7, 3)]


def test_a_dry_run_of_undo_moves_nobody(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    batch = house.moves("11")[-1].batch_id

    told = undoing.undo(house.services, ACCOUNT, batch, dry_run=True)

    assert told["moved"] == [profile]
    assert house.slot("11") == 7


def test_a_person_s_move_comes_after_what_the_crm_s_fast_clock_says(house: House) -> None:
    profile = lead(house)
    house.move(profile, 8)
    house.crm.edit("11", lifecyclestage=MQL)
    rows = house.crm.told()
    for row in rows:
        row["occurredAt"] += 240_000  # the CRM's clock runs four minutes ahead
    house.hear(rows)
    house.clock.pass_(1)

    house.move(profile, 3)

    assert house.slot("11") == 3


def crowd(house: House, count: int) -> list[str]:
    for one in ids(count):
        house.crm.create(one, email=f"p{one}@x.io", lifecyclestage="lead")
    house.sync()
    house.clock.pass_(60)
    return [house.profile_of(one) for one in ids(count)]


def ids(count: int) -> list[str]:
    return [str(1000 + number) for number in range(count)]


def stages(house: House) -> dict[str, int]:
    states = [row.state for row in house.outbox(purpose="stage")]
    return {state: states.count(state) for state in set(states)}


def release(house: House) -> None:
    with house.store.writing() as unit:
        (hold,) = unit.holds(ACCOUNT)
        unit.release(hold["id"], house.clock.now())


def park(house: House, **fields: Any) -> None:
    """Have an edit arrive and break."""

    def poison() -> None:
        raise ValueError

    house.crm.edit("11", **fields)
    interrupt(house, poison)
    house.hear()
    assert [row.reason for row in house.rows(t.event, state="parked")] == ["ValueError"]
