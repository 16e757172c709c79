from __future__ import annotations

import io

import pytest
from rich.console import Console

from connector.demo.api import Api
from connector.demo.cast import Cast, Person
from connector.demo.shown import Teller
from connector.demo.site import Site
from connector.demo.stage import Stage, Step
from connector.demo.story import play
from connector.demo.twin import Twin

NOWHERE = "http://127.0.0.1:9"  # nobody listens


@pytest.fixture
def told() -> list[Step]:
    return []


@pytest.fixture
def stage(told: list[Step]) -> Stage:
    own = (Twin(NOWHERE), Api(NOWHERE, "token"), Cast({}), told.append)
    site = Site(NOWHERE, "whsec_")
    return Stage(*own, lambda _owners: site, lambda _events: 0, patience=0.05)


def good(stage: Stage) -> None:
    stage.finds("clock", 3, lambda: 3)


def late(stage: Stage) -> None:
    answers = iter((3, 3, 6))
    stage.does("a rep edits", lambda: None)
    stage.edits.append(stage.awaits("HubSpot", 6, lambda: next(answers)))


def bad(stage: Stage) -> None:
    stage.does("a rep edits", lambda: None)
    stage.awaits("HubSpot", 6, lambda: 3)
    pytest.fail("a scene ends at its first failure")


def cut_off(stage: Stage) -> None:
    stage.twin.edit("1", lifecyclestage="lead")


def test_a_story_as_expected_is_told_as_it_happens(stage: Stage, told: list[Step]) -> None:
    outcome = play(stage, [("one", good), ("two", late)])

    assert outcome.ok
    assert [(step.scene, step.read, step.ok) for step in told] == [
        ("one", "3", True),
        ("two", "6", True),
    ]
    assert outcome.summary()["median_seconds"] == told[1].seconds


def test_a_failed_scene_does_not_stop_the_story(stage: Stage) -> None:
    outcome = play(stage, [("one", bad), ("two", good)])

    assert not outcome.ok
    assert [step.ok for step in outcome.steps] == [False, True]
    assert outcome.summary()["failed"] == ["one: a rep edits: HubSpot"]


def test_the_second_failed_scene_ends_the_story(stage: Stage) -> None:
    outcome = play(stage, [("one", bad), ("two", bad), ("three", good)])

    assert outcome.not_played == ["three"]
    assert outcome.summary()["median_seconds"] is None


def test_a_server_that_is_gone_fails_the_scene(stage: Stage) -> None:
    outcome = play(stage, [("one", cut_off)])

    assert not outcome.ok
    assert "ConnectionError" in outcome.steps[0].read


def test_an_answer_that_does_not_come_is_told_as_such(stage: Stage) -> None:
    person = Person("Ada", "1", 3)

    outcome = play(stage, [("one", lambda stage: stage.field(person, "email", "x"))])

    assert "ConnectionError" in outcome.steps[0].read


def test_what_failed_is_said_with_where_to_look(stage: Stage) -> None:
    paper = io.StringIO()
    teller = Teller(Console(file=paper, width=200, force_terminal=True, color_system=None))

    outcome = play(stage, [("one", bad), ("two", bad), ("three", good)])
    for step in outcome.steps:
        teller.step(step)
    teller.end(outcome, "/var/up.log")

    said = paper.getvalue()
    assert "HubSpot should be 6, but is 3 after" in said
    assert "not played: three" in said
    assert "/var/up.log" in said
