from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Door


def slot(door: Door, profile_id: str) -> int:
    found: int = door.get(f"profiles/{profile_id}").json["slot"]
    return found


def test_a_person_moves_a_profile(door: Door) -> None:
    profile_id = door.lead()

    answer = door.post(f"profiles/{profile_id}/move", {"slot": 6, "reason": "called"})

    assert answer.status_code == 200
    assert (answer.json["moved"], answer.json["slot"]) == (True, 6)
    assert slot(door, profile_id) == 6


def test_moves_are_listed_oldest_first(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 6, "reason": "called"})

    first, second = door.get(f"profiles/{profile_id}/moves").json["items"]

    assert (first["from"], first["to"], first["actor"]) == (None, 3, "crm")
    assert (second["from"], second["to"], second["actor"]) == (3, 6, "person")
    assert second["reason"] == "called"
    assert second["batch_id"].startswith("bat_")
    assert first["occurred_at"] < first["recorded_at"]


def test_a_move_to_the_same_slot_is_fine_and_does_nothing(door: Door) -> None:
    profile_id = door.lead()

    answer = door.post(f"profiles/{profile_id}/move", {"slot": 3, "reason": ""})

    assert (answer.status_code, answer.json["moved"]) == (200, False)
    assert len(door.get(f"profiles/{profile_id}/moves").json["items"]) == 1


@pytest.mark.parametrize("goal", [1, 2, 7, 9])
def test_a_slot_that_is_not_open_is_refused_with_the_reason(door: Door, goal: int) -> None:
    profile_id = door.lead()

    answer = door.post(f"profiles/{profile_id}/move", {"slot": goal, "reason": "x"})

    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]
    assert slot(door, profile_id) == 3


def test_nobody_is_moved_out_of_slot_10(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 10})

    answer = door.post(f"profiles/{profile_id}/move", {"slot": 6})

    assert answer.status_code == 409
    assert "re-consent" in answer.json["detail"]
    assert door.get(f"profiles/{profile_id}").json["score_state"] == "suppressed"


def test_a_reconsent_leads_out_of_slot_10(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 10})

    answer = door.post(f"profiles/{profile_id}/reconsent", {"reason": "form of 4 May"})

    assert (answer.status_code, answer.json["slot"]) == (200, 3)


def test_a_reconsent_needs_an_opt_out_and_a_reason(door: Door) -> None:
    profile_id = door.lead()

    assert door.post(f"profiles/{profile_id}/reconsent", {"reason": "x"}).status_code == 409
    assert door.post(f"profiles/{profile_id}/reconsent", {"reason": " "}).status_code == 422
    assert door.post(f"profiles/{profile_id}/reconsent").status_code == 422


@pytest.mark.parametrize("body", [{}, {"slot": 11}, {"slot": "6"}, {"slot": True}, [6], "6"])
def test_a_move_that_makes_no_sense_names_what_is_wrong(door: Door, body: object) -> None:
    answer = door.post(f"profiles/{door.lead()}/move", body)

    assert answer.status_code == 422
    assert len(answer.json["faults"]) == 1


def test_an_erased_profile_is_gone(door: Door) -> None:
    profile_id = door.lead()

    assert door.post(f"profiles/{profile_id}/erase").json == {"id": profile_id, "erased": True}

    assert door.get(f"profiles/{profile_id}").status_code == 404
    assert door.get("profiles?email=ann@example.com").json["items"] == []
    assert door.post(f"profiles/{profile_id}/erase").status_code == 404


def test_a_move_can_be_undone_once(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 6})
    batch = door.get("batches").json["items"][0]

    trial = door.post(f"batches/{batch['id']}/undo?dry_run=1").json
    undone = door.post(f"batches/{batch['id']}/undo").json

    assert (batch["cause"], batch["moves"], batch["undone_at"]) == ("move", 1, None)
    assert (trial["dry_run"], trial["moved"]) == (True, [profile_id])
    assert (undone["moved"], undone["skipped"]) == ([profile_id], [])
    assert slot(door, profile_id) == 3
    assert door.post(f"batches/{batch['id']}/undo").json["moved"] == []


def test_what_has_moved_since_is_not_undone(door: Door) -> None:
    profile_id = door.lead()
    door.post(f"profiles/{profile_id}/move", {"slot": 6})
    batch_id = door.get("batches").json["items"][0]["id"]
    door.post(f"profiles/{profile_id}/move", {"slot": 4})

    undone = door.post(f"batches/{batch_id}/undo").json

    assert [one["profile_id"] for one in undone["skipped"]] == [profile_id]
    assert slot(door, profile_id) == 4


def test_another_accounts_batch_is_not_found(door: Door, other: Door) -> None:
    other.post(f"profiles/{other.lead()}/move", {"slot": 6})
    batch_id = other.get("batches").json["items"][0]["id"]

    assert door.get("batches").json["items"] == []
    assert door.post(f"batches/{batch_id}/undo").status_code == 404
