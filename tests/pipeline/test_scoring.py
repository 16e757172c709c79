"""Who became a customer is learned from, and the others are scored."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import update

from connector.domain.errors import ConnectorError
from connector.domain.scores import ScoreState
from connector.pipeline.ageing import grow_older, rescore
from connector.pipeline.modelling import Model, give_up, models, promote, rebase, roll_back
from connector.pipeline.modelling import serving as serving_of
from connector.pipeline.outgoing import deliver
from connector.pipeline.ripening import Added, added
from connector.pipeline.serving import Shelf
from connector.pipeline.training import Trained, train
from connector.store.tables_journeys import journey, visitor
from connector.store.tables_scores import model
from tests.pipeline.acts import Crash, lead
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.scored import Scored
from tests.pipeline.test_notices import PLATFORM, aim

WINNERS = (0, 6, 12, 18, 24, 30)


@pytest.fixture
def site(house: House) -> Scored:
    return Scored(house)


def test_before_any_customer_nobody_has_a_score(site: Scored) -> None:
    assert site.score(1).state is ScoreState.UNTRAINED
    assert site.score(1).value is None
    assert site.learn() is None


def test_the_first_customers_make_scores_that_tell_the_keen_from_the_others(site: Scored) -> None:
    site.win(*WINNERS)

    trained = site.learn()

    assert trained is not None
    assert trained.state == "learning"
    keen, idle = site.values(range(0, 40, 2)), site.values(range(1, 40, 2))
    assert (len(keen), len(idle)) == (14, 20)
    assert sum(keen) / len(keen) > sum(idle) / len(idle) + 1
    assert all(3 <= value <= 8 for value in keen + idle)


def test_a_score_stands_on_the_record_that_the_rep_looks_at(site: Scored) -> None:
    site.known(2)
    lead(site.house, "11", email="p2@x.io")
    assert told(site, "11") == ("untrained", "", "")
    site.win(*WINNERS)

    site.learn()
    site.house.run()

    state, score, reasons = told(site, "11")
    assert (state, score) == ("learning", str(site.score(2).value))
    assert reasons.startswith("Up: ")
    assert len(reasons) <= 255
    assert site.house.own("11", "scored_at")


def test_a_customer_has_no_score_any_more(site: Scored) -> None:
    site.known(2)
    lead(site.house, "11", email="p2@x.io")
    site.win(*WINNERS)
    site.learn()
    site.house.run()

    site.win(2)
    site.house.run()

    assert told(site, "11") == ("learning", "", "")


def test_who_must_not_be_contacted_is_not_scored(site: Scored) -> None:
    site.known(2)
    lead(site.house, "11", email="p2@x.io")
    site.win(*WINNERS)
    site.house.crm.edit("11", hs_email_optout="true")
    site.house.sync()

    site.learn()
    site.house.run()

    assert told(site, "11") == ("suppressed", "", "")
    assert site.score(2).value is None


def test_undoing_a_mark_makes_one_customer_less(site: Scored) -> None:
    site.win(*WINNERS)
    assert usable(site.learn()) == 6

    site.house.move(site.known(6), 4)

    assert usable(site.learn()) == 5


def test_marks_that_come_together_are_one_training(site: Scored) -> None:
    site.win(*WINNERS)
    assert ("train", ACCOUNT) in site.house.woken

    assert site.learn() is not None

    assert site.learn() is None


def test_a_training_that_was_cut_off_is_made_again(site: Scored) -> None:
    site.win(*WINNERS)
    services = replace(site.house.services, now=_dies_after(1, site.house.clock.now))
    with pytest.raises(Crash):
        train(services, ACCOUNT)
    site.house.clock.pass_(60)

    with site.house.store.reading() as unit:
        assert ("train", ACCOUNT) in unit.due(site.house.clock.now(), site.house.clock.now())
    assert site.learn() is not None


def test_a_training_that_breaks_says_so_and_is_not_tried_again_at_once(site: Scored) -> None:
    site.win(*WINNERS)
    with site.house.store.writing() as unit:
        unit.tx.execute(update(journey).values(data={"origin": "not an object"}))

    with pytest.raises(ConnectorError, match="can't be learned"):
        site.learn()

    with site.house.store.reading() as unit:
        told = unit.models.training(ACCOUNT)
    assert "AttributeError" in told.failure
    assert told.wanted_at is None


def test_a_training_that_cannot_begin_is_given_up_until_it_is_wanted_again(site: Scored) -> None:
    site.win(*WINNERS)
    site.house.clock.pass_()

    give_up(site.house.services, ACCOUNT, "ImportError: failed to map segment")

    with site.house.store.reading() as unit:
        told = unit.models.training(ACCOUNT)
    assert (told.wanted_at, told.failure) == (None, "ImportError: failed to map segment")
    assert site.learn("asked for") is not None


def test_people_are_scored_anew_as_they_do_something(site: Scored) -> None:
    site.win(*WINNERS)
    site.learn()
    before = site.score(1)

    site.tell([site.look(1, 61, hour, "/pricing") for hour in range(5)])

    after = site.score(1)
    assert after.points != before.points


def test_scores_of_a_model_that_is_held_are_kept_and_not_told(site: Scored) -> None:
    site.win(*WINNERS)
    site.learn()
    shown = site.score(1).shown
    hold(site, "the world has moved")

    site.tell([site.look(1, 61, hour, "/pricing") for hour in range(5)])
    assert site.score(1).points is not None
    assert site.score(1).shown == shown

    promote(site.house.services, ACCOUNT, serving(site).id)
    site.work()
    assert site.score(1).shown.value == site.score(1).value


def test_a_model_that_was_cut_short_never_serves_the_one_before_does(site: Scored) -> None:
    site.win(*WINNERS)
    first = site.learn()
    second = train(site.house.services, ACCOUNT, "asked for")
    assert first is not None
    assert second is not None
    with site.house.store.writing() as unit:
        own = update(model).where(model.c.id == second.model_id)
        unit.tx.execute(own.values(artefact=b"bnb-score-1\n cut"))

    site.tell([site.look(1, 61, hour, "/pricing") for hour in range(5)])

    assert site.score(1).model_id == first.model_id


def test_a_rollback_passes_over_what_cannot_be_read(site: Scored) -> None:
    site.win(*WINNERS)
    first, second, third = (site.learn("again") for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    with site.house.store.writing() as unit:
        own = update(model).where(model.c.id == second.model_id)
        unit.tx.execute(own.values(artefact=b"bnb-score-1\n cut"))
    services = replace(site.house.services, shelf=Shelf())

    assert roll_back(services, ACCOUNT).id == first.model_id


def test_one_who_cannot_be_scored_holds_nobody_up(site: Scored) -> None:
    site.win(*WINNERS)
    site.learn()
    broken, before = site.score(1), site.score(3)
    with site.house.store.writing() as unit:
        own = update(journey).where(journey.c.profile_id == broken.profile_id)
        unit.tx.execute(own.values(data={"origin": "not an object"}))
        whole = update(visitor).where(visitor.c.profile_id == broken.profile_id)
        unit.tx.execute(whole.values(told_to=None))

    rescore(site.house.services, ACCOUNT)
    site.work()

    assert site.score(1).scored_at == broken.scored_at
    assert site.score(3).scored_at != before.scored_at


def test_scores_are_rebased_only_where_a_person_says_so(site: Scored) -> None:
    site.win(*WINNERS)
    site.learn()
    first = serving(site)

    made = rebase(site.house.services, ACCOUNT, first.id)
    site.work()

    assert made.report["rebased"]["to"] == pytest.approx(made.report["rebased"]["from"])
    states = {one.id: one.state for one in models(site.house.services, ACCOUNT)}
    assert states == {made.id: "serving", first.id: "kept"}
    assert site.score(1).model_id == made.id


def test_days_of_scores_go_on_where_the_newest_model_was_refused(site: Scored) -> None:
    site.win(*WINNERS)
    for day in range(3):
        trained = site.learn("night")
        assert trained is not None
        assert len(trained.report["distribution"]) == day + 1
        refuse(site, trained.model_id if day else "")
        site.house.clock.pass_(86_400)

    found = serving_of(models(site.house.services, ACCOUNT))

    assert found is not None
    assert len(found.report["distribution"]) == 3


def refuse(site: Scored, model_id: str) -> None:
    """Have a model be refused, and the first one serve on."""
    if model_id:
        first = models(site.house.services, ACCOUNT)[-1]
        promote(site.house.services, ACCOUNT, first.id)
        with site.house.store.writing() as unit:
            own = update(model).where(model.c.id == model_id)
            unit.tx.execute(own.values(state="refused"))


def hold(site: Scored, why: str) -> None:
    with site.house.store.writing() as unit:
        unit.models.hold(serving(site).id, why)


def serving(site: Scored) -> Model:
    return next(one for one in models(site.house.services, ACCOUNT) if one.state == "serving")


def test_the_platform_is_told_of_scores(site: Scored) -> None:
    courier = aim(site.house)
    site.win(*WINNERS)
    site.learn()

    deliver(site.house.services, PLATFORM)

    scores = [body for _, body in courier.sent if body["type"] == "score_changed"]
    told = {one["visitor"]["device_ids"][0]: one["score"] for one in scores}
    assert told["d2"] == site.score(2).value
    assert {one["score_state"] for one in scores} == {"learning"}


def told(site: Scored, record_id: str) -> tuple[str, str, str]:
    names = ("score_state", "lead_score", "score_reasons")
    state, score, reasons = (site.house.own(record_id, name) for name in names)
    return state, score, reasons


def usable(found: Trained | None) -> int:
    assert found is not None
    return int(found.report["usable_customers"])


def _dies_after(times: int, now: Callable[[], datetime]) -> Callable[[], datetime]:
    left = itertools.count(times, -1)

    def tell() -> datetime:
        if next(left) <= 0:
            raise Crash
        return now()

    return tell


def test_a_customer_says_what_it_adds_to_the_training(site: Scored) -> None:
    site.win(0)
    profile = next(one for one in site.found(device_id="d0"))

    told = added(site.house.services, ACCOUNT, profile)

    assert told.usable
    assert told.rows_now + told.rows_later > 0
    assert told.ripe_at is not None


def test_a_customer_without_a_journey_adds_nothing(site: Scored) -> None:
    lead(site.house, "77", email="nobody@x.io")
    site.house.move(site.house.profile_of("77"), 8)

    told = added(site.house.services, ACCOUNT, site.house.profile("77"))

    assert told == Added(usable=False)


def test_everybody_is_scored_anew_once_a_day(site: Scored) -> None:
    site.win(*WINNERS)
    site.learn()
    before = site.score(1)
    site.house.clock.pass_(2 * 86_400)

    grow_older(site.house.services)
    site.learn()

    assert site.score(1).points != before.points
    grow_older(site.house.services)
    assert site.learn() is None
