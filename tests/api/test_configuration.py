from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.stored import Poll

if TYPE_CHECKING:
    from tests.api.conftest import Door

MAPPING = "connections/con_ours/mapping"


def with_row(door: Door, stage: str, role: str) -> dict[str, Any]:
    """Return the mapping with a row for one more lifecycle stage."""
    document: dict[str, Any] = door.get(MAPPING).json
    document["slots"].append({"lifecycle": [stage], "role": role})
    return document


def test_the_pipeline_can_be_read_changed_and_put_back(door: Door) -> None:
    before = door.get("pipeline").json
    before["labels"]["7"] = "Trial"
    before["slots"] = []

    after = door.put("pipeline", before).json

    assert after["labels"]["7"] == "Trial"
    assert door.get("pipeline").json == after
    assert door.put("pipeline", after).json == after


def test_a_renamed_slot_shows_on_its_profiles(door: Door) -> None:
    profile_id = door.lead()

    door.put("pipeline", {"labels": {"3": "Prospect"}})

    assert door.get(f"profiles/{profile_id}").json["slot_label"] == "Prospect"


def test_every_fault_of_a_pipeline_is_named(door: Door) -> None:
    answer = door.put("pipeline", {"labels": {"10": "Nope", "4": ""}, "layout": "none"})

    assert answer.status_code == 422
    assert len(answer.json["faults"]) == 3
    assert door.get("pipeline").json["labels"]["10"] == "Do Not Contact"


def test_a_mapping_can_be_put_back_as_it_was_read(door: Door) -> None:
    before = door.get(MAPPING).json

    saved = door.put(MAPPING, before)

    assert (saved.status_code, saved.json["would_move"]) == (200, 0)
    assert door.get(MAPPING).json == before


def test_a_dry_run_says_who_would_move_and_keeps_nothing(door: Door) -> None:
    profile_id = door.lead()
    door.tell("101", lifecyclestage="partner")
    before = door.get(MAPPING).json

    told = door.put(f"{MAPPING}?dry_run=1", with_row(door, "partner", "mql")).json

    assert told["items"] == [{"profile_id": profile_id, "from": 3, "to": 6}]
    assert (told["would_move"], told["batch_id"]) == (1, None)
    assert door.get(MAPPING).json == before


def test_a_new_mapping_moves_nobody_unless_asked(door: Door) -> None:
    profile_id = door.lead()
    door.tell("101", lifecyclestage="partner")

    door.put(MAPPING, with_row(door, "partner", "mql"))
    assert door.get(f"profiles/{profile_id}").json["slot"] == 3

    body = {"mapping": door.get(MAPPING).json, "reevaluate": True}
    saved = door.put(MAPPING, body).json
    assert door.get(f"profiles/{profile_id}").json["slot"] == 6
    assert saved["batch_id"] in [one["id"] for one in door.get("batches").json["items"]]


def test_every_fault_of_a_mapping_is_named(door: Door) -> None:
    document = with_row(door, "partner", "emperor") | {"colour": "red"}

    answer = door.put(MAPPING, document)

    assert answer.status_code == 422
    assert len(answer.json["faults"]) == 2


@pytest.mark.parametrize(
    "body", [{"mapping": []}, {"system": "salesforce", "fields": {}}, {"mapping": {}, "dry_run": 1}]
)
def test_what_is_no_mapping_of_this_crm_is_refused(door: Door, body: object) -> None:
    assert door.put(MAPPING, body).status_code == 422


def test_values_that_no_row_knows_are_listed(door: Door) -> None:
    door.lead()
    door.tell("101", lifecyclestage="partner")

    (item,) = door.get("connections/con_ours/unmapped").json["items"]

    assert (item["field"], item["value"], item["records"]) == ("lifecyclestage", "partner", 1)
    assert item.keys() == {"field", "value", "label", "records", "suggestion"}


def test_connections_come_without_their_secrets(door: Door) -> None:
    answer = door.get("connections")

    (item,) = answer.json["items"]
    assert (item["id"], item["system"], item["state"]) == ("con_ours", "hubspot", "active")
    assert "secret" not in answer.text


def test_a_connection_tells_of_the_poller_s_last_pass(door: Door) -> None:
    (before,) = door.get("connections").json["items"]
    now = door.services.now()
    with door.services.store.writing() as unit:
        done = Poll(now, now, state="done", found=3, ended_at=now)
        unit.polls.put(unit.connection("con_ours"), done)

    (after,) = door.get("status").json["connections"]

    assert (before["reconciled_at"], before["differed"]) == (None, None)
    assert after["reconciled_at"] is not None
    assert after["differed"] == 3
    client = door.app.test_client()
    told = client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    assert "bb_reconcile_differed 3.0" in told


def test_a_connection_is_paused_and_resumed(door: Door) -> None:
    paused = door.post("connections/con_ours/pause", {"reason": "audit"}).json
    door.lead()

    assert (paused["state"], paused["reason"]) == ("paused", "audit")
    assert door.get("status").json["connections"][0]["state"] == "paused"
    assert door.post("connections/con_ours/resume").json["state"] == "active"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "mapping"),
        ("PUT", "mapping"),
        ("GET", "unmapped"),
        ("POST", "pause"),
        ("POST", "resume"),
    ],
)
def test_another_accounts_connection_is_not_found(
    door: Door, other: Door, method: str, path: str
) -> None:
    mapping = other.get(f"connections/{other.connection_id}/mapping").json

    answer = door.ask(method, f"connections/{other.connection_id}/{path}", json=mapping)

    assert answer.status_code == 404
    assert other.get("connections").json["items"][0]["mapping_version"] == 1
