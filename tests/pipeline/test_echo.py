"""What we tell the platform comes back as its own news: known by the id that we gave it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.adapters.platform import read
from connector.domain.facts import AccountId, ConnectionId, ProfileId
from connector.domain.journeys import JourneyEvent, Visitor
from connector.domain.notices import Names, Notice
from connector.domain.slots import Pipeline, Slot
from connector.domain.visiting import Capture, deeds
from connector.mapping.journey_words import Words, parse
from connector.pipeline.notifying import body_of
from tests.pipeline.house import START

TOLD = Notice(
    *(1, AccountId("acc"), ConnectionId("con"), ProfileId("pro"), "msg_1", 12),
    *(3, 6, "rule", START, 0),
)


def told_back(**more: Any) -> dict[str, Any]:
    """Return our message as the platform sends it on: its own words, about its own visitor."""
    body = body_of(TOLD, Names(["d1"], [], []))
    return body | {"visitor": {"device_id": "d1", "lead_stage": body["to"]}} | more


def steps(body: object, words: Words | None = None) -> list[Slot | None]:
    """Return where the event in a body puts its visitor."""
    (event,) = read(json.dumps(body).encode(), START, words or Words())
    assert isinstance(event, JourneyEvent)
    known = Visitor(ProfileId("pro"), first_at=START, identified_at=START)
    found = deeds(known, event, START, Capture.TYPED, Pipeline(), heard=False)
    return [deed.slot for deed in found]


def test_the_echo_of_what_we_told_is_no_step() -> None:
    assert steps(told_back()) == []


@pytest.mark.parametrize("move_id", [None, "", "mv_12", 12, ["bnb_move_12"]])
def test_a_stage_that_the_platform_changed_itself_is_one(move_id: object) -> None:
    assert steps(told_back(move_id=move_id)) == [Slot.SIXTH]


def test_a_sender_may_say_where_it_puts_the_id() -> None:
    words, _ = parse({"fields": {"move_id": "cause.external_id"}})
    nested = told_back(move_id=None, cause={"external_id": "bnb_move_12"})

    assert steps(nested, words) == []
    assert steps(nested) == [Slot.SIXTH]


def test_the_id_is_known_however_much_else_is_said() -> None:
    assert steps(told_back(ballast="x" * 100_000)) == []
