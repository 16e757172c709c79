from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Door

PRICING = {"event": "page_view", "url": {"glob": "*/pricing*"}}
RULE: dict[str, Any] = {
    "name": "pricing twice",
    "enabled": True,
    "trigger": PRICING,
    "conditions": {"all": [{"count": {**PRICING, "within": "7d"}, "at_least": 2}]},
    "to": 6,
    "actions": [],
    "cooldown": "30d",
    "once": False,
    "daily_cap": None,
}


def made(door: Door, **changes: Any) -> dict[str, Any]:
    answer = door.post("rules", RULE | changes)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json
    return told


def test_a_rule_is_made_changed_and_taken_away(door: Door) -> None:
    rule = made(door)
    path = f"rules/{rule['id']}"

    assert {name: rule[name] for name in RULE} == RULE
    assert (rule["version"], rule["warnings"]) == (1, [])
    assert door.get(path).json == rule
    changed = door.put(path, {**rule, "to": 4}).json
    assert (changed["to"], changed["version"]) == (4, 2)
    assert door.put(path, changed).json["version"] == 2
    assert [one["id"] for one in door.get("rules").json["items"]] == [rule["id"]]
    assert door.ask("DELETE", path).json == {"id": rule["id"], "deleted": True}
    assert door.get(path).status_code == 404
    assert door.get("rules").json["items"] == []


def test_every_fault_of_a_rule_is_named(door: Door) -> None:
    answer = door.post("rules", RULE | {"to": 8, "cooldown": "soon", "trigger": {"regex": "("}})

    assert answer.status_code == 422
    assert len(answer.json["faults"]) == 3
    assert door.get("rules").json["items"] == []


def test_no_two_rules_have_one_name(door: Door) -> None:
    made(door)

    assert "another rule" in door.post("rules", RULE | {"name": "Pricing Twice"}).json["detail"]


def test_saving_a_rule_shows_that_it_never_moves_anybody(door: Door) -> None:
    first = made(door, to=4)  # further down the funnel than 6, so that it is judged first

    second = made(door, name="pricing thrice", cooldown="60d", trigger={**PRICING, "code": "x"})

    (warning,) = second["warnings"]
    assert (warning["kind"], warning["by"]) == ("shadowed", first["id"])
    assert warning["example"] == {"type": "page_view", "code": "x", "page": {"url": "/pricing"}}
    assert door.get("rules/checks").json["items"] == [warning]


def test_a_slot_that_a_rule_moves_people_to_keeps_its_label(door: Door) -> None:
    door.put("pipeline", {"labels": {"7": "Trial"}})
    rule = made(door, to=7)

    refused = door.put("pipeline", {"labels": {"7": ""}})
    assert (refused.status_code, "slot 7" in refused.json["detail"]) == (422, True)

    door.ask("DELETE", f"rules/{rule['id']}")
    assert door.put("pipeline", {"labels": {"7": ""}}).status_code == 200


def test_a_backtest_of_nothing_moves_nobody(door: Door) -> None:
    rule = made(door)
    door.lead()

    told = door.post(f"rules/{rule['id']}/backtest", {"days": 30})

    assert told.json == {"would_move": 0, "items": []}
    assert door.post(f"rules/{rule['id']}/backtest", {"days": 0}).status_code == 422
    crossing = made(door, name="score", trigger={"score_crosses": 8})
    assert door.post(f"rules/{crossing['id']}/backtest").status_code == 422


def test_a_backtest_replays_what_a_crm_field_became(door: Door) -> None:
    profile_id = door.lead()
    door.tell("101", hs_lead_status="OPEN")
    rule = made(
        door, trigger={"field": "hs_lead_status", "becomes": "OPEN"}, conditions={"all": []}
    )

    told = door.post(f"rules/{rule['id']}/backtest").json

    (item,) = told["items"]
    assert (item["profile_id"], item["from"], item["to"], item["became"]) == (profile_id, 3, 6, 3)
    assert door.get(f"profiles/{profile_id}").json["slot"] == 3


def test_a_rule_s_decisions_are_listed(door: Door) -> None:
    rule = made(door)

    assert door.get(f"rules/{rule['id']}/decisions").json == {
        "items": [],
        "next_cursor": None,
        "days": [],
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/decisions"),
        ("POST", "/backtest"),
    ],
)
def test_another_accounts_rule_is_not_found(
    door: Door, other: Door, method: str, path: str
) -> None:
    rule = made(other)
    body = RULE if method == "PUT" else None

    assert door.ask(method, f"rules/{rule['id']}{path}", json=body).status_code == 404
    assert other.get(f"rules/{rule['id']}").json["version"] == 1


def test_the_noes_of_a_day_are_worked_out_once_more(door: Door) -> None:
    path = f"rules/{made(door)['id']}/noes"

    assert door.get(f"{path}?day=2026-05-01").json == {"noes": [], "would_move": 0, "items": []}
    assert door.get(path).status_code == 422
    assert door.get("rules/rul_x/noes?day=2026-05-01").status_code == 404
