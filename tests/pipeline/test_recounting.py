"""The noes of a day are worked out once more from what people did; nobody is moved."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.pipeline.recounting import Noes, noes
from connector.store import rules as r
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.ruling import TWICE, Did, Ruling

HOUR = timedelta(hours=1)


@pytest.fixture
def ruling(either: House) -> Ruling:
    made = Ruling(either)
    for one, slot in {"ann": 3, "bob": 3, "eve": 1}.items():
        made.person(one, slot)
    either.clock.pass_(26 * HOUR.total_seconds())
    return made


def look(ruling: Ruling, *people: str) -> date:
    """Have people look at the pricing page, one after the other; return the day."""
    for one in people:
        ruling.house.clock.pass_(60)
        at = ruling.house.clock.now()
        ruling.happen(Did(one, f"{one}-{at.isoformat()}", at))
    return ruling.house.clock.now().date()


def again(ruling: Ruling, day: date) -> Noes:
    return noes(ruling.house.services, ACCOUNT, "rul_1", day)


def kept(ruling: Ruling) -> dict[str, int]:
    return {row.why: row.number for row in ruling.house.rows(r.refusal_day)}


def test_what_is_worked_out_is_what_was_counted(ruling: Ruling) -> None:
    ruling.rule("rul_1", conditions={"all": [TWICE]}, cooldown="1h")

    day = look(ruling, "ann", "bob", "eve", "ann", "ann", "bob")

    found = again(ruling, day)
    assert {str(why): number for why, number in found.number.items()} == kept(ruling)
    assert found.yes == 0
    assert len(found.shown) == sum(kept(ruling).values()) == 4


def test_each_no_names_its_person_and_reason(ruling: Ruling) -> None:
    ruling.rule("rul_1", conditions={"all": [TWICE]})

    day = look(ruling, "ann", "eve")

    told = [(one.profile_id, str(one.why)) for one in again(ruling, day).shown]
    assert told == [("ann", "condition"), ("eve", "unknown_person")]


def test_a_changed_rule_says_whom_it_would_not_refuse_any_more(ruling: Ruling) -> None:
    ruling.rule("rul_1", conditions={"all": [TWICE]})
    day = look(ruling, "ann", "bob")
    ruling.rule("rul_1", conditions={"all": []})

    found = again(ruling, day)

    assert (found.yes, found.number) == (2, {})
    assert [ruling.slot(one) for one in ("ann", "bob")] == [3, 3]


def test_another_day_is_another_day(ruling: Ruling) -> None:
    ruling.rule("rul_1", conditions={"all": [TWICE]})

    day = look(ruling, "ann")

    assert again(ruling, day - timedelta(days=1)) == Noes()


def test_a_cap_counts_the_moves_that_were_made_before(ruling: Ruling) -> None:
    ruling.rule("rul_1", daily_cap=1, conditions={"all": []})

    day = look(ruling, "ann", "bob")

    assert [str(why) for why in again(ruling, day).number] == ["daily_cap"]


def test_what_waits_for_scores_can_t_be_judged_again(ruling: Ruling) -> None:
    ruling.rule("rul_1", trigger={"score_crosses": 8})

    with pytest.raises(ConfigurationRefused, match="scores"):
        again(ruling, date(2026, 5, 1))
