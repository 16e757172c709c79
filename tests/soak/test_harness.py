"""The campaign's own judgement: what it must notice, and that a seed plays the same again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.hubspot import catalog
from simulators.hubspot.testing import Twin
from soak import compare, written
from soak.campaign import Plan
from soak.faults import FAULTS, fitting
from soak.installation import Installation
from soak.oracle import Happened, expect
from soak.story import Story
from soak.workload import Asked, Workload

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@contextmanager
def playing(own: Installation) -> Iterator[Workload]:
    with Twin() as twin:
        lever = catalog.definition("bnb_set_slot", "string", "contactinformation")
        twin.world.portal.properties["contacts"]["bnb_set_slot"] = lever
        yield Workload(twin, own, seed=7)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workload]:
    own = Installation(tmp_path, "procfile", {})  # none of its processes runs
    with playing(own) as found:
        yield found
    own.close()


def deeds(work: Workload) -> list[tuple[Any, ...]]:
    for _ in range(60):
        work.act()
    words = ("subscriptionType", "objectId", "propertyName")
    return [tuple(event.get(word) for word in words) for event in work.twin.events()]


def test_a_seed_plays_the_same_deeds_again(work: Workload) -> None:
    first = deeds(work)

    with playing(work.own) as again:
        assert deeds(again) == first


def test_an_address_that_nobody_answers_at_moves_nobody(work: Workload) -> None:
    work.create()

    work.move()

    assert work.puts == []


def at_once(heard: int) -> int:
    """Take in what is acknowledged in the same moment."""
    return heard


def test_a_value_written_twice_without_cause_is_doubled(work: Workload) -> None:
    one = work.create().id
    for at in (1_000_000, 1_050_000):
        row = {"object": "contacts", "id": one, "property": "bnb_lead_slot", "value": "3"}
        work.twin.world.portal.writes.append({**row, "at": at})

    assert len(written.repeats(work, [], at_once)) == 1
    assert written.repeats(work, [(1010.0, 1055.0)], at_once) == []


def test_what_a_person_undid_may_be_written_again(work: Workload) -> None:
    one = work.create().id
    now = work.twin.world.portal.now()
    for at in (now - 1, now + 60_000):
        row = {"object": "contacts", "id": one, "property": "bnb_set_slot", "value": ""}
        work.twin.world.portal.writes.append({**row, "at": at})
    work.twin.edit("contacts", one, bnb_set_slot="6")

    assert written.repeats(work, [], at_once) == []


def test_a_merge_counts_until_the_product_has_heard_of_it(work: Workload) -> None:
    one, other = work.create().id, work.create().id
    work.twin.merge("contacts", one, other)
    (merge,) = written.heard(work, {"contact.merge"}, at_once)[one]
    event = next(row for row in work.twin.events() if row["eventId"] and "merge" in str(row))
    for at in (merge.at + 90_000, merge.at + 95_000):
        row = {"object": "contacts", "id": one, "property": "bnb_lead_slot", "value": "3"}
        work.twin.world.portal.writes.append({**row, "at": at})

    assert written.repeats(work, [], at_once) == []
    answered = {"status": 204, "at": merge.at + 80_000, "events": [event]}
    work.twin.world.sender.deliveries.append(answered)
    assert len(written.repeats(work, [], at_once)) == 1


def test_an_opt_out_counts_from_when_the_product_has_heard_of_it(work: Workload) -> None:
    one = work.create()
    work.unsubscribe(one)
    event = next(row for row in work.twin.events() if written.kind_of(row) == written.OUT)
    answered = {"status": 204, "at": event["occurredAt"] + 9000, "events": [event]}
    work.twin.world.sender.deliveries.append(answered)

    since = written.heard_opt_outs(work, lambda heard: heard + 1000)[one.id]

    assert since * 1000 - event["occurredAt"] == pytest.approx(10_000)


def test_later_events_do_not_put_an_opt_out_off(work: Workload) -> None:
    one = work.create()
    work.unsubscribe(one)
    known = written.heard_opt_outs(work, at_once)
    event = next(row for row in work.twin.events() if written.kind_of(row) == written.OUT)
    again = {**event, "eventId": 1, "occurredAt": event["occurredAt"] + 60_000}
    work.twin.world.sender.events.append(again)
    answered = {"status": 204, "at": again["occurredAt"], "events": [again]}
    work.twin.world.sender.deliveries.append(answered)

    assert written.heard_opt_outs(work, at_once) == known


def test_a_move_that_may_have_been_made_has_later_ones_move_anew(work: Workload) -> None:
    one = work.create().id
    work.twin.edit("contacts", one, lifecyclestage="lead")
    work.twin.edit("contacts", one, bnb_set_slot="5")
    work.asked.append(Asked(one, 8, "soak-0", datetime.now(UTC), unsure=True))
    work.twin.edit("contacts", one, bnb_set_slot="")
    work.twin.edit("contacts", one, bnb_set_slot="5")
    scene = compare.Scene(work.own, work, Story(work.twin.events(), [], []), {})
    group = frozenset({one})

    wanted = scene.story.expected(group)

    assert compare.most_moves(scene, group, wanted) == len(wanted.moves) + 2


def test_the_story_knows_our_own_writes_by_their_source(work: Workload) -> None:
    one = work.create().id
    event = next(row for row in work.twin.events() if row.get("propertyName") == "email")
    ours = {**event, "changeSource": "INTEGRATION", "sourceId": "1001"}

    told = Story([ours], [], []).own(frozenset({one}))

    assert [happened.ours for happened in told] == [True]


def test_what_we_wrote_ourselves_moves_nobody() -> None:
    story = [
        Happened(NOON, "set", "1", "lifecyclestage", "lead"),
        Happened(
            NOON + timedelta(1), "set", "1", "lifecyclestage", "marketingqualifiedlead", ours=True
        ),
        Happened(NOON + timedelta(2), "set", "1", "lifecyclestage", "lead"),
    ]

    assert expect(story, frozenset({"1"})).slot == 3
    assert expect(story[:2], frozenset({"1"})).slot == 3


def test_a_person_s_move_stands_until_the_crm_says_otherwise() -> None:
    story = [
        Happened(NOON, "set", "1", "lifecyclestage", "lead"),
        Happened(NOON + timedelta(1), "put", "1", value="5"),
    ]

    assert expect(story, frozenset({"1"})).slot == 5


def test_faults_are_drawn_for_what_runs_only() -> None:
    assert "disk full" in fitting(Plan(database="postgres"))
    assert "disk full" not in fitting(Plan(database="postgres", disk="real"))
    assert "kill the supervisor" in fitting(Plan(through="up"))
    both = [Plan(database="sqlite"), Plan(through="up"), Plan(database="postgres")]
    assert {name for plan in both for name in fitting(plan)} == set(FAULTS)


def test_every_fault_is_in_the_table_of_the_readme() -> None:
    text = (Path(written.__file__).parent / "README.md").read_text()

    assert [name for name in FAULTS if f"| {name} |" not in text] == []
