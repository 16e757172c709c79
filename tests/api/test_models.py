"""Models and scores over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.pipeline.training import news
from tests.api.conftest import NOW, Door

if TYPE_CHECKING:
    from connector.pipeline.services import Services


def keep(
    services: Services, door: Door, model_id: str, state: str, hour: int, **report: object
) -> None:
    """Keep a model that says hardly more than that it is there."""
    row = {
        "id": model_id,
        "account_id": door.account_id,
        "made_at": NOW.replace(hour=hour),
        "state": state,
        "score_state": "trained",
        "held": "one group says too much" if state == "serving" else "",
        "report": {"customers": 25, "usable_customers": 25, "state": "trained", **report},
        "artefact": b"sealed",
    }
    with services.store.writing() as unit:
        unit.models.add(row)


def test_there_are_no_models_before_the_first_customer(door: Door) -> None:
    assert door.get("models").json == {"items": [], "next_cursor": None}


def test_a_training_is_wanted_once_however_often_it_is_asked_for(door: Door) -> None:
    first = door.post("models/train", {})
    again = door.post("models/train", {})

    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    assert first.json["wanted_at"]


def test_a_model_is_promoted_and_no_longer_held(services: Services, door: Door) -> None:
    keep(services, door, "mdl_1", "serving", 1)
    keep(services, door, "mdl_2", "refused", 2)

    shown = door.post("models/mdl_2/promote", {}).json

    assert (shown["state"], shown["held"]) == ("serving", None)
    states = {one["id"]: one["state"] for one in door.get("models").json["items"]}
    assert states == {"mdl_2": "serving", "mdl_1": "kept"}


def test_another_accounts_model_is_not_found(services: Services, door: Door) -> None:
    keep(services, door, "mdl_1", "serving", 1)

    assert door.post("models/mdl_9/promote", {}).status_code == 404


def test_no_more_than_the_last_five_models_are_kept(services: Services, door: Door) -> None:
    for hour in range(9):
        keep(services, door, f"mdl_{hour}", "serving", hour)

    found = [one["id"] for one in door.get("models").json["items"]]

    assert found == ["mdl_8", "mdl_7", "mdl_6", "mdl_5", "mdl_4", "mdl_3"]


def test_models_that_are_refused_night_after_night_push_none_out_that_has_served(
    services: Services, door: Door
) -> None:
    keep(services, door, "mdl_0", "serving", 0)
    keep(services, door, "mdl_1", "serving", 1)

    for hour in range(2, 12):
        keep(services, door, f"mdl_{hour}", "refused", hour)

    found = {one["id"]: one["state"] for one in door.get("models").json["items"]}
    assert [found.pop(one) for one in ("mdl_1", "mdl_0")] == ["serving", "kept"]
    assert list(found) == ["mdl_11", "mdl_10", "mdl_9", "mdl_8", "mdl_7"]


def test_readiness_counts_the_customers_that_a_refused_model_was_learned_from(
    services: Services, door: Door
) -> None:
    refused = {"customers": 61, "usable_customers": 60, "gate": ["no better"]}
    keep(services, door, "mdl_1", "serving", 1, promoted=True)
    keep(services, door, "mdl_2", "refused", 2, **refused)

    told = door.get("models/report").json

    assert (told["model_id"], told["report"]["usable_customers"]) == ("mdl_1", 25)
    assert (told["readiness"]["state"], told["readiness"]["usable_customers"]) == ("trained", 60)
    first, *_, last = told["readiness"]["sentences"]
    assert first.startswith("60 usable customers of 61; the range is 1-10")
    assert last == "the newest model does not serve: no better"


def test_an_alarm_that_a_person_has_looked_at_does_not_come_back_the_next_night(
    services: Services, door: Door
) -> None:
    moved = {"drift score": "scores are spread differently (PSI 0.31)"}
    keep(services, door, "mdl_1", "serving", 1)
    keep(services, door, "mdl_2", "refused", 2, moved=moved)

    door.post("models/mdl_1/promote", {})

    champion = next(one for one in door.get("models").json["items"] if one["id"] == "mdl_1")
    again = {"drift score": "PSI 0.33", "outcome order": "the order hardly tells"}
    assert news(moved, {}) == [*moved.values()]
    assert news(again, champion["report"]) == ["the order hardly tells"]
