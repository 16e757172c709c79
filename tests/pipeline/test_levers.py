"""The rep's lever: blanked once for each pull."""

from __future__ import annotations

from connector.store import tables as t
from connector.store.sql import add
from tests.pipeline.acts import before, lead, writes
from tests.pipeline.house import House


def pull(house: House, slot: str) -> None:
    house.clock.pass_(1)
    house.crm.edit("11", bnb_set_slot=slot)
    house.clock.pass_(1)


def want_again(house: House) -> None:
    """Want a blank once more, as a drain does that looked before our intent was written down."""
    (row,) = house.outbox(purpose="lever")
    again = {**row._asdict(), "state": "pending"}
    del again["id"]
    with house.store.writing() as unit:
        add(unit.tx, t.outbox, [again])


def test_a_blank_that_was_wanted_twice_is_written_once(house: House) -> None:
    lead(house)
    pull(house, "7")
    before(house, "write", lambda: want_again(house), "bnb_set_slot")

    house.sync()

    assert [row.state for row in house.outbox(purpose="lever")] == ["sent", "sent"]
    assert len(writes(house, "bnb_set_slot")) == 1


def test_a_lever_that_is_pulled_again_is_blanked_again(house: House) -> None:
    lead(house)
    pull(house, "7")
    house.sync()

    pull(house, "5")
    house.sync()

    assert house.slot("11") == 5
    assert house.crm.value("11", "bnb_set_slot") == ""
    assert len(writes(house, "bnb_set_slot")) == 2
