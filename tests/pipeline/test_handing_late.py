"""What happened long before we learn of it is nobody's news: it is not handed over (DESIGN 4)."""

from __future__ import annotations

import pytest

from connector.mapping.handoff import (
    AssignOwner,
    Handoff,
    Recycle,
    ResetStatus,
    UntouchedTask,
)
from connector.store import tables as t
from tests.pipeline.acts import DEAL, lead, writes
from tests.pipeline.house import House

MQL = "marketingqualifiedlead"
HOUR, DAY = 3600, 86_400
ALL = Handoff(
    AssignOwner(enabled=True, owners=("7", "8")),
    ResetStatus(enabled=True, value="NEW"),
    DEAL,
    UntouchedTask(enabled=True, hours=4, subject="Call"),
    Recycle(enabled=True, after_days=30),
)


def found(house: House, *, after: float, **words: str) -> None:
    """Have a record turn up long after it became what it is, by an edit that means nothing."""
    house.crm.staff = ("7", "8")
    house.remap(handoff=ALL)
    house.crm.create("21", email="old@x.io", **words)
    house.crm.rows.clear()
    house.clock.pass_(after)
    house.crm.edit("21", email="new@x.io")
    house.sync()
    house.run()


@pytest.mark.parametrize("status", ["", "OPEN", "CONNECTED", "BAD_TIMING"])
def test_what_an_unknown_record_became_long_ago_is_not_handed_over(
    house: House, status: str
) -> None:
    found(house, after=365 * DAY, lifecyclestage=MQL, hs_lead_status=status)

    assert house.slot("21") in {4, 5, 6}
    assert house.rows(t.handoff) == []
    written = {name for call in writes(house) for fields in call.fields for name in fields}
    assert all(name.startswith("bnb_") for name in written)


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        ("", {"status", "owner", "task"}),
        ("CONNECTED", {"deal"}),
        ("BAD_TIMING", {"status", "owner", "task", "recycle"}),
    ],
)
def test_what_it_became_within_two_days_is(house: House, status: str, parts: set[str]) -> None:
    found(house, after=47 * HOUR, lifecyclestage=MQL, hs_lead_status=status)

    assert {row.part for row in house.rows(t.handoff)} == parts


def test_an_old_answer_of_a_lead_that_is_known_is_not_handed_over_either(house: House) -> None:
    lead(house, lifecyclestage=MQL)
    house.remap(handoff=ALL)
    house.crm.edit("11", hs_lead_status="CONNECTED")
    late = house.crm.told()
    house.clock.pass_(3 * DAY)

    house.keep(late)
    house.sync()

    assert house.rows(t.handoff) == []
