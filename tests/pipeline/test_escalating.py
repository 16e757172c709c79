"""What rules do to people, and what they leave alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.facts import ProfileId
from connector.domain.journeys import Known
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.pipeline.bench import Aside
from connector.pipeline.escalating import on_score
from connector.pipeline.forgetting import erase
from connector.pipeline.people import rehome
from connector.pipeline.scene import Scene
from connector.pipeline.undoing import undo
from connector.store import rules as r
from connector.stored import OwnStep
from tests.pipeline.house import ACCOUNT, PIPELINE, START, House
from tests.pipeline.ruling import TWICE, Did, Ruling

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ruling(house: House) -> Ruling:
    made = Ruling(house, START)
    made.person("ann")
    house.clock.pass_(DAY.total_seconds())
    return made


def now(ruling: Ruling, back: timedelta = timedelta()) -> Did:
    """Return Ann's view of the pricing page, a moment ago."""
    at = ruling.house.clock.now() - back
    return Did("ann", f"evt-{at.isoformat()}", at)


def test_the_second_look_at_the_prices_makes_an_mql(ruling: Ruling) -> None:
    rule = ruling.rule(conditions={"all": [TWICE]})

    ruling.happen(now(ruling, HOUR))
    assert (ruling.slot("ann"), ruling.why("ann")) == (3, ["condition"])

    ruling.happen(now(ruling))
    assert ruling.slot("ann") == 6
    (firing,) = ruling.house.rows(r.firing)
    assert (firing.rule_id, firing.version, firing.seen["counts"]) == (rule.id, 1, [2])
    (move,) = [row for row in ruling.house.ledger("ann") if row.goal == 6]
    assert (move.actor, move.reason, move.occurred_at) == ("rule", "pricing", firing.at)
    assert firing.id == move.step_key


def test_events_of_one_batch_count_together(ruling: Ruling) -> None:
    ruling.rule(conditions={"all": [TWICE]})

    ruling.happen(now(ruling), now(ruling, HOUR))

    assert ruling.slot("ann") == 6


def test_late_events_have_later_ones_judged_again(ruling: Ruling) -> None:
    ruling.rule(conditions={"all": [TWICE]})

    ruling.happen(now(ruling))
    ruling.happen(now(ruling, HOUR))

    assert ruling.slot("ann") == 6
    assert [at for _, at in ruling.firings("ann")] == [ruling.house.clock.now()]


def test_what_is_silent_sets_nothing_off(ruling: Ruling) -> None:
    ruling.rule()

    ruling.happen(Did("ann", "a", ruling.house.clock.now(), silent=True))

    assert (ruling.slot("ann"), ruling.house.rows(r.refusal_day)) == (3, [])


def test_what_comes_days_late_sets_off_what_it_would_have_then(ruling: Ruling) -> None:
    ruling.rule()
    at = ruling.house.clock.now()
    ruling.house.clock.pass_(3 * DAY.total_seconds())

    ruling.happen(Did("ann", "a", at))

    assert [when for _, when in ruling.firings("ann")] == [at]


@pytest.mark.parametrize("slot", [1, 2, 4, 8, 9])
def test_rules_move_known_people_forward_and_leave_customers_alone(house: House, slot: int) -> None:
    ruling = Ruling(house)
    ruling.rule()
    ruling.person("bob", slot)

    ruling.happen(Did("bob", "x", START))

    assert ruling.slot("bob") == slot
    assert ruling.firings("bob") == []
    (counted,) = house.rows(r.refusal_day)
    assert counted.why == ("unknown_person" if slot < 3 else "no_way")
    assert ruling.why("bob") == ([] if slot < 3 else ["no_way"])


def test_nobody_who_opted_out_is_moved(ruling: Ruling) -> None:
    ruling.rule()
    ruling.house.move("ann", 10)

    ruling.happen(now(ruling))

    assert (ruling.slot("ann"), ruling.why("ann")) == (10, ["no_way"])


def test_whom_a_person_moved_back_is_left_alone_for_thirty_days(ruling: Ruling) -> None:
    ruling.rule(cooldown="0m")
    ruling.house.move("ann", 4)
    ruling.house.move("ann", 3)

    ruling.house.clock.pass_(29 * DAY.total_seconds())
    ruling.happen(now(ruling))
    assert (ruling.slot("ann"), ruling.why("ann")) == (3, ["sent_back"])

    ruling.house.clock.pass_(2 * DAY.total_seconds())
    ruling.happen(now(ruling))
    assert ruling.slot("ann") == 6


def test_an_undo_mutes_no_rule(ruling: Ruling) -> None:
    ruling.rule(cooldown="0m")
    ruling.happen(now(ruling))
    take_back(ruling)
    assert ruling.slot("ann") == 3

    ruling.house.clock.pass_(60)
    ruling.happen(now(ruling))

    assert ruling.slot("ann") == 6


def test_a_rule_rests_for_its_cooldown_whichever_event_came_first(ruling: Ruling) -> None:
    ruling.rule(cooldown="12h")
    ruling.happen(now(ruling))
    take_back(ruling)

    ruling.happen(now(ruling, HOUR))
    assert (ruling.slot("ann"), ruling.why("ann")) == (3, ["cooldown"])

    ruling.house.clock.pass_(13 * HOUR.total_seconds())
    ruling.happen(now(ruling))
    assert ruling.slot("ann") == 6


def test_a_daily_cap_counts_people_of_one_day(ruling: Ruling) -> None:
    ruling.rule(daily_cap=1)
    ruling.person("bob")
    at = ruling.house.clock.now()

    ruling.happen(Did("ann", "a", at), Did("bob", "b", at + MINUTE))
    assert (ruling.slot("ann"), ruling.slot("bob"), ruling.why("bob")) == (6, 3, ["daily_cap"])

    ruling.house.clock.pass_(DAY.total_seconds())
    ruling.happen(Did("bob", "c", at + DAY))
    assert ruling.slot("bob") == 6


def test_a_daily_cap_holds_for_what_late_events_have_judged_again(ruling: Ruling) -> None:
    people = [ruling.person(one) for one in ("bob", "cy", "dan")]
    ruling.house.clock.pass_(3 * DAY.total_seconds())
    ruling.rule(conditions={"all": [TWICE]}, daily_cap=1)
    at = ruling.house.clock.now()

    for when in (at, at - DAY):
        for one in people:
            ruling.happen(Did(one, f"{one}-{when}", when))

    assert [ruling.slot(one) for one in people] == [6, 3, 3]


def test_of_two_rules_the_furthest_target_goes_first(ruling: Ruling) -> None:
    far = ruling.rule(name="far", to=4)
    ruling.rule(name="near", to=6)

    ruling.happen(now(ruling))

    assert [one for one, _ in ruling.firings("ann")] == [far.id]
    assert ruling.moves("ann")[1:] == [(3, 4, "rule")]


def test_what_the_visitor_is_and_comes_from_counts(ruling: Ruling) -> None:
    ruling.rule(
        conditions={
            "all": [
                {"profile": "company", "is": "Acme"},
                {"profile": "known", "is": "verified"},
                {"origin": "utm_source", "is": "ads"},
                {"score_at_least": 7},
            ]
        }
    )
    more = {"person": {"company": "Acme"}, "known": Known.VERIFIED, "origin": {"utm_source": "ads"}}
    at = ruling.house.clock.now()

    ruling.happen(Did("ann", "a", at, more=more))
    assert ruling.slot("ann") == 3

    score = Aside({ProfileId("ann"): 7})
    ruling.happen(Did("ann", "b", at, more={**more, "origin": {}}), aside=score)
    assert ruling.slot("ann") == 6


def test_who_is_known_only_since_this_batch_is_judged_by_what_came_after(ruling: Ruling) -> None:
    ruling.rule()
    ruling.person("bob", 1)
    at = ruling.house.clock.now()

    def captured(scene: Scene) -> None:
        scene.take(
            OwnStep(
                *("stp_x", ProfileId("bob"), Kind.SHIFT, Actor.SYSTEM, at, scene.now),
                *(PIPELINE.funnel, Slot.QUALIFIED, Slot.ANONYMOUS),
            )
        )

    ruling.happen(Did("bob", "before", at - MINUTE), steps=captured)
    assert ruling.slot("bob") == 3

    ruling.happen(Did("bob", "after", at))
    assert ruling.slot("bob") == 6


def test_a_batch_takes_as_many_queries_for_many_people_as_for_one(
    ruling: Ruling, counted: list[str]
) -> None:
    ruling.rule(conditions={"all": [TWICE]}, daily_cap=50)
    names = [ruling.person(f"p{n}") for n in range(40)]
    at = ruling.house.clock.now()
    ruling.happen(now(ruling))  # whatever is made once

    def queries(people: list[str], when: timedelta) -> int:
        counted.clear()
        ruling.happen(*(Did(one, f"{one}-{when}", at - when) for one in people))
        return sum(text.startswith("SELECT") for text in counted)

    one = queries(["ann"], MINUTE)
    assert queries(names, 2 * MINUTE) == one
    assert queries(names, 3 * MINUTE) == one


@pytest.fixture
def counted(house: House) -> list[str]:
    from sqlalchemy import event  # noqa: PLC0415

    told: list[str] = []

    def note(_c: object, _u: object, text: str, *_more: object) -> None:
        told.append(text)

    event.listen(house.store.database.engine, "before_cursor_execute", note)
    return told


def score(ruling: Ruling, before: int | None, after: int, one: str = "ann") -> int:
    """Have somebody's score change; say how often rules have moved Ann by now."""

    def told(scene: Scene) -> None:
        with ruling.house.store.reading() as unit:
            on_score(ruling.house.services, unit, scene, {ProfileId(one): (before, after)})

    ruling.house.clock.pass_(60)
    ruling.turn([one], told)
    return len(ruling.firings("ann"))


def test_a_score_that_hovers_sets_a_rule_off_once(ruling: Ruling) -> None:
    ruling.rule(trigger={"score_crosses": 8}, cooldown="0m", to=6)

    assert score(ruling, None, 7) == 0
    assert score(ruling, 7, 8) == 1
    take_back(ruling)
    assert [score(ruling, 8, 7), score(ruling, 7, 9)] == [1, 1]
    assert score(ruling, 9, 6) == 1
    assert score(ruling, 6, 10) == 2


def test_a_first_score_sets_nothing_off_and_counts_as_crossed(ruling: Ruling) -> None:
    ruling.rule(trigger={"score_crosses": 8}, cooldown="0m", to=6)

    assert [score(ruling, None, 9), score(ruling, 9, 7), score(ruling, 7, 9)] == [0, 0, 0]
    assert [score(ruling, 9, 6), score(ruling, 6, 8)] == [0, 1]


def test_a_crossing_of_another_value_counts_anew(ruling: Ruling) -> None:
    first = ruling.rule(trigger={"score_crosses": 7}, cooldown="0m", to=6)
    assert score(ruling, 6, 7) == 1
    take_back(ruling)

    ruling.since = None
    ruling.rule(first.id, trigger={"score_crosses": 9}, cooldown="0m", to=6)

    assert score(ruling, 7, 9) == 2


def test_who_was_joined_has_crossed_what_either_has(ruling: Ruling) -> None:
    ruling.rule(trigger={"score_crosses": 8}, cooldown="0m", to=6)
    ruling.person("zoe")
    score(ruling, None, 9, "zoe")

    ruling.turn(["ann", "zoe"], lambda scene: rehome(scene, ProfileId("zoe"), ProfileId("ann")))

    assert score(ruling, 7, 9) == 0


def take_back(ruling: Ruling) -> None:
    """Undo what a rule did to Ann, which mutes none."""
    (batch,) = {row.batch_id for row in ruling.house.ledger("ann") if row.goal == 6}
    undo(ruling.house.services, ACCOUNT, batch, dry_run=False)


def test_nothing_of_what_rules_saw_is_left_of_an_erased_person(ruling: Ruling) -> None:
    ruling.rule()
    ruling.rule(name="other", trigger={"score_crosses": 8}, to=4)
    ruling.happen(now(ruling))
    ruling.happen(Did("ann", "again", ruling.house.clock.now()))
    assert ruling.house.rows(r.firing)
    assert ruling.house.rows(r.refusal)

    with ruling.house.store.writing() as unit:  # the journey's own erasure is not built here
        unit.tx.exec_driver_sql("DELETE FROM journey")
        unit.tx.exec_driver_sql("DELETE FROM visitor")
    erase(ruling.house.services, ACCOUNT, "ann")

    assert [ruling.house.rows(table, profile_id="ann") for table in r.OF_PROFILES] == [[], [], []]
