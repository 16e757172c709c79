"""Rules as documents: read, refused with every fault, and written back the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.domain.rules.rule import Count, Every, InSlotFor
from connector.domain.slots import Pipeline, Slot
from connector.mapping.places import load_yaml
from connector.mapping.rules import as_rule, dump_rule, dump_span, parse_rule, parse_rules

PRICING = {"event": "page_view", "url": {"glob": "*/pricing*"}}
WHOLE: dict[str, Any] = {
    "name": "pricing twice",
    "enabled": True,
    "trigger": PRICING,
    "conditions": {
        "all": [
            {"count": {**PRICING, "within": "7d"}, "at_least": 2},
            {"not": {"origin": "utm_source", "is": "partner"}},
            {"slot_at_least": 3},
            {"score_at_least": 7},
            {"profile": "company", "is": "Acme"},
            {"any": [{"disposition": "lost"}, {"profile": "known", "is": "verified"}]},
        ]
    },
    "to": 6,
    "actions": [],
    "cooldown": "30d",
    "once": False,
    "daily_cap": None,
}


def faults(document: object, pipeline: Pipeline | None = None) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refused:
        parse_rule(document, pipeline or Pipeline())
    return list(refused.value.faults)


def test_the_rule_of_the_contract_goes_in_and_comes_out_the_same() -> None:
    assert dump_rule(parse_rule(WHOLE, Pipeline())) == WHOLE


@pytest.mark.parametrize(
    "trigger",
    [
        {"event": "form_submitted", "form": "contact", "code": "x"},
        {"event": "page_view", "url": {"regex": "^https://a/(b|c)$"}},
        {"event": "page_view", "url": {"exact": "https://a/"}},
        {"score_crosses": 8},
        {"field": "hs_lead_status", "becomes": "OPEN"},
        {"in_slot_for": "3d"},
        {"inactive_for": "90m"},
    ],
)
def test_every_trigger_is_read_and_written(trigger: dict[str, Any]) -> None:
    assert dump_rule(parse_rule(WHOLE | {"trigger": trigger}, Pipeline()))["trigger"] == trigger


def test_what_a_rule_leaves_out_has_its_default() -> None:
    rule = parse_rule({"name": "n", "trigger": {"in_slot_for": "48h"}, "to": 4}, Pipeline())

    assert (rule.condition, rule.once, rule.daily_cap, rule.enabled) == (Every(), False, None, True)
    assert rule.cooldown == timedelta(days=30)
    assert rule.trigger == InSlotFor(timedelta(days=2))


def test_every_fault_of_a_rule_is_named() -> None:
    document = {
        "trigger": {"event": "page_view", "url": {"regex": "(a"}, "when": "now"},
        "conditions": {
            "all": [
                {"count": {"event": "x", "within": "soon"}, "at_least": 0},
                {"slot_at_least": 9},
                {"score_at_least": 11},
                {"profile": "shoe_size", "is": "44"},
                {"any": []},
                {"all": [], "not": {}},
                {"disposition": "bored"},
            ]
        },
        "to": 8,
        "actions": ["call"],
        "cooldown": "1 week",
        "once": "yes",
        "daily_cap": 0,
        "colour": "red",
    }

    told = faults(document)

    places = [fault.partition(":")[0] for fault in told]
    assert places == [
        "rule",
        "rule",
        "rule.trigger",
        "rule.trigger.url.regex",
        "rule.to",
        *("rule.conditions.all[0].count.within", "rule.conditions.all[0].at_least"),
        *("rule.conditions.all[1].slot_at_least", "rule.conditions.all[2].score_at_least"),
        *("rule.conditions.all[3].profile", "rule.conditions.all[4].any"),
        *("rule.conditions.all[5]", "rule.conditions.all[6].disposition"),
        *("rule.actions[0]", "rule.cooldown", "rule.once", "rule.daily_cap"),
    ]


@pytest.mark.parametrize("document", [None, [], "rule", 7, {"trigger": []}, {"trigger": {}}])
def test_what_is_no_rule_is_refused(document: object) -> None:
    assert faults(document)


def test_an_empty_slot_is_no_target() -> None:
    assert any("no label" in fault for fault in faults(WHOLE | {"to": 7}))
    parse_rule(WHOLE | {"to": 7}, Pipeline(labels={Slot.SEVENTH: "Trial"}))


def test_conditions_that_stand_too_deep_are_refused() -> None:
    condition: dict[str, Any] = {"slot_at_least": 3}
    for _ in range(8):
        condition = {"not": condition}

    assert any("deep" in fault for fault in faults(WHOLE | {"conditions": condition}))


def test_a_stored_rule_can_be_read_though_its_slot_has_lost_its_label() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)

    rule = as_rule(WHOLE | {"to": 7}, "rul_1", 3, since)

    assert (rule.id, rule.version, rule.since, rule.to) == ("rul_1", 3, since, Slot.SEVENTH)
    assert isinstance(rule.condition, Every)
    assert isinstance(rule.condition.parts[0], Count)


@pytest.mark.parametrize("file", [WHOLE, [WHOLE], {"rules": [WHOLE]}])
def test_a_file_may_be_a_rule_or_a_list_of_them(file: object) -> None:
    (rule,) = parse_rules(file, Pipeline())

    assert (rule.name, rule.to) == ("pricing twice", 6)


def test_a_file_of_rules_names_no_rule_twice() -> None:
    text = "rules:\n" + "- {name: a, trigger: {score_crosses: 8}, to: 6}\n" * 2

    with pytest.raises(ConfigurationRefused, match="2 rules are called 'a'"):
        parse_rules(load_yaml(text), Pipeline())


@pytest.mark.parametrize("text", ["90m", "12h", "7d", "0m"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    number, unit = int(text[:-1]), {"m": "minutes", "h": "hours", "d": "days"}[text[-1]]

    assert dump_span(timedelta(**{unit: number})) == text
