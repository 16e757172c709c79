"""What webhooks missed is found, silently, once, however a pass is interrupted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.errors import ConnectorError, CrmBusy, CrmDenied, CrmDown
from connector.pipeline.reconciling import reconcile
from connector.store import tables as t
from connector.store import tables_polls as p
from connector.stored import BULK
from tests.pipeline.acts import Crash, after, crash, lead, steal, writes
from tests.pipeline.conftest import Build
from tests.pipeline.crm import Trouble
from tests.pipeline.house import CONNECTION, House

MQL = "marketingqualifiedlead"
DAY = 86400
EVERY = timedelta(minutes=5)


def poll(house: House) -> int:
    found = reconcile(house.services, CONNECTION, lambda _kind, _count: None)
    house.run()
    return found


def crowd(house: House) -> None:
    """Have seven leads become MQLs, and nobody tell us."""
    for number in range(7):
        lead(house, str(100 + number))
    for number in range(7):
        house.crm.edit(str(100 + number), lifecyclestage=MQL)
    house.crm.rows.clear()


def lose(house: House) -> None:
    """Have the webhooks that wait in the CRM never arrive, and a day pass."""
    house.crm.rows.clear()
    house.clock.pass_(DAY)


def test_a_pass_finds_a_change_whose_webhook_was_lost(either: House) -> None:
    lead(either)
    either.crm.edit("11", lifecyclestage="customer")
    won = either.clock.now()
    lose(either)

    assert poll(either) == 1

    assert either.slot("11") == 8
    assert either.profile("11").success_at == won
    assert either.own("11") == "8"


def test_a_pass_after_every_webhook_came_finds_nothing(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    house.sync()
    house.clock.pass_(DAY)

    assert poll(house) == 0
    assert poll(house) == 0


def test_a_second_pass_reads_nothing_twice(house: House) -> None:
    lead(house)
    poll(house)
    house.crm.calls.clear()

    poll(house)

    assert {call.name for call in house.crm.calls} == {"changed", "archive"}


def test_a_value_that_came_back_is_found_by_its_history(house: House) -> None:
    house.raise_(lead(house), 6)
    for stage in (MQL, "", "lead"):
        house.clock.pass_(60)
        house.crm.edit("11", lifecyclestage=stage)
    lose(house)

    assert poll(house) == 1
    assert house.slot("11") == 3


def test_a_record_that_was_made_unheard_is_learned(house: House) -> None:
    house.crm.create("12", email="new@x.io", lifecyclestage=MQL)
    lose(house)

    assert poll(house) == 1
    assert house.slot("12") == 6


def test_a_deletion_is_found_in_the_archive_on_its_own_date(house: House) -> None:
    lead(house)
    house.crm.delete("11")
    gone = house.clock.now()
    lose(house)

    assert poll(house) == 1

    assert not house.known("11").alive
    assert gone in {row.happened_at for row in house.rows(t.fact, field="@alive", value="no")}
    assert poll(house) == 0


def test_what_changed_before_a_deletion_counts(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    house.clock.pass_(60)
    house.crm.delete("11")
    lose(house)

    poll(house)

    assert house.profile("11").success_at is not None


def test_what_was_lost_before_a_deletion_that_we_heard_of_is_found(house: House) -> None:
    lead(house)
    house.crm.edit("11", hs_email_optout="true")
    house.crm.rows.clear()
    house.crm.delete("11")
    house.sync()
    house.clock.pass_(DAY)

    assert poll(house) == 1
    assert house.slot("11") == 10


def test_a_deletion_that_is_told_late_ends_nothing_twice(house: House) -> None:
    lead(house)
    house.crm.delete("11")
    late = house.crm.told()
    house.clock.pass_(DAY)
    poll(house)

    house.hear(late)

    assert not house.known("11").alive


def test_a_restored_record_is_there_again(house: House) -> None:
    lead(house)
    house.crm.delete("11")
    house.sync()
    house.clock.pass_(60)
    house.crm.restore("11")
    lose(house)

    assert poll(house) == 1
    assert house.known("11").alive


def test_a_merge_makes_one_person_of_two(house: House) -> None:
    lead(house, "11")
    lead(house, "12", lifecyclestage="customer")
    house.crm.merge("12", "11")
    lose(house)

    assert poll(house) == 1

    assert house.profile_of("11") == house.profile_of("12")
    assert house.known("12").merged_into == "11"
    assert house.slot("11") == 8
    assert poll(house) == 0


def test_a_won_deal_and_its_people_are_found(house: House) -> None:
    lead(house)
    house.crm.create("901", "deal", dealstage="appointment")
    house.crm.tie("901", "11")
    house.clock.pass_(60)
    house.crm.edit("901", "deal", dealstage="closedwon")
    won = house.clock.now()
    lose(house)

    assert poll(house) == 1

    assert house.slot("11") == 8
    assert house.profile("11").success_at == won


def test_a_person_taken_off_a_deal_is_found(house: House) -> None:
    lead(house)
    house.crm.create("901", "deal", dealstage="closedwon")
    house.crm.tie("901", "11")
    house.sync()
    assert house.slot("11") == 8
    house.clock.pass_(120)
    house.crm.tie("901", "11", present=False)
    lose(house)

    poll(house)

    assert house.slot("11") == 3


def test_a_pass_writes_no_stage_and_keeps_to_the_bulk_lane(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    house.crm.rows.clear()
    house.clock.pass_(3 * DAY)

    reconcile(house.services, CONNECTION, lambda _kind, _count: None)

    assert {(row.purpose, row.lane) for row in house.outbox(state="pending")} == {("own", BULK)}
    assert {row.lane for row in house.rows(t.event, happening="read")[-1:]} == {BULK}
    house.run()
    names = {name for call in writes(house) for fields in call.fields for name in fields}
    assert all(name.startswith("bnb_") for name in names)


@pytest.mark.parametrize(("hours", "silent"), [(47, False), (49, True)])
def test_what_is_younger_than_two_days_is_live(house: House, hours: int, *, silent: bool) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage=MQL)
    house.crm.rows.clear()
    house.clock.pass_(hours * 3600)

    poll(house)

    assert [row.silent for row in house.rows(t.fact, value=MQL)] == [silent]


def test_what_old_changes_moved_is_one_batch(house: House) -> None:
    crowd(house)
    house.clock.pass_(3 * DAY)

    assert poll(house) == 7

    batches = {house.moves(str(100 + number))[-1].batch_id for number in range(7)}
    assert len(batches) == 1


def test_nobody_in_slot_10_is_asked_about(house: House) -> None:
    lead(house, hs_email_optout="true")
    assert house.slot("11") == 10
    house.crm.edit("11", lifecyclestage="customer")
    lose(house)
    house.crm.calls.clear()

    assert poll(house) == 0
    assert [call for call in house.crm.calls if "11" in call.ids] == []


@pytest.mark.parametrize("name", ["changed", "read", "archive"])
def test_a_pass_that_dies_goes_on_where_it_stopped(house: House, name: str) -> None:
    crowd(house)
    lose(house)
    after(house, name, crash)

    with pytest.raises(Crash):
        reconcile(house.services, CONNECTION, lambda _kind, _count: None)
    steal(house)
    poll(house)

    assert {house.slot(str(100 + number)) for number in range(7)} == {6}
    reads = [one for one in house.rows(t.event, happening="read") if one.silent]
    assert len(reads) == len({one.record_id for one in reads}) == 7


def test_a_pass_waits_for_a_crm_that_is_busy_or_down(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage=MQL)
    lose(house)
    house.crm.trouble["changed"].append(Trouble(CrmBusy("429", retry_in=7)))
    house.crm.trouble["read"].append(Trouble(CrmDown("502")))

    assert poll(house) == 1
    assert house.connection().rest_until is None


def test_a_crm_that_stays_down_ends_the_command_and_not_the_pass(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage=MQL)
    lose(house)
    house.crm.trouble["changed"].extend([Trouble(CrmDown("502"))] * 7)

    with pytest.raises(CrmDown):
        poll(house)
    house.clock.pass_(60)

    assert poll(house) == 0
    assert house.slot("11") == 6


def test_an_object_that_the_portal_denies_is_left_out(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage=MQL)
    lose(house)
    house.crm.trouble["archive"].append(Trouble(CrmDenied("403")))

    assert poll(house) == 1


def test_a_paused_connection_is_not_reconciled(house: House) -> None:
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")

    with pytest.raises(ConnectorError, match="resume"):
        poll(house)


# By the clock


def test_by_the_clock_a_pass_is_due_every_few_minutes(build: Build) -> None:
    house = build(poll_every=EVERY)
    assert _due(house)
    house.run()
    assert not _due(house)
    house.crm.calls.clear()

    house.clock.pass_(200)
    house.run()
    assert house.crm.calls == []
    house.clock.pass_(100)
    assert _due(house)
    house.run()

    assert [call.kind for call in house.crm.calls] == ["contact", "company", "deal"]


def test_switched_off_no_pass_is_due(house: House) -> None:
    with house.store.reading() as unit:
        assert unit.due(house.clock.now(), house.clock.now()) == []
    house.run()

    assert house.crm.calls == []


def test_a_paused_connection_is_never_due(build: Build) -> None:
    house = build(poll_every=EVERY)
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")

    assert not _due(house)
    house.run()
    assert house.crm.calls == []


def test_by_the_clock_what_was_missed_is_found(build: Build) -> None:
    house = build(poll_every=EVERY)
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")
    house.crm.rows.clear()

    house.clock.pass_(300)
    house.run()

    assert house.slot("11") == 8


def test_the_archive_is_read_now_and_then_only(build: Build) -> None:
    house = build(poll_every=EVERY)
    house.run()
    house.crm.calls.clear()

    for _ in range(6 * 12 + 1):
        house.clock.pass_(300)
        house.run()

    assert len([call for call in house.crm.calls if call.name == "archive"]) == 3


def test_a_rep_s_edit_goes_before_the_next_page(build: Build) -> None:
    house = build(poll_every=EVERY)
    lead(house)
    for number in range(9):
        house.crm.create(str(100 + number), email=f"p{number}@x.io")
    house.crm.rows.clear()
    house.clock.pass_(300)
    after(house, "changed", lambda: house.raise_(house.profile_of("11"), 6))
    house.crm.calls.clear()

    house.deliver()

    names = [call.name for call in house.crm.calls]
    assert "write" in names[: names.index("changed") + 5]
    assert names.count("changed") > names[: names.index("write")].count("changed")


def test_a_search_that_is_busy_does_not_hold_up_writes(build: Build) -> None:
    house = build(poll_every=EVERY)
    lead(house)
    house.clock.pass_(300)
    house.crm.trouble["changed"].append(Trouble(CrmBusy("429", retry_in=9)))
    house.deliver()
    house.raise_(house.profile_of("11"), 6)

    house.deliver()

    assert house.own("11") == "6"
    assert house.connection().rest_until is None


def test_a_pass_waits_while_the_crm_has_room_for_people_only(build: Build) -> None:
    house = build(poll_every=EVERY)
    house.crm.no_bulk_for = 7.0

    house.deliver()
    assert house.crm.calls == []

    house.crm.no_bulk_for = 0.0
    house.clock.pass_(7)
    house.deliver()
    assert "changed" in {call.name for call in house.crm.calls}


def test_two_workers_share_one_pass(build: Build) -> None:
    house = build(poll_every=EVERY)
    for number in range(9):
        house.crm.create(str(100 + number), email=f"p{number}@x.io", lifecyclestage=MQL)
    house.crm.rows.clear()
    after(house, "changed", house.deliver)

    house.run()

    assert house.rows(p.poll)[0].found == 9
    reads = [one.record_id for one in house.rows(t.event, happening="read")]
    assert len(reads) == len(set(reads)) == 9


def test_what_is_seen_is_forgotten_behind_the_watermark(house: House) -> None:
    for number in range(5):
        lead(house, str(100 + number))
    poll(house)
    house.clock.pass_(3600)
    house.crm.edit("100", lifecyclestage=MQL)
    house.crm.rows.clear()

    poll(house)

    house.clock.pass_(3600)
    poll(house)
    assert len(house.rows(p.seen)) <= 1


def _due(house: House) -> bool:
    now = house.clock.now()
    with house.store.reading() as unit:
        return ("deliver", CONNECTION) in unit.due(now, now, polls=True)
