"""Erasure is complete, and nothing brings the person back (DESIGN 5.8)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connector.pipeline.backfilling import backfill
from connector.pipeline.forgetting import erase
from connector.store import tables as t
from tests.pipeline.acts import after, before, lead
from tests.pipeline.house import ACCOUNT, CONNECTION, House

NAME, ADDRESS = "Zoë Quillfeather", "zoe@quillfeather.example"
STAYS = {("outbox", "erase"), ("tombstone", "record"), ("tombstone", "email")}


def traces(house: House, *words: str) -> list[tuple[str, str]]:
    """Return every (table, column) that holds one of the words, in any form that is stored."""
    return [
        (table, column) for table, column, text in _texts(house) if any(w in text for w in words)
    ]


def _texts(house: House) -> Iterator[tuple[str, str, str]]:
    for table in t.metadata.sorted_tables:
        for row in house.rows(table):
            for column, value in row._mapping.items():
                kind = (table.name, row._mapping.get("purpose", row._mapping.get("kind")))
                if isinstance(value, bytes):
                    yield table.name, column, value.decode("latin-1")
                elif not (column in {"record_id", "key"} and kind in STAYS):
                    text = value if isinstance(value, str) else json.dumps(value, default=str)
                    yield table.name, column, text


def zoe(house: House, record_id: str = "11987") -> str:
    return lead(house, record_id, email=ADDRESS, firstname=NAME)


@pytest.mark.parametrize("way", ["crm", "api"])
def test_nothing_of_an_erased_person_is_left_in_any_table(either: House, way: str) -> None:
    profile = zoe(either)
    either.move(profile, 6, f"{NAME} asked for a demo")
    either.sync()
    either.crm.create("901", "deal", dealstage="appointment")
    either.crm.tie("901", "11987")
    either.sync()

    forget(either, profile, way)
    either.sync()

    assert traces(either, ADDRESS, NAME, profile) == []
    assert set(traces(either, "11987")) <= {("event", "data")}  # the deal's own story
    assert len(either.rows(t.tombstone)) == 2


def test_who_is_erased_while_a_write_is_checked_leaves_no_audit_behind(house: House) -> None:
    profile = zoe(house)
    house.raise_(profile, 6)
    house.crm.edit("11987", lifecyclestage="salesqualifiedlead")
    after(house, "read", lambda: forget(house, profile, "api"))

    house.run()

    assert house.rows(t.audit) == []


def test_our_fields_are_blanked_where_the_record_stays(house: House) -> None:
    profile = zoe(house)

    forget(house, profile, "api")
    house.run()

    assert house.own("11987") == house.own("11987", "since") == house.own("11987", "profile") == ""


def test_a_record_that_the_crm_deleted_is_not_called_about(house: House) -> None:
    profile = zoe(house)

    forget(house, profile, "crm")
    house.sync()

    assert house.crm.calls == []


def test_an_erased_pair_leaves_nothing_of_either(either: House) -> None:
    zoe(either)
    lost = zoe(either, "12987")
    either.crm.edit("12987", email="other@x.io")
    either.sync()
    third = lead(either, "13987", email="third@x.io")
    either.move(third, 7)
    either.crm.edit("13987", email=ADDRESS)
    either.sync()
    profile = either.profile_of("11987")
    assert either.profile_of("13987") == profile

    forget(either, profile, "crm")
    either.sync()

    assert traces(either, ADDRESS, "third@x.io", profile, lost, third) == []
    assert either.rows(t.event, state="parked") == []


def test_an_erased_record_does_not_come_back(house: House) -> None:
    profile = zoe(house)
    forget(house, profile, "api")
    house.run()

    house.crm.edit("11987", lifecyclestage="customer", email=ADDRESS.upper())
    house.sync()
    backfill(house.services, CONNECTION, lambda _kind, _count: None)
    house.sync()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS, ADDRESS.upper()) == []


def test_late_events_of_an_erased_person_leave_no_trace(house: House) -> None:
    profile = zoe(house)
    house.crm.edit("11987", email=f"new-{ADDRESS}")
    late = house.crm.told()
    forget(house, profile, "api")

    house.hear(late)
    house.run()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS) == []


def test_a_read_that_was_on_its_way_leaves_no_trace(house: House) -> None:
    house.crm.create("11987", email=ADDRESS)
    house.hear()
    profile = house.profile_of("11987")
    after(house, "read", lambda: forget(house, profile, "api"))

    house.run()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS) == []


def test_a_write_that_was_on_its_way_ends_blank_and_without_a_trace(house: House) -> None:
    profile = zoe(house)
    house.move(profile, 6)
    before(house, "write", lambda: forget(house, profile, "api"))

    house.sync()

    assert house.own("11987") == ""
    assert traces(house, ADDRESS, profile) == []


def test_another_record_of_that_address_from_before_is_refused(house: House) -> None:
    house.crm.create("12987", email=ADDRESS)
    late = house.crm.told()
    house.clock.pass_(60)
    profile = zoe(house)
    forget(house, profile, "api")

    house.hear(late)
    house.run()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS) == []


def test_a_new_record_of_that_address_is_a_new_person(house: House) -> None:
    profile = zoe(house)
    forget(house, profile, "crm")
    house.clock.pass_(60)

    house.crm.create("12987", email=ADDRESS, lifecyclestage="lead")
    house.sync()

    assert house.slot("12987") == 3
    assert house.profile_of("12987") != profile


def test_an_old_record_that_turns_up_late_does_not_erase_the_new_person(house: House) -> None:
    house.crm.create("12987", email=ADDRESS)
    late = house.crm.told()
    house.clock.pass_(60)
    profile = zoe(house)
    forget(house, profile, "crm")
    house.clock.pass_(60)
    house.crm.create("13987", email=ADDRESS, lifecyclestage="customer")
    house.sync()

    house.hear(late)
    house.run()

    assert house.slot("13987") == 8
    assert house.profile_of("12987") == ""


def test_an_erasure_that_comes_before_anything_else_is_kept(house: House) -> None:
    house.crm.create("11987", email=ADDRESS)
    rows = house.crm.told()
    house.clock.pass_(60)
    house.crm.forget("11987")

    house.hear()
    house.hear(rows)
    house.run()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS) == []


@pytest.mark.parametrize("order", [("deletion", "privacy"), ("privacy", "deletion")])
def test_the_deletion_that_comes_with_an_erasure_may_come_in_any_order(
    house: House, order: tuple[str, str]
) -> None:
    zoe(house)
    house.crm.delete("11987")
    house.crm.forget("11987")
    rows = house.crm.told()

    for word in order:
        house.hear([row for row in rows if word in row["subscriptionType"]])
    house.run()

    assert house.rows(t.record) == []
    assert traces(house, ADDRESS) == []


def test_erasing_one_leaves_the_others_as_they_are(house: House) -> None:
    profile = zoe(house)
    other = lead(house, "12")
    house.raise_all([profile, other], 7)
    house.sync()

    forget(house, profile, "api")
    house.sync()

    assert house.slot("12") == 7
    assert house.steps("12") == [(None, 3), (3, 7)]
    assert house.own("12") == "7"


def test_what_could_not_be_read_of_a_person_goes_too(house: House) -> None:
    profile = zoe(house)
    house.crm.edit("11987", email=f"x{ADDRESS}")
    rows = house.crm.told()
    rows[0]["eventId"] = "not a number"
    house.hear(rows)
    assert len(house.rows(t.event, state="parked")) == 1

    forget(house, profile, "api")

    assert traces(house, ADDRESS) == []


def forget(house: House, profile: str, way: str) -> None:
    house.clock.pass_(60)
    if way == "api":
        erase(house.services, ACCOUNT, profile)
        return
    record = next(one.record_id for one in house.rows(t.record) if one.profile_id == profile)
    house.crm.forget(record)
    house.hear()
