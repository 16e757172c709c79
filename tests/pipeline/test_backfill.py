"""Every record is read once: resumable, silent, dated by the CRM's own history."""

from __future__ import annotations

from collections import Counter

import pytest

from connector.domain.errors import ConnectorError, CrmBusy, CrmDenied, CrmDown
from connector.pipeline.backfilling import backfill
from connector.store import tables as t
from connector.stored import BULK
from tests.pipeline.acts import Crash, crash, lead, writes
from tests.pipeline.crm import Trouble
from tests.pipeline.house import CONNECTION, House

MQL = "marketingqualifiedlead"


def fill(house: House) -> dict[str, int]:
    return backfill(house.services, CONNECTION, lambda _kind, _count: None)


def portal(house: House, contacts: int = 7) -> None:
    """Have a CRM full of people before we were there."""
    for number in range(contacts):
        house.crm.create(str(100 + number), email=f"p{number}@x.io", lifecyclestage="lead")
        house.clock.pass_(3600)
        house.crm.edit(str(100 + number), lifecyclestage="customer" if number % 2 else MQL)
    house.crm.rows.clear()
    house.clock.pass_(86400)


def test_a_backfill_knows_everyone_and_dates_success_by_the_crm(either: House) -> None:
    portal(either)

    counts = fill(either)
    either.run()

    assert counts == {"contact": 7, "company": 0, "deal": 0}
    assert [either.slot(str(100 + one)) for one in range(7)] == [6, 8, 6, 8, 6, 8, 6]
    won = either.crm.records["contact", "101"].past["lifecyclestage"][-1].when
    assert either.profile("101").success_at == won
    assert either.own("101") == "8"


def test_a_backfill_writes_our_own_fields_only_and_after_others(house: House) -> None:
    portal(house)

    fill(house)

    assert {(row.purpose, row.lane) for row in house.outbox()} == {("own", BULK)}
    house.run()
    names = {name for call in writes(house) for fields in call.fields for name in fields}
    assert all(name.startswith("bnb_") for name in names)


def test_a_backfill_makes_no_call_per_record(house: House) -> None:
    portal(house)

    fill(house)

    assert Counter(call.name for call in house.crm.calls) == {"page": 3 + 1 + 1, "ties": 3}
    with house.store.reading() as unit:
        assert unit.asked(CONNECTION, house.clock.now(), 100) == []


def test_a_backfill_goes_on_where_it_stopped(house: House) -> None:
    portal(house)
    pages = iter([None, crash])

    def stop(kind: str, _count: int) -> None:
        act = next(pages, None) if kind == "contact" else None
        if act:
            act()

    with pytest.raises(Crash):
        backfill(house.services, CONNECTION, stop)
    house.crm.calls.clear()
    counts = fill(house)

    assert counts["contact"] == 7
    assert len(house.crm.calls) == 2 + 1 + 1  # the last page with its ties, and the other objects
    assert {house.slot(str(100 + one)) for one in range(7)} == {6, 8}


def test_a_backfill_waits_for_a_crm_that_is_busy_or_down(house: House) -> None:
    portal(house)
    house.crm.trouble["page"].append(Trouble(CrmBusy("429", retry_in=7)))
    house.crm.trouble["page"].append(Trouble(CrmDown("502")))

    assert fill(house)["contact"] == 7


def test_a_second_backfill_changes_nothing(house: House) -> None:
    portal(house)
    fill(house)
    house.run()
    before = house.rows(t.move), house.rows(t.fact)
    house.clock.pass_(3600)

    fill(house)
    house.crm.calls.clear()
    house.run()

    assert (house.rows(t.move), house.rows(t.fact)) == before
    assert [call for call in house.crm.calls if call.kind == "contact" and call.ids] == []


def test_a_backfill_undoes_no_rule(house: House) -> None:
    house.raise_(lead(house), 7)
    house.sync()

    fill(house)
    house.sync()

    assert house.slot("11") == 7
    assert house.own("11") == "7"


def test_what_a_backfill_moved_is_one_batch(house: House) -> None:
    portal(house)

    fill(house)

    assert len({row.batch_id for row in house.rows(t.move)}) == 1


def test_a_backfill_brings_deals_with_their_people(house: House) -> None:
    portal(house, 1)
    house.crm.create("901", "deal", dealstage="appointment")
    house.crm.tie("901", "100")
    house.clock.pass_(3600)
    house.crm.edit("901", "deal", dealstage="closedwon")
    won = house.clock.now()
    house.crm.rows.clear()
    house.clock.pass_(86400)

    fill(house)

    assert house.slot("100") == 8
    assert house.profile("100").success_at == won


def test_a_backfill_brings_people_with_their_companies(house: House) -> None:
    portal(house, 1)
    house.crm.create("501", "company", lifecyclestage="customer")
    house.crm.hire("100", "501")
    house.crm.rows.clear()

    fill(house)

    assert house.companies("100") == {"501": "customer"}
    house.run()
    assert "read" not in {call.name for call in house.crm.calls}


def test_a_backfill_goes_on_where_a_portal_tells_no_ties(house: House) -> None:
    portal(house)
    house.crm.trouble["ties"].append(Trouble(CrmDenied("no scope for companies")))

    assert fill(house)["contact"] == 7


def test_a_webhook_that_comes_after_the_backfill_tells_nothing_twice(house: House) -> None:
    house.crm.create("100", email="a@x.io", lifecyclestage="lead")
    house.clock.pass_(60)
    house.crm.edit("100", lifecyclestage="customer")
    late = house.crm.told()
    fill(house)
    moves = house.rows(t.move)

    house.hear(late)

    assert house.rows(t.move) == moves


def test_a_paused_connection_is_not_backfilled(house: House) -> None:
    with house.store.writing() as unit:
        unit.set_state(CONNECTION, "paused")

    with pytest.raises(ConnectorError, match="resume"):
        fill(house)
