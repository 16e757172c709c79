"""The scene in which Customers are learned from, and everybody else gets a score."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import mean

from connector.demo.cast import GUESTS, Person
from connector.demo.http import Json
from connector.demo.stage import IN_API, IN_HUBSPOT, Stage
from connector.mapping.own_names import NAMES, REASONS, SCORE, SCORE_STATE

BUYERS = 8
SCORE_FIELD, STATE_FIELD, REASONS_FIELD = (
    NAMES["hubspot"][name] for name in (SCORE, SCORE_STATE, REASONS)
)
SITE = "https://www.customers.example"
KEEN, IDLE = ("/pricing", "/demo", "/contact"), ("/blog/a", "/careers", "/about")


def scored(stage: Stage) -> None:
    """Show that scores come with the first Customers, with reasons, on the records."""
    people = [stage.cast.people[name] for name in GUESTS]
    buyers, others = people[: 2 * BUYERS : 2], people[2 * BUYERS :]
    history = [event for number, one in enumerate(people) for event in _history(number, one)]
    deed = f"the website's history of {len(people)} contacts comes in: {len(history)} events"
    stage.does(deed, lambda: stage.bring(history))
    stage.awaits(f"{IN_API} states", "untrained", lambda: _states(stage, others))
    stage.finds(f"{IN_API} scores", "none", lambda: _scores(stage, others))
    stage.finds(f"{IN_HUBSPOT} {SCORE_FIELD}", "none", lambda: _written(stage, others))
    stage.does(f"{BUYERS} of them become Customers in HubSpot", partial(_buy, stage, buyers))
    _arrived(stage, others)
    stage.finds(f"{IN_API} who looked at prices", "higher", lambda: _order(stage, others))
    keen = others[0]
    stage.finds(
        f"{IN_HUBSPOT} {REASONS_FIELD}",
        "reasons",
        lambda: "reasons" if "Up: " in stage.twin.value(keen.id, REASONS_FIELD) else "none",
    )
    stage.finds(f"{IN_HUBSPOT} score of a Customer", "", lambda: _score(stage, buyers[0]))


def _arrived(stage: Stage, others: list[Person]) -> None:
    """Await the last of the scores, and say how long that took."""
    wanted = f"all {len(others)}"
    seconds = stage.awaits(f"{IN_HUBSPOT} {SCORE_FIELD}", wanted, lambda: _written(stage, others))
    stage.awaits(
        f"{IN_HUBSPOT} {STATE_FIELD}",
        "learning",
        lambda: stage.twin.value(others[0].id, STATE_FIELD),
    )
    stage.does(f"from the last mark to the last score on a record: {seconds} s", lambda: None)


def _buy(stage: Stage, buyers: list[Person]) -> None:
    for one in buyers:
        stage.twin.edit(one.id, lifecyclestage="customer")


def _history(number: int, person: Person) -> Iterator[Json]:
    """Yield two months of visits: every other guest looks at prices."""
    who = {"device_id": f"guest-{number}", "email": person.email, "state": "verified"}
    first = datetime.now(UTC) - timedelta(days=60 - number)
    yield _event("verified_conversion", first, who)
    for visit in range(4):
        at = first + timedelta(days=9 * visit + number % 5)
        for minute, page in enumerate(KEEN if number % 2 == 0 else IDLE):
            told = _event("page_view", at + timedelta(minutes=minute), who)
            yield told | {"page": {"url": f"{SITE}{page}"}}


def _event(type_: str, at: datetime, who: Json) -> Json:
    return {"id": uuid.uuid4().hex, "type": type_, "occurred_at": at.isoformat(), "visitor": who}


def _states(stage: Stage, people: list[Person]) -> str:
    return ", ".join(sorted({stage.api.profile(one.id)["score_state"] for one in people}))


def _scores(stage: Stage, people: list[Person]) -> str:
    found = [stage.api.profile(one.id)["score"] for one in people]
    return "none" if found == [None] * len(people) else str(found)


def _score(stage: Stage, person: Person) -> str:
    return stage.twin.value(person.id, SCORE_FIELD)


def _written(stage: Stage, people: list[Person]) -> str:
    found = sum(bool(_score(stage, one)) for one in people)
    return {0: "none", len(people): f"all {found}"}.get(found, f"{found} of {len(people)}")


def _order(stage: Stage, people: list[Person]) -> str:
    values = [int(_score(stage, one)) for one in people]
    return "higher" if mean(values[::2]) > mean(values[1::2]) else f"not higher: {values}"
