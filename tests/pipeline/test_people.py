"""Who is who: records, addresses, merges and deletions (DESIGN 4, identity)."""

from __future__ import annotations

from itertools import permutations

import pytest

from connector.domain.facts import ConnectionId
from tests.pipeline.acts import lead
from tests.pipeline.conftest import Build
from tests.pipeline.house import ACCOUNT, House

OTHER = ConnectionId("con_2")


def test_records_with_one_address_are_one_profile_and_the_older_id_survives(either: House) -> None:
    older = lead(either, "11")
    newer = lead(either, "12", lifecyclestage="customer")
    assert older != newer

    either.crm.edit("12", email=" P11@X.io ")
    either.sync()

    assert either.profile_of("11") == either.profile_of("12") == older
    assert either.own("12", "profile") == older
    assert either.slot("11") == 8
    with either.store.reading() as unit:
        joined = unit.people.profile(ACCOUNT, newer)
    assert joined is not None
    assert joined.id == older


def test_a_join_keeps_the_steps_of_both_in_one_ledger(house: House) -> None:
    older = lead(house, "11")
    house.raise_(older, 6)
    house.clock.pass_(60)
    newer = lead(house, "12")
    house.move(newer, 7)
    house.clock.pass_(60)

    house.crm.edit("12", email="p11@x.io")
    house.sync()

    assert house.steps("11") == [(None, 3), (3, 6), (6, 7)]
    assert house.ledger(newer) == []


def test_a_joined_profile_is_moved_under_either_id(house: House) -> None:
    lead(house, "11")
    newer = lead(house, "12")
    house.crm.edit("12", email="p11@x.io")
    house.sync()

    house.move(newer, 7)

    assert house.slot("11") == 7


def test_a_join_with_a_slot_10_in_it_is_slot_10(house: House) -> None:
    lead(house, "11", lifecyclestage="customer")
    lead(house, "12", hs_email_optout="true")

    house.crm.edit("11", email="p12@x.io")
    house.sync()

    assert house.slot("11") == 10
    assert house.own("11") == "10"


def test_an_address_that_changes_keeps_the_profile_and_undoes_no_join(house: House) -> None:
    profile = lead(house, "11")
    lead(house, "12", email="p11@x.io")

    house.crm.edit("12", email="somebody@else.io")
    house.sync()

    assert house.profile_of("12") == house.profile_of("11") == profile


def test_one_address_in_two_crms_is_one_profile(house: House) -> None:
    profile = lead(house, "11")
    other = house.connect(OTHER, "77")
    other.create("11", email="P11@x.io", lifecyclestage="customer")
    house.keep(other.told(), OTHER)

    house.run()

    assert house.profile_of("11", OTHER) == profile
    assert house.slot("11") == 8
    assert other.value("11", "bnb_profile_id") == profile


@pytest.mark.parametrize("way", ["deletion", "merge"])
def test_a_record_that_goes_makes_no_step(house: House, way: str) -> None:
    lead(house, "11", lifecyclestage="customer")
    lead(house, "12")
    before = house.profile("11")

    if way == "deletion":
        house.crm.delete("11")
    else:
        house.crm.merge("11", "12")
    house.sync()

    assert house.profile("11").slot == before.slot
    assert house.profile("11").success_at == before.success_at
    assert not house.known("11").alive


def test_a_deleted_record_that_comes_back_is_written_to_again(house: House) -> None:
    profile = lead(house)
    house.crm.delete("11")
    house.sync()
    house.clock.pass_(60)
    house.move(profile, 7)
    house.run()
    house.crm.restore("11")

    house.sync()

    assert house.known("11").alive
    assert house.own("11") == "7"


def test_a_record_that_was_missing_when_read_and_then_changes_is_read_again(house: House) -> None:
    record = house.crm.create("11", email="a@x.io")
    record.deleted = True  # a CRM's index may lag behind its webhooks
    house.sync()
    assert not house.known("11").alive
    record.deleted = False
    house.clock.pass_(60)

    house.crm.edit("11", lifecyclestage="customer")
    house.sync()

    assert house.known("11").alive
    assert house.own("11") == "8"


def test_a_deletion_and_a_newer_read_in_one_batch_find_the_record_alive(house: House) -> None:
    lead(house)
    house.crm.delete("11")
    rows = house.crm.told()
    house.crm.records["contact", "11"].deleted = False  # restored; that webhook is lost
    house.clock.pass_(60)
    with house.store.writing() as unit:
        unit.ask([house.known("11").key], house.clock.now())
    house.keep(rows)

    house.deliver()
    house.drain()

    assert house.known("11").alive


@pytest.mark.parametrize("order", list(permutations(["merge", "11", "12"])))
def test_a_merge_makes_one_person_whenever_it_is_told(build: Build, order: list[str]) -> None:
    house = build()
    house.crm.create("11", email="a@x.io", lifecyclestage="customer")
    house.crm.create("12", email="b@x.io", lifecyclestage="lead")
    house.clock.pass_(60)
    house.crm.merge("11", "12")
    rows = house.crm.told()

    for word in order:
        house.hear(
            [
                row
                for row in rows
                if (row["subscriptionType"] == "contact.merge") == (word == "merge")
                and (word == "merge" or row["objectId"] == int(word))
            ]
        )
    house.sync()

    assert house.profile_of("11") == house.profile_of("12") != ""
    assert house.slot("12") == 8
    assert house.own("12") == "8"


def test_an_opt_out_of_a_merged_record_that_comes_late_counts(house: House) -> None:
    house.crm.create("11", email="a@x.io", hs_email_optout="true")
    house.crm.create("12", email="b@x.io", lifecyclestage="lead")
    rows = house.crm.told()
    house.clock.pass_(60)
    house.crm.merge("11", "12")

    house.hear()
    house.hear([row for row in rows if row["objectId"] == 12])
    house.hear([row for row in rows if row["objectId"] == 11])

    assert house.slot("12") == 10


def test_a_chain_of_merges_is_one_person(house: House) -> None:
    for one in ("11", "12", "13"):
        lead(house, one)
    house.crm.merge("11", "12")
    house.crm.merge("12", "13")

    house.sync()

    assert len({house.profile_of(one) for one in ("11", "12", "13")}) == 1
    assert house.own("13", "profile") == house.profile_of("11")


def test_a_merge_into_a_third_new_record_is_one_person(house: House) -> None:
    first = lead(house, "11", lifecyclestage="customer")
    lead(house, "12")
    house.crm.create("13", email="p12@x.io")
    house.crm.rows.clear()
    house.crm.merge("11", "13")
    house.crm.merge("12", "13")
    row = house.crm.told()[0]
    row |= {"primaryObjectId": 11, "mergedObjectIds": [11, 12], "newObjectId": 13}
    house.hear([row])
    house.run()

    assert {house.profile_of(one) for one in ("11", "12", "13")} == {first}
    assert house.slot("13") == 8


def test_a_record_without_address_or_stage_is_anonymous(house: House) -> None:
    house.crm.create("11")

    house.sync()

    assert house.slot("11") == 1
