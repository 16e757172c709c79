"""People's work goes before bulk: in the inbox, in the outbox, and at the CRM's limits."""

from __future__ import annotations

import json
from typing import Any

from connector.store import tables as t
from connector.stored import BULK, LIVE
from tests.pipeline.acts import lead, writes
from tests.pipeline.house import House

MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"


def edit(house: House, record_id: str, stage: str = SQL, source: str = "CRM_UI") -> list[Any]:
    house.crm.edit(record_id, lifecyclestage=stage)
    return [row | {"changeSource": source} for row in house.crm.told()]


def test_what_an_import_moves_is_written_behind_single_edits(house: House) -> None:
    lead(house, "11")
    lead(house, "12")

    house.hear(edit(house, "11", source="IMPORT") + edit(house, "12"))

    lanes = {row.record_id: row.lane for row in house.waiting("own")}
    assert lanes == {"11": BULK, "12": LIVE}


def test_a_person_who_edits_what_an_import_moved_does_not_wait_for_it(house: House) -> None:
    lead(house)

    house.hear(edit(house, "11", MQL, source="IMPORT"))
    house.hear(edit(house, "11", SQL))

    assert [row.lane for row in house.waiting("own")] == [LIVE]


def test_bulk_waits_while_the_crm_has_room_for_people_only(house: House) -> None:
    for record_id in ("11", "12"):
        lead(house, record_id)
    house.hear(edit(house, "11", source="IMPORT"))
    house.clock.pass_(2)
    house.crm.no_bulk_for = 5.0

    house.deliver()
    assert writes(house) == []

    house.crm.no_bulk_for = 0.0
    house.deliver()
    assert house.own("11") == "4"


def test_a_single_edit_is_written_while_bulk_waits_for_room(house: House) -> None:
    for record_id in ("11", "12"):
        lead(house, record_id)
    house.crm.no_bulk_for = 5.0

    house.hear(edit(house, "11", source="IMPORT") + edit(house, "12"))
    house.deliver()

    assert house.own("12") == "4"
    assert house.connection().rest_until is None


def test_records_that_an_import_names_are_not_read_while_bulk_has_no_room(house: House) -> None:
    house.crm.create("31", email="new@x.io", lifecyclestage="lead")
    rows = [row | {"changeSource": "IMPORT"} for row in house.crm.told()]
    house.hear(rows)
    house.crm.no_bulk_for = 5.0
    house.clock.pass_(2)

    house.deliver()
    assert [call.name for call in house.crm.calls] == []

    house.crm.no_bulk_for = 0.0
    house.deliver()
    assert "read" in {call.name for call in house.crm.calls}


def test_bulk_that_came_a_moment_later_goes_along_in_one_call(house: House) -> None:
    for record_id in ("11", "12"):
        lead(house, record_id)
    house.hear(edit(house, "11", source="IMPORT"))
    house.clock.pass_(0.9)
    house.hear(edit(house, "12", source="IMPORT"))
    house.clock.pass_(0.2)

    house.deliver()

    assert [set(call.ids) for call in writes(house)] == [{"11", "12"}]


def test_a_small_delivery_is_split_before_the_bodies_of_an_import(either: House) -> None:
    for number in range(20):
        either.keep(json.dumps([{"number": number, "filler": "x" * 9000}]).encode())
    either.keep(b"[]")

    with either.store.reading() as unit:
        taken = [len(one.body) for one in unit.waiting_deliveries(10)]

    assert taken[0] == 2
    assert len(taken) == 3  # the oldest two go with it, so that they don't wait for ever


def test_every_delivery_is_split_in_the_end_however_large(house: House) -> None:
    for number in range(30):
        house.keep(json.dumps([{"number": number, "filler": "x" * 9000}]).encode())

    house.drain()

    assert {row.state for row in house.rows(t.delivery)} <= {"done", "parked"}
