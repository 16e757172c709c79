"""Rules that never move anybody are found before they go live."""

from __future__ import annotations

from typing import Any

import pytest

from connector.domain.rules.checks import Finding, findings
from connector.domain.rules.judging import Setting
from connector.domain.slots import Pipeline
from connector.mapping.rules import as_rule
from tests.domain.rules.cases import PRICING, START, many

PIPELINE = Pipeline()


def found(*documents: dict[str, Any]) -> list[Finding]:
    rules = [
        as_rule({"name": f"r{n}", "trigger": PRICING, "to": 6, **one}, f"rul_{n}", 1, START)
        for n, one in enumerate(documents)
    ]
    return findings(rules, Setting(PIPELINE))


def kinds(*documents: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one.rule_id, one.kind, one.by) for one in found(*documents)]


@pytest.mark.parametrize(
    "condition",
    [
        {"slot_at_least": 6},
        {"all": [{"slot_at_least": 5}, {"score_at_least": 3}]},
        {"all": [{"score_at_least": 3}, {"not": {"score_at_least": 2}}]},
        {"all": [{"origin": "a", "is": "x"}, {"origin": "a", "is": "y"}]},
        {"all": [{"disposition": "lost"}, {"disposition": "bad_timing"}]},
        {"disposition": "unqualified"},
        {"any": [{"disposition": "unqualified"}, {"slot_at_least": 7}]},
        {"all": [{"not": {"slot_at_least": 3}}]},
        {"all": [many(5, "7d"), {"not": many(3, "30d")}]},
    ],
)
def test_what_is_never_true_of_anybody_is_unreachable(condition: dict[str, Any]) -> None:
    assert kinds({"conditions": condition}) == [("rul_0", "unreachable", None)]


@pytest.mark.parametrize(
    "condition",
    [
        {"slot_at_least": 3},
        {"any": [{"disposition": "unqualified"}, {"score_at_least": 7}]},
        {"all": [{"score_at_least": 2}, {"not": {"score_at_least": 3}}]},
        {"all": [many(3, "30d"), {"not": many(5, "7d")}]},
        {"not": {"disposition": "unqualified"}},
    ],
)
def test_what_may_be_true_of_somebody_is_reachable(condition: dict[str, Any]) -> None:
    assert kinds({"conditions": condition}) == []


def test_an_unreachable_rule_comes_with_an_event_that_sets_it_off_in_vain() -> None:
    (one,) = found({"conditions": {"slot_at_least": 6}})

    assert one.example == {"type": "page_view", "page": {"url": "/pricing"}}


def test_a_pattern_that_no_address_fits_is_unreachable() -> None:
    trigger = {"event": "page_view", "url": {"regex": "^$"}}

    assert kinds({"trigger": trigger}) == [("rul_0", "unreachable", None)]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({}, {}),
        ({"to": 4}, {}),
        ({"conditions": many(2, "30d")}, {"conditions": many(3, "7d")}),
        ({"conditions": {"slot_at_least": 3}}, {"to": 6, "conditions": {"slot_at_least": 3}}),
        ({"trigger": {"event": "page_view"}}, {}),
        (
            {"conditions": {"any": [many(2, "7d"), {"score_at_least": 9}]}},
            {"conditions": many(2, "7d")},
        ),
    ],
)
def test_a_rule_behind_one_that_always_goes_first_is_shadowed(
    wide: dict[str, Any], narrow: dict[str, Any]
) -> None:
    assert kinds(wide, narrow) == [("rul_1", "shadowed", "rul_0")]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"once": True}, {}),
        ({"daily_cap": 5}, {}),
        ({"cooldown": "60d"}, {}),
        ({"enabled": False}, {}),
        ({"conditions": many(3, "7d")}, {"conditions": many(2, "30d")}),
        ({"trigger": {"event": "form_submitted"}}, {}),
        ({}, {"to": 4}),
    ],
)
def test_a_rule_that_may_go_first_now_and_then_shadows_none(
    wide: dict[str, Any], narrow: dict[str, Any]
) -> None:
    assert ("rul_1", "shadowed", "rul_0") not in kinds(wide, narrow)


def test_a_rule_that_rests_longer_than_who_was_moved_back_shadows_none() -> None:
    far, near = {"to": 4, "cooldown": "90d"}, {"to": 6, "cooldown": "90d"}

    assert kinds(far, near) == []
    assert kinds({**far, "cooldown": "30d"}, near) == [("rul_1", "shadowed", "rul_0")]
