"""What sales answers is kept beside the MQL entry that it answers (DESIGN 3)."""

from __future__ import annotations

from datetime import datetime

from connector.domain.slots import Role
from connector.mapping.table import Mode, OutboundRow, Put
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, House

MQL = "marketingqualifiedlead"
Told = list[tuple[str, str | None, datetime | None]]


def told(house: House, record_id: str = "11") -> Told:
    with house.store.reading() as unit:
        rows = unit.people.answers(ACCOUNT, house.profile(record_id).id)
    return [(one.lead_status, one.disposition, one.mql_at) for one in rows]


def edit(house: House, **fields: str) -> datetime:
    """Change a contact an hour later; return when."""
    house.clock.pass_(3600)
    when = house.clock.now()
    house.crm.edit("11", **fields)
    house.sync()
    return when


def test_an_answer_is_tied_to_the_mql_entry_before_it(either: House) -> None:
    lead(either, hs_lead_status="NEW")
    first = edit(either, lifecyclestage=MQL)
    edit(either, hs_lead_status="OPEN")
    edit(either, lifecyclestage="")
    edit(either, lifecyclestage="lead", hs_lead_status="")
    edit(either, lifecyclestage=MQL)
    second = next(m.occurred_at for m in reversed(either.moves("11")) if m.goal == 6)
    edit(either, hs_lead_status="BAD_TIMING")

    assert told(either) == [
        ("NEW", None, None),
        ("OPEN", None, first),
        ("", None, first),
        ("BAD_TIMING", "bad_timing", second),
    ]


def test_a_lost_deal_is_an_answer_too(house: House) -> None:
    lead(house)
    entered = edit(house, lifecyclestage=MQL)
    house.crm.create("901", "deal", dealstage="appointment")
    house.crm.tie("901", "11")
    house.sync()
    house.clock.pass_(60)

    house.crm.edit("901", "deal", dealstage="closedlost")
    house.sync()

    assert told(house) == [("", "lost", entered)]


def test_what_we_wrote_ourselves_is_no_answer_of_theirs(house: House) -> None:
    new = Put("NEW", Mode.IF_UNCHANGED)
    house.remap(outbound=(OutboundRow(Role.MQL, Put(MQL, Mode.IF_UNCHANGED), new),))
    profile = lead(house)
    edit(house, hs_lead_status="OPEN")

    house.move(profile, 6)
    house.sync()

    rows = [(row.lead_status, row.actor) for row in house.rows(t.answer)]
    assert sorted(rows) == [("NEW", "system"), ("OPEN", "crm")]


def test_a_late_entry_is_the_one_that_is_answered(house: House) -> None:
    lead(house)
    house.clock.pass_(3600)
    entered = house.clock.now()
    house.crm.edit("11", lifecyclestage=MQL)
    late = house.crm.told()
    edit(house, hs_lead_status="OPEN")
    before = told(house)

    house.hear(late)

    assert before == [("OPEN", None, None)]
    assert told(house) == [("OPEN", None, entered)]
    assert len(house.rows(t.answer)) == 1


def test_an_answer_that_is_untrue_for_a_while_is_kept_aside(house: House) -> None:
    lead(house, hs_lead_status="NEW")
    late = []
    for value in ("OPEN", "NEW", "OPEN"):
        house.clock.pass_(3600)
        house.crm.edit("11", hs_lead_status=value)
        late.append(house.crm.told())

    for seen, left in ((2, ["NEW", "OPEN"]), (0, ["NEW", "OPEN"]), (1, ["NEW", "OPEN"] * 2)):
        house.hear(late[seen])
        assert [status for status, _, _ in told(house)] == left

    assert len(house.rows(t.answer)) == 4


def test_a_re_evaluated_word_is_the_answer_that_it_means_now(house: House) -> None:
    lead(house)
    edit(house, hs_lead_status="UNQUALIFIED")

    assert told(house) == [("UNQUALIFIED", "unqualified", None)]
