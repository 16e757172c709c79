"""Entries to MQL are kept as they were, with what sales made of each (DESIGN 4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.facts import ProfileId
from connector.pipeline import undoing
from connector.pipeline.forgetting import erase
from connector.pipeline.reporting import Feedback, feedback
from connector.store import tables as t
from connector.store.tables_journeys import visitor
from tests.pipeline import world
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, START, House, quick_house
from tests.pipeline.world import Deed, World, deliver, posts

MQL = "marketingqualifiedlead"
HOUR = timedelta(hours=1)
some = settings(max_examples=settings().max_examples // 4)


def edit(house: House, record: str = "11", **fields: str) -> datetime:
    """Change a contact an hour later; return when."""
    house.clock.pass_(3600)
    when = house.clock.now()
    house.crm.edit(record, **fields)
    house.sync()
    return when


def report(house: House, by: str = "source", *span: datetime | None) -> dict[str, Feedback]:
    return {row.key: row for row in feedback(house.services, ACCOUNT, by, *span)}


def came(house: House, profile_id: str, first_at: datetime = START, **origin: str) -> None:
    """Have a profile's visitor come from somewhere."""
    row = {"profile_id": profile_id, "account_id": ACCOUNT, "origin": origin, "person": {}}
    with house.store.database.writing() as tx:
        tx.execute(visitor.insert().values(**row, first_at=first_at))


def test_a_lead_that_sales_takes_to_sql_is_counted(either: House) -> None:
    came(either, lead(either), utm_source="news", utm_campaign="spring")
    edit(either, lifecyclestage=MQL)
    edit(either, hs_lead_status="OPEN")
    edit(either, hs_lead_status="CONNECTED")

    assert report(either) == {"news": Feedback("news", 1, 1, 1, 1, {}, 1.0, 1.0)}
    assert [*report(either, "campaign")] == ["spring"]


def test_a_status_that_still_says_new_is_no_answer(house: House) -> None:
    lead(house)
    edit(house, lifecyclestage=MQL)
    edit(house, hs_lead_status="NEW")

    assert report(house) == {"unknown": Feedback("unknown", 1, 0, 0, 0, {}, None, 0.0)}


def test_each_entry_has_its_own_answer(house: House) -> None:
    lead(house)
    first = edit(house, lifecyclestage=MQL)
    edit(house, hs_lead_status="UNQUALIFIED")
    edit(house, lifecyclestage="")
    edit(house, lifecyclestage="lead", hs_lead_status="")
    edit(house, lifecyclestage=MQL)
    edit(house, lifecyclestage="salesqualifiedlead")

    [row] = report(house).values()
    assert (row.mql, row.sql, row.dispositions) == (2, 1, {"unqualified": 1})
    assert report(house, "source", None, first + HOUR)["unknown"].sql == 0


def test_a_deal_that_is_lost_takes_no_lead_up(house: House) -> None:
    profile = lead(house, lifecyclestage=MQL, hs_lead_status="OPEN")
    house.crm.deal("901", "11")
    house.sync()
    house.clock.pass_(60)
    house.move(profile, 6)
    assert report(house, "rule")["person"].accepted == 0

    house.clock.pass_(3600)
    house.crm.edit("901", "deal", dealstage="closedlost")
    house.sync()

    row = report(house, "rule")["person"]
    assert (row.accepted, row.touched, row.dispositions) == (0, 1, {"lost": 1})


def test_a_lead_that_is_turned_down_was_touched_and_not_accepted(house: House) -> None:
    lead(house)
    edit(house, lifecyclestage=MQL)
    edit(house, hs_lead_status="UNQUALIFIED")

    [row] = report(house).values()
    assert (row.accepted, row.touched, row.dispositions) == (0, 1, {"unqualified": 1})


def test_undoing_a_mistake_makes_no_second_mql(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 6)
    house.sync()
    house.clock.pass_(60)
    house.move(profile, 3)
    mistake = house.ledger(profile)[-1].batch_id

    undoing.undo(house.services, ACCOUNT, mistake, dry_run=False)
    edit(house, hs_lead_status="UNQUALIFIED")

    [row] = report(house, "rule").values()
    assert (row.key, row.mql, row.dispositions) == ("pricing", 1, {"unqualified": 1})
    [answer] = house.rows(t.answer, superseded_at=None, lead_status="UNQUALIFIED")
    assert answer.mql_at == house.rows(t.entry)[0].occurred_at


def test_the_owner_is_the_one_of_the_time(house: House) -> None:
    lead(house, hubspot_owner_id="71001")
    edit(house, lifecyclestage=MQL)
    edit(house, hubspot_owner_id="71002")

    assert [*report(house, "owner")] == ["71001"]


def test_a_lead_of_nobody_counts_for_whom_it_was_given_to(house: House) -> None:
    lead(house)
    edit(house, lifecyclestage=MQL)
    assert [*report(house, "owner")] == ["none"]
    edit(house, hubspot_owner_id="71002")
    edit(house, hubspot_owner_id="71001")

    assert [*report(house, "owner")] == ["71002"]


def test_a_rule_is_named_and_so_is_who_else_made_an_mql(house: House) -> None:
    lead(house)
    one = lead(house, "12")
    house.raise_(one, 6)
    edit(house, lifecyclestage=MQL)

    assert {*report(house, "rule")} == {"pricing", "crm"}


def test_where_a_visitor_came_from_afterwards_says_nothing(house: House) -> None:
    profile = lead(house)
    edit(house, lifecyclestage=MQL)
    came(house, profile, house.clock.now(), utm_source="late")

    assert [*report(house)] == ["unknown"]


def test_without_a_campaign_the_site_before_is_the_source(house: House) -> None:
    came(house, lead(house), referrer="https://www.search.example/?q=crm")
    came(house, lead(house, "12"))
    for record in ("11", "12"):
        edit(house, record, lifecyclestage=MQL)

    assert {*report(house)} == {"search.example", "direct"}
    assert [*report(house, "campaign")] == ["none"]


def test_nothing_of_an_erased_person_is_counted(house: House) -> None:
    profile = lead(house)
    edit(house, lifecyclestage=MQL)
    erase(house.services, ACCOUNT, profile)

    assert (report(house), house.rows(t.entry)) == ({}, [])


def naive(house: House) -> dict[Any, tuple[Any, ...]]:
    """Recompute every entry from the moves and the answers alone."""
    records = {(r.connection_id, r.object, r.record_id): r.profile_id for r in house.rows(t.record)}
    told: dict[str, list[Any]] = {}
    for row in house.rows(t.answer, superseded_at=None):
        owner = records[row.connection_id, row.object, row.record_id]
        told.setdefault(owner, []).append(row)
    found = {}
    for profile in {row.profile_id for row in house.rows(t.move, superseded_at=None)}:
        moves = house.ledger(ProfileId(profile))
        starts = [place for place, move in enumerate(moves) if move.goal == 6]
        for place, stop in zip(starts, [*starts[1:], len(moves)], strict=False):
            began = moves[place].occurred_at
            ended = moves[stop].occurred_at if stop < len(moves) else None
            sql = [m.occurred_at for m in moves[place + 1 : stop] if m.goal in {4, 7, 8, 9}]
            sal = [m.occurred_at for m in moves[place + 1 : stop] if m.goal == 5]
            own = [a for a in told.get(profile, ()) if a.mql_at == began and began != ended]
            given = {id(a) for a in own if a.lead_status != _before(told[profile], a)}
            said = [a for a in own if id(a) in given and _is_word(a)]
            lost = [a for a in own if a.actor == "crm" and a.disposition]
            found[profile, began] = (
                min([*sql, *sal, *(a.occurred_at for a in said)], default=None),
                min(sql, default=None),
                min((a.occurred_at for a in (*said, *lost)), default=None),
                sorted({a.disposition for a in own if a.disposition}),
            )
    return found


def _is_word(answer: Any) -> bool:
    return bool(answer.actor == "crm" and answer.lead_status not in {"", "NEW"})


def _before(told: list[Any], answer: Any) -> str:
    """Return the lead status that a record bore before an answer."""
    own = [a for a in told if a.record_id == answer.record_id]
    earlier = [a for a in own if a.occurred_at < answer.occurred_at]
    return max(earlier, key=lambda a: a.occurred_at).lead_status if earlier else ""


@some
@given(st.data(), st.lists(world.ALL, max_size=14), st.booleans())
def test_entries_agree_with_the_moves_and_the_answers(
    data: st.DataObject, deeds: list[Deed], shared: Any
) -> None:
    with quick_house() as house:
        made = World(house, shared)
        for deed in deeds:
            made.act(deed)
        line = data.draw(posts(house.crm.told()))
        house.clock.pass_(3600)

        deliver(house, line)

        entries = house.rows(t.entry, superseded_at=None)
        kept = {
            (e.profile_id, e.occurred_at): (e.accepted_at, e.sql_at, e.touched_at, e.dispositions)
            for e in entries
        }
        assert kept == naive(house)
        counted = report(house).values()
        assert sum(row.mql for row in counted) == len(kept)
        assert sum(row.sql for row in counted) == sum(
            sql is not None for _, sql, *_ in kept.values()
        )
