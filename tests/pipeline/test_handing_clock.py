"""By the clock: a task where nobody touched a lead, and bad timing whose day came (DESIGN 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.errors import CrmDenied, CrmDown, CrmError
from connector.mapping.handoff import (
    AssignOwner,
    Handoff,
    Recycle,
    ResetStatus,
    UntouchedTask,
)
from connector.pipeline.reading import parse_date
from connector.pipeline.recycling import comes_on
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.crm import Trouble
from tests.pipeline.house import House, quick_house

MQL = "marketingqualifiedlead"
HOUR, DAY = 3600, 86_400
TASK = UntouchedTask(
    enabled=True, hours=4, subject="Call {firstname}", activity=("notes_last_contacted",)
)
RECYCLE = Recycle(enabled=True, field="call_again_on", after_days=30)


def mql(house: House, record_id: str = "11", **more: str) -> str:
    """Have an MQL whom the clock looks after."""
    house.remap(handoff=Handoff(untouched_task=TASK, recycle=RECYCLE))
    profile = lead(house, record_id, **more)
    house.raise_(profile, 6)
    house.sync()
    return profile


def hours(house: House, number: float) -> None:
    house.clock.pass_(number * HOUR)
    house.sync()
    house.run()


def subjects(house: House) -> list[str]:
    return [task.subject for task in house.crm.tasks.values()]


def test_a_lead_that_nobody_touched_becomes_a_task_for_its_owner(house: House) -> None:
    mql(house, firstname="Ada", hubspot_owner_id="42")
    hours(house, 3)
    assert subjects(house) == []

    hours(house, 1)

    (task,) = house.crm.tasks.values()
    assert (task.subject, task.owner, task.record_id) == ("Call Ada", "42", "11")


def test_there_is_one_task_for_each_entry(house: House) -> None:
    profile = mql(house)
    hours(house, 5)
    hours(house, 50)
    house.move(profile, 3)
    house.clock.pass_(60)

    house.move(profile, 6)
    hours(house, 5)

    assert subjects(house) == ["Call", "Call"]


@pytest.mark.parametrize(
    "words",
    [
        {"hs_lead_status": "OPEN"},
        {"hs_lead_status": "whatever"},
        {"lifecyclestage": "salesqualifiedlead"},
        {"notes_last_contacted": "2026-05-01T15:00:00Z"},
        {"hs_email_optout": "true"},
    ],
)
def test_whoever_was_touched_becomes_no_task(house: House, words: dict[str, str]) -> None:
    mql(house)
    house.clock.pass_(HOUR)
    house.crm.edit("11", **words)

    hours(house, 5)

    assert subjects(house) == []


def test_what_was_done_before_the_entry_does_not_count(house: House) -> None:
    mql(house, notes_last_contacted="2026-05-01T11:00:00Z")

    hours(house, 5)

    assert subjects(house) == ["Call"]


@pytest.mark.parametrize("status", ["NEW", ""])
def test_a_workflow_that_says_new_is_nobody_s_touch(house: House, status: str) -> None:
    mql(house, hs_lead_status="OPEN")
    house.clock.pass_(30)
    house.crm.edit("11", hs_lead_status=status)

    hours(house, 5)

    assert subjects(house) == ["Call"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"hs_lead_status": "OPEN"}, "it is no MQL any more"),
        ({"hs_lead_status": "BAD_TIMING"}, "somebody answered"),
        ({"lifecyclestage": "customer"}, "it is no MQL any more"),
    ],
)
@pytest.mark.parametrize("error", [CrmDown("away"), CrmDenied("no scope")])
def test_a_task_that_waits_is_not_added_to_a_lead_touched_meanwhile(
    house: House, error: CrmError, words: dict[str, str], why: str
) -> None:
    mql(house)
    house.crm.trouble["add_task"].append(Trouble(error))
    house.clock.pass_(4 * HOUR)
    house.run()
    house.crm.edit("11", **words)
    house.keep(house.crm.told())
    house.drain()

    with house.store.writing() as unit:
        unit.retry_parked(house.connection(), house.clock.now())
    hours(house, 1)

    assert subjects(house) == []
    assert [(row.state, row.outcome) for row in house.rows(t.handoff, part="task")] == [
        ("dropped", why)
    ]


def test_a_lost_answer_makes_no_second_task(house: House) -> None:
    mql(house)
    house.crm.trouble["add_task"].append(Trouble(CrmDown("gone"), applies=True))

    hours(house, 5)
    hours(house, 1)

    assert subjects(house) == ["Call"]


def test_bad_timing_goes_back_when_its_days_are_over(house: House) -> None:
    mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING")
    house.sync()
    hours(house, 29 * 24)
    assert house.slot("11") == 6

    for _ in range(2):
        hours(house, 24)

    assert house.slot("11") == 3
    assert house.moves("11")[-1].actor == "system"
    assert house.own("11") == "3"
    assert house.crm.value("11", "lifecyclestage") == MQL


def test_bad_timing_goes_back_on_the_date_that_the_crm_holds(house: House) -> None:
    mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-04")
    house.sync()
    hours(house, 48)
    assert house.slot("11") == 6

    hours(house, 24)

    assert house.slot("11") == 3


def test_a_date_that_is_put_off_is_waited_for(house: House) -> None:
    mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-04")
    house.sync()
    hours(house, 20)
    house.crm.edit("11", call_again_on="2026-05-06")

    for _ in range(3):
        hours(house, 24)
    assert house.slot("11") == 6
    for _ in range(3):
        hours(house, 24)

    assert house.slot("11") == 3


def test_who_said_something_else_since_is_not_recycled(house: House) -> None:
    mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-04")
    house.sync()
    house.clock.pass_(HOUR)
    house.crm.edit("11", hs_lead_status="OPEN")

    for _ in range(5):
        hours(house, 24)

    assert house.slot("11") == 5


def test_a_customer_with_bad_timing_stays_one(house: House) -> None:
    profile = mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-02")
    house.sync()
    house.move(profile, 8)

    for _ in range(3):
        hours(house, 24)

    assert house.slot("11") == 8


def test_a_recycled_lead_is_handed_over_anew_when_it_comes_back(house: House) -> None:
    profile = mql(house)
    house.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-02")
    house.sync()
    for _ in range(2):
        hours(house, 24)
    house.remap(handoff=Handoff(reset_status=ResetStatus(enabled=True, value="NEW")))

    house.raise_(profile, 6, cause="rule:back")
    house.sync()

    assert house.crm.past("11", "hs_lead_status") == ["BAD_TIMING", "NEW"]


def test_what_waits_while_its_switch_is_off_is_done_when_it_is_on_again(house: House) -> None:
    mql(house)
    mql(house, "12")
    house.crm.edit("12", hs_lead_status="BAD_TIMING", call_again_on="2026-05-02")
    house.sync()
    on = Handoff(untouched_task=TASK, recycle=RECYCLE)
    house.remap(handoff=Handoff())
    hours(house, 48)
    assert (subjects(house), house.slot("12")) == ([], 6)

    house.remap(handoff=on)
    hours(house, 1)

    assert (subjects(house), house.slot("12")) == (["Call"], 3)


def test_a_task_that_is_under_way_when_its_switch_goes_off_waits(house: House) -> None:
    mql(house)
    house.crm.trouble["add_task"].append(Trouble(CrmDown("away")))
    house.clock.pass_(4 * HOUR)
    house.run()
    house.remap(handoff=Handoff())
    hours(house, 2)
    assert subjects(house) == []

    house.remap(handoff=Handoff(untouched_task=TASK))
    hours(house, 2)

    assert subjects(house) == ["Call"]


@pytest.mark.parametrize("hours_west", [8, 12])
def test_a_date_begins_when_it_is_that_day_for_the_rep(hours_west: int) -> None:
    zone = timezone(-timedelta(hours=hours_west))

    for told in ("2026-05-09", "1778284800000"):
        day = comes_on(ANSWERED, parse_date(told), RECYCLE)
        assert day is not None
        assert day.astimezone(zone).date().isoformat() == "2026-05-09"


ANSWERED = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "days", "day"),
    [
        ("2026-05-09", 30, "2026-05-09"),
        ("2026-05-01", 30, "2026-05-01"),
        ("2026-04-30", 30, "2026-05-31"),
        ("2026-04-30", None, None),
        ("", 30, "2026-05-31"),
        ("soon", None, None),
    ],
)
def test_a_date_older_than_the_answer_counts_as_none(
    told: str, days: int | None, day: str | None
) -> None:
    found = comes_on(ANSWERED, parse_date(told), Recycle(enabled=True, field="x", after_days=days))

    assert (found.date().isoformat() if found else None) == day


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_time_reads_the_same_however_it_is_spelled(when: datetime) -> None:
    whole = when.replace(microsecond=0)

    assert parse_date(whole.isoformat()) == whole
    assert whole.timestamp() < 0 or parse_date(str(int(whole.timestamp() * 1000))) == whole


DEEDS = st.lists(
    st.sampled_from(
        ["raise", "person", "back", "mql", "open", "connected", "bad", "new", "hours", "days"]
    ),
    max_size=9,
)
TURNS = ("7", "8")


few = settings(max_examples=settings().max_examples // 5)


@few
@given(DEEDS, st.sampled_from(["", "out"]), st.booleans())
def test_in_any_order_each_entry_is_handed_over_once(
    deeds: list[str],
    last: str,
    bulk: bool,  # noqa: FBT001
) -> None:
    with quick_house() as house:
        profile = lead(house)
        house.crm.staff = TURNS
        house.remap(
            handoff=Handoff(
                AssignOwner(enabled=True, owners=TURNS),
                ResetStatus(enabled=True, value="NEW"),
                untouched_task=TASK,
                recycle=RECYCLE,
            )
        )

        for deed in [*deeds, last]:
            _act(house, profile, deed)
            if not bulk:
                house.sync()
        house.crm.calls.clear() if last else None
        house.sync()

        entries = [move.occurred_at for move in house.moves("11") if move.goal == 6]
        kept = house.rows(t.handoff)
        parts = [(row.part, row.answers) for row in kept]
        assert len(parts) == len(set(parts))
        assert {row.answers for row in kept if row.part == "owner"} <= set(entries)
        assert len([one for one in house.crm.past("11", "hubspot_owner_id") if one]) <= 1
        assert len(house.crm.tasks) <= len(entries)
        called = [call for call in house.crm.calls if 10 in call.slots]
        assert all(all("bnb_" in name for one in c.fields for name in one) for c in called)


def _act(house: House, profile: str, deed: str) -> None:
    house.clock.pass_(2)
    edits = {
        "mql": {"lifecyclestage": MQL},
        "back": {"lifecyclestage": "lead"},
        "open": {"hs_lead_status": "OPEN"},
        "connected": {"hs_lead_status": "CONNECTED"},
        "bad": {"hs_lead_status": "BAD_TIMING"},
        "new": {"hs_lead_status": "NEW"},
        "out": {"hs_email_optout": "true"},
    }
    if deed in edits:
        house.crm.edit("11", **edits[deed])
    elif deed == "raise":
        house.raise_(profile, 6)
    elif deed == "person":
        house.move(profile, 6)
    elif deed:
        house.clock.pass_(timedelta(**{deed: 5 if deed == "hours" else 31}).total_seconds())


def test_the_clock_s_rows_work_on_either_database(either: House) -> None:
    either.crm.staff = TURNS
    switches = Handoff(
        AssignOwner(enabled=True, owners=TURNS), untouched_task=TASK, recycle=RECYCLE
    )
    either.remap(handoff=switches)
    either.raise_(lead(either), 6)
    hours(either, 5)
    either.crm.edit("11", hs_lead_status="BAD_TIMING", call_again_on="2026-05-02")
    for _ in range(3):
        hours(either, 24)

    assert either.crm.value("11", "hubspot_owner_id") == "7"
    assert subjects(either) == ["Call"]
    assert either.slot("11") == 3
    assert {row.state for row in either.rows(t.handoff)} == {"waiting", "made", "done"}
