"""What an admin may make of rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from connector.domain.errors import ConfigurationRefused
from connector.mapping.rules import dump_rule, load_rules
from connector.pipeline.configuring import save_pipeline
from connector.pipeline.legislating import export_rules, import_rules, save
from tests.pipeline.house import ACCOUNT, PIPELINE, House
from tests.pipeline.ruling import PRICING, TWICE, Ruling

RULE: dict[str, Any] = {"name": "pricing", "trigger": PRICING, "to": 6}


@pytest.fixture
def ruling(house: House) -> Ruling:
    return Ruling(house)


@pytest.mark.parametrize(
    ("change", "counts_anew"),
    [
        ({"name": "prices"}, False),
        ({"cooldown": "1d", "once": True, "daily_cap": 9}, False),
        ({"enabled": False}, False),
        ({"to": 4}, True),
        ({"conditions": TWICE}, True),
        ({"trigger": {"event": "page_view"}}, True),
    ],
)
def test_a_change_counts_anew_where_it_meets_others(
    ruling: Ruling, change: dict[str, Any], *, counts_anew: bool
) -> None:
    first, _ = save(ruling.house.services, ACCOUNT, RULE)
    ruling.house.clock.pass_(60)

    changed, _ = save(ruling.house.services, ACCOUNT, RULE | change, first.id)

    assert changed.version == 2
    assert (changed.since == ruling.house.clock.now()) is counts_anew


def test_a_rule_that_is_switched_on_again_counts_from_then(ruling: Ruling) -> None:
    first, _ = save(ruling.house.services, ACCOUNT, RULE | {"enabled": False})
    ruling.house.clock.pass_(60)

    again, _ = save(ruling.house.services, ACCOUNT, RULE, first.id)

    assert again.since == ruling.house.clock.now()


def test_a_rule_counts_no_further_back_than_events_are_kept(ruling: Ruling) -> None:
    longer = {**TWICE, "count": {**PRICING, "within": "731d"}}

    with pytest.raises(ConfigurationRefused, match="within 731d, events are kept 730d"):
        save(ruling.house.services, ACCOUNT, RULE | {"conditions": longer})


def test_whatever_was_saved_is_exported_and_comes_in_again(ruling: Ruling) -> None:
    services, deepest = ruling.house.services, TWICE
    for kind in ("any", "all") * 3:
        deepest = {kind: [deepest]}
    many = {"any": [TWICE] * 40}
    for number in range(60):
        own = {"name": f"rule {number}", "conditions": many if number else deepest}
        save(services, ACCOUNT, RULE | own)

    text = yaml.safe_dump(export_rules(services, ACCOUNT), sort_keys=False)
    kept, _ = import_rules(services, ACCOUNT, load_rules(text), dry_run=True)

    assert len(text) > 100_000
    assert {one.what for one in kept} == {"same"}


def test_a_rule_that_waits_for_a_field_of_which_no_crm_tells_is_unreachable(
    ruling: Ruling,
) -> None:
    services = ruling.house.services
    untold = RULE | {"trigger": {"field": "jobtitle", "becomes": "CEO"}}
    told = RULE | {"trigger": {"field": "hs_lead_status", "becomes": "OPEN"}, "name": "told"}

    _, (found,) = save(services, ACCOUNT, untold)
    _, none = save(services, ACCOUNT, told)

    assert (found.kind, "no mapping names the field 'jobtitle'" in found.text) == (
        "unreachable",
        True,
    )
    assert none == []


def test_a_rule_means_the_same_role_under_another_layout(ruling: Ruling) -> None:
    services = ruling.house.services
    conditions = {"all": [{"not": {"slot_at_least": 5}}, {"any": [{"slot_at_least": 6}]}, TWICE]}
    first, _ = save(services, ACCOUNT, RULE | {"to": 4, "conditions": conditions})
    ruling.house.clock.pass_(60)

    save_pipeline(services, ACCOUNT, replace(PIPELINE, layout="mql-sal-sql", funnel=(), labels={}))

    with ruling.house.store.reading() as unit:
        rule = unit.rules.rule(ACCOUNT, first.id)
    document: Any = dump_rule(rule)
    assert (document["to"], rule.since) == (6, first.since)
    assert document["conditions"]["all"][:2] == [
        {"not": {"slot_at_least": 5}},
        {"any": [{"slot_at_least": 4}]},
    ]
