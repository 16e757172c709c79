"""What is written to a CRM, in what order, and what becomes of it when a call goes wrong."""

from __future__ import annotations

import pytest

from connector.domain.errors import CrmBusy, CrmDown, CrmRevoked, LeaseLost
from connector.pipeline import undoing
from connector.pipeline.outgoing import BACKOFF
from connector.ports import Fate, Outcome
from tests.pipeline.acts import Crash, after, before, crash, interrupt, lead, steal, unmake, writes
from tests.pipeline.crm import Trouble
from tests.pipeline.house import ACCOUNT, CONNECTION, House


def test_a_lead_gets_our_fields_and_nothing_else(either: House) -> None:
    lead(either)

    assert either.own("11") == "3"
    assert either.own("11", "profile") == either.profile_of("11")
    assert either.crm.past("11", "lifecyclestage") == ["lead"]


def test_the_last_of_many_values_is_written_once(house: House) -> None:
    profile = lead(house)
    for goal in (5, 6, 7):
        house.clock.pass_(1)
        house.move(profile, goal)

    house.deliver()

    own = writes(house, "bnb_lead_slot")
    assert [call.fields[0]["bnb_lead_slot"] for call in own] == ["7"]


def test_a_slot_that_came_and_went_unsent_is_never_written(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    house.clock.pass_(1)
    house.move(profile, 9)

    house.sync()

    assert house.own("11") == "9"
    assert house.crm.past("11", "lifecyclestage") == ["lead"]


def test_two_moves_in_a_row_both_reach_the_lifecycle_stage(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    house.deliver()  # our own write is in the inbox, unread
    house.clock.pass_(1)
    house.move(profile, 4)

    house.sync()

    assert house.crm.value("11", "lifecyclestage") == "salesqualifiedlead"


def test_one_write_of_a_batch_may_fail_alone(house: House) -> None:
    profiles = [lead(house, one) for one in ("11", "12", "13")]
    house.crm.fates["12"].append(Outcome("12", Fate.REFUSED, "no such option"))
    house.raise_all(profiles, 7)

    house.sync()

    assert [house.own(one) for one in ("11", "12", "13")] == ["7", "3", "7"]
    assert [row.reason for row in house.outbox(state="parked")] == ["no such option"]


def test_what_was_parked_is_sent_when_replayed_if_it_is_still_wanted(house: House) -> None:
    profile = lead(house)
    house.crm.fates["11"].append(Outcome("11", Fate.REFUSED, "no such option"))
    house.raise_(profile, 7)
    house.run()

    with house.store.writing() as unit:
        ids = unit.parked_writes(ACCOUNT)
        unit.replay_writes(ACCOUNT, house.clock.now(), ids)
    house.run()

    assert house.own("11") == "7"


def test_a_transient_failure_of_one_write_is_tried_again(house: House) -> None:
    profile = lead(house)
    house.crm.fates["11"].append(Outcome("11", Fate.LATER, "locked"))
    house.raise_(profile, 7)

    house.run()
    house.clock.pass_(5)
    house.run()

    assert house.own("11") == "7"


def test_a_busy_crm_is_waited_for(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmBusy("429", retry_in=0.2)))
    house.raise_(profile, 7)
    before = house.clock.now()

    house.deliver()

    assert (house.clock.now() - before).total_seconds() >= 0.2
    assert house.own("11") == "7"


def test_a_crm_that_asks_for_a_long_wait_is_left_alone_meanwhile(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmBusy("429", retry_in=60)))
    house.raise_(profile, 7)

    house.deliver()
    house.clock.pass_(50)
    house.deliver()

    assert len(writes(house)) == 1
    house.clock.pass_(11)
    house.deliver()
    assert house.own("11") == "7"


def test_a_crm_that_is_down_is_tried_less_and_less_often(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].extend([Trouble(CrmDown("502"))] * 5)
    house.raise_(profile, 7)

    for wait in BACKOFF[:5]:
        house.deliver()
        tried = len(writes(house))
        house.clock.pass_(wait - 0.5)
        house.deliver()
        assert len(writes(house)) == tried
        house.clock.pass_(0.6)
    house.deliver()

    assert house.own("11") == "7"
    assert house.connection().failures == 0


def test_a_lost_reply_makes_the_write_go_out_again_and_harms_nothing(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmDown("timeout"), applies=True))
    house.raise_(profile, 6)

    house.sync()
    house.clock.pass_(5)
    house.sync()

    assert house.own("11") == "6"
    assert house.crm.past("11", "lifecyclestage") == ["lead", "marketingqualifiedlead"]
    assert house.steps("11") == [(None, 3), (3, 6)]


def test_a_lost_reply_does_not_hide_that_the_slot_went_back(house: House) -> None:
    profile = lead(house)
    since = house.profile("11").slot_since
    house.raise_(profile, 7)
    house.crm.trouble["write"].append(Trouble(CrmDown("timeout"), applies=True))
    house.deliver()  # the CRM holds 7, we do not know it

    unmake(house)
    house.clock.pass_(5)
    house.run()

    assert house.profile("11").slot_since == since
    assert house.own("11") == "3"


def test_a_slot_that_goes_back_while_it_is_being_written_is_written_back(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    before(house, "write", lambda: unmake(house))

    house.run()

    assert house.slot("11") == 3
    assert house.own("11") == "3"


def test_a_slot_that_changes_while_it_is_being_written_is_written_again(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    before(house, "write", lambda: house.move(profile, 9))

    house.run()

    assert house.own("11") == "9"


def test_what_the_crm_holds_is_remembered_while_events_are_worked_off(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    house.crm.edit("11", lifecyclestage="customer")
    interrupt(house, house.deliver)  # the drain knows the record; meanwhile slot 7 is written

    house.hear()

    assert house.own("11") == "7"
    assert house.known("11").pushed["bnb_lead_slot"] == "7"


def test_a_read_that_is_asked_for_while_events_are_worked_off_is_not_forgotten(
    house: House,
) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")

    def ask() -> None:
        with house.store.writing() as unit:
            unit.ask([house.known("11").key], house.clock.now())

    interrupt(house, ask)
    house.hear()

    assert house.known("11").ask_at is not None


def test_dead_credentials_stop_the_connection_until_an_admin_acts(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmRevoked("token revoked")))
    house.crm.trouble["prove"].append(Trouble(CrmRevoked("token revoked")))
    house.raise_(profile, 7)

    for _ in range(5):
        house.run()

    assert house.connection().state == "revoked"
    assert len(writes(house)) == 1
    with house.store.reading() as unit:
        assert ("deliver", CONNECTION) not in unit.due(house.clock.now(), house.clock.now())


def test_one_refusal_of_the_credentials_is_asked_again(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmRevoked("token revoked")))
    house.raise_(profile, 6)

    house.run()
    house.clock.pass_(60)
    house.run()

    assert house.connection().state == "active"
    assert house.own("11") == "6"


def test_a_pause_stays_while_a_crm_that_failed_comes_back(house: House) -> None:
    profile = lead(house)
    house.crm.trouble["write"].append(Trouble(CrmDown("502")))
    house.raise_(profile, 6)
    house.deliver()
    house.clock.pass_(5)

    def pause() -> None:
        with house.store.writing() as unit:
            unit.set_state(CONNECTION, "paused")

    before(house, "write", pause)
    house.deliver()

    assert house.connection().state == "paused"


def test_a_paused_connection_takes_in_and_moves_but_does_not_call(house: House) -> None:
    lead(house)
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")
    house.crm.edit("11", lifecyclestage="customer")

    house.sync()

    assert house.slot("11") == 8
    assert house.crm.calls == []
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "active")
    house.run()
    assert house.own("11") == "8"


def test_a_pause_in_the_middle_of_the_work_stops_it(house: House) -> None:
    lead(house)
    house.raise_(house.profile_of("11"), 6)

    def pause() -> None:
        with house.store.writing() as unit:
            unit.set_state(CONNECTION, "paused")

    before(house, "write", pause)
    house.deliver()

    assert len(writes(house)) == 1
    assert house.waiting("own") or house.waiting("stage")


def test_who_lost_the_lease_in_the_middle_commits_nothing(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    after(house, "write", lambda: steal(house))

    with pytest.raises(LeaseLost):
        house.deliver()

    assert [row.state for row in house.outbox(purpose="own", slot=7)] == ["sending"]
    assert house.known("11").pushed["bnb_lead_slot"] == "3"


def test_what_a_crash_left_in_flight_is_sent_again(either: House) -> None:
    profile = lead(either)
    either.raise_(profile, 7)

    with pytest.raises(Crash):
        crash_after_write(either)
    either.run()

    assert either.own("11") == "7"
    assert either.known("11").pushed["bnb_lead_slot"] == "7"


def test_what_a_crash_left_in_flight_is_corrected_if_it_is_wanted_no_more(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    with pytest.raises(Crash):
        crash_after_write(house)

    unmake(house)
    house.run()

    assert house.own("11") == "3"


def test_a_stage_that_a_crash_left_written_is_known_afterwards(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    after(house, "write", crash, "lifecyclestage")
    with pytest.raises(Crash):
        house.deliver()
    house.crm.rows.clear()  # no webhook tells us either
    house.run()

    house.clock.pass_(10)
    house.move(profile, 4)
    house.run()

    assert house.known("11").lifecycle == "salesqualifiedlead"
    assert house.crm.value("11", "lifecyclestage") == "salesqualifiedlead"


def test_a_record_that_is_gone_is_no_longer_written_to(house: House) -> None:
    profile = lead(house)
    house.crm.delete("11")
    house.crm.rows.clear()
    house.raise_(profile, 7)

    house.run()
    house.move(profile, 9)
    house.run()

    assert not house.known("11").alive
    assert len(writes(house)) == 1


def test_a_merge_that_no_webhook_told_is_learned_from_the_answer_to_a_write(house: House) -> None:
    lead(house, "11")
    lead(house, "12")
    house.crm.merge("11", "12")
    house.crm.rows.clear()
    house.move(house.profile_of("11"), 7)

    house.run()

    assert house.profile_of("11") == house.profile_of("12")
    assert house.own("12") == str(house.slot("12"))
    assert house.own("12", "profile") == house.profile_of("12")


def test_a_slow_crm_is_not_read_in_a_circle(house: House) -> None:
    profile = lead(house)
    house.crm.before = lambda call: house.clock.pass_(3) if call.name == "read" else None
    house.move(profile, 6)

    house.deliver()

    assert len([call for call in house.crm.calls if call.name == "read"]) < 5


def test_undoing_while_the_crm_is_down_leaves_the_crm_as_it_was(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    batch = house.moves("11")[-1].batch_id
    house.crm.trouble["write"].append(Trouble(CrmDown("502")))
    house.deliver()

    undoing.undo(house.services, ACCOUNT, batch, dry_run=False)
    house.clock.pass_(5)
    house.sync()

    assert house.own("11") == "3"
    assert house.crm.past("11", "lifecyclestage") == ["lead"]


def crash_after_write(house: House) -> None:
    after(house, "write", crash)
    house.deliver()
