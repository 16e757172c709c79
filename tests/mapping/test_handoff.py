from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import Pipeline
from connector.mapping.document import check, dump, parse, preset
from connector.mapping.handoff import Handoff, filled, next_owner
from connector.mapping.lookup import Lookup
from connector.mapping.table import Deal, Vocabulary

STATUSES = {one: one.title() for one in ("NEW", "OPEN", "CONNECTED", "UNQUALIFIED")}
WORDS = Vocabulary(
    {"contact": {"hs_lead_status": STATUSES}},
    {"appointmentscheduled": Deal.OPEN, "closedwon": Deal.WON},
)
ALL_ON: dict[str, Any] = {
    "assign_owner": {"enabled": True, "owners": ["7", "8"]},
    "reset_status": {"enabled": True, "value": "NEW"},
    "create_deal": {
        "enabled": True,
        "status": ["CONNECTED"],
        "pipeline": "default",
        "stage": "appointmentscheduled",
        "name": "{company}",
        "fields": {"dealtype": "newbusiness"},
    },
    "untouched_task": {"enabled": True, "hours": 4, "subject": "Call {firstname}"},
    "recycle": {"enabled": True, "field": "call_again_on", "after_days": 30},
}


def with_handoff(**switches: Any) -> dict[str, object]:
    return {**dump(preset("hubspot")), "handoff": switches}


def test_the_preset_has_every_switch_off() -> None:
    assert preset("hubspot").handoff.is_off


def test_a_mapping_without_a_hand_off_has_every_switch_off() -> None:
    document = dump(preset("hubspot"))
    del document["handoff"]

    assert parse(document).handoff == Handoff()


def test_what_is_kept_of_the_switches_reads_back_the_same() -> None:
    mapping = parse(with_handoff(**ALL_ON))

    assert parse(dump(mapping)) == mapping
    assert mapping.handoff.recycle.after_days == 30
    check(Lookup(mapping, Pipeline(), WORDS))


@pytest.mark.parametrize(
    ("name", "switch", "fault"),
    [
        ("assign_owner", {"enabled": True}, "handoff.assign_owner: needs owners"),
        ("assign_owner", {"owners": ["7", "7"]}, "owners: names somebody twice"),
        ("assign_owner", {"owners": ["a@x.io"]}, "owners: 'a@x.io' is an address"),
        ("reset_status", {"enabled": True}, "handoff.reset_status: needs a value"),
        ("create_deal", {"enabled": True}, "handoff.create_deal: needs stage"),
        ("create_deal", {"name": "{a.b}"}, "handoff.create_deal.name: quotes a field"),
        ("create_deal", {"name": "{"}, "handoff.create_deal.name: quotes a field"),
        ("untouched_task", {"hours": 0}, "handoff.untouched_task.hours: must be a whole number"),
        ("untouched_task", {"hours": True}, "handoff.untouched_task.hours: must be a whole"),
        ("untouched_task", {"enabled": True}, "handoff.untouched_task: needs a subject"),
        ("recycle", {"enabled": True}, "handoff.recycle: needs a field"),
        ("recycle", {"enabled": "yes"}, "handoff.recycle.enabled: must be true or false"),
        ("convert", {}, "unknown key 'convert'"),
    ],
)
def test_every_fault_of_a_switch_is_named(name: str, switch: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationRefused) as refused:
        parse(with_handoff(**{name: switch}))

    assert any(fault in one for one in refused.value.faults)


@pytest.mark.parametrize(
    ("name", "changes", "fault"),
    [
        ("reset_status", {"value": "FRESH"}, "does not offer 'FRESH'"),
        ("reset_status", {"value": "UNQUALIFIED"}, "is a disposition"),
        ("reset_status", {"value": "OPEN"}, "reads back as slot 5"),
        ("create_deal", {"stage": "nowhere"}, "has no deal stage 'nowhere'"),
        ("create_deal", {"stage": "closedwon"}, "is not open"),
        ("create_deal", {"status": ["REACHED"]}, "does not offer 'REACHED'"),
    ],
)
def test_what_the_portal_does_not_have_is_refused(
    name: str, changes: dict[str, Any], fault: str
) -> None:
    mapping = parse(with_handoff(**{name: {**ALL_ON[name], **changes}}))

    with pytest.raises(ConfigurationRefused) as refused:
        check(Lookup(mapping, Pipeline(), WORDS))

    assert any(fault in one for one in refused.value.faults)


def test_a_switch_that_is_off_may_name_what_is_not_there_yet() -> None:
    deal = {**ALL_ON["create_deal"], "enabled": False, "stage": "nowhere"}

    check(Lookup(parse(with_handoff(create_deal=deal)), Pipeline(), WORDS))


def test_owners_need_a_field_to_stand_in() -> None:
    fields = {kind: dict(names) for kind, names in preset("hubspot").fields.items()}
    nobody = {name: field for name, field in fields["contact"].items() if name != "owner"}
    mapping = replace(
        parse(with_handoff(assign_owner=ALL_ON["assign_owner"])),
        fields={**fields, "contact": nobody},
    )

    with pytest.raises(ConfigurationRefused, match="no field is named for the owner"):
        check(Lookup(mapping, Pipeline(), WORDS))


@pytest.mark.parametrize(
    ("template", "values", "told"),
    [
        ("{firstname} {company}", {"firstname": "Ada", "company": "Acme"}, "Ada Acme"),
        ("{firstname} {company}", {"company": "Acme"}, "Acme"),
        ("{firstname} {company}", {}, "ada@x.io"),
        ("Deal of {firstname}", {}, "ada@x.io"),
        ("New deal", {}, "New deal"),
    ],
)
def test_a_name_quotes_what_the_record_holds(
    template: str, values: dict[str, str], told: str
) -> None:
    assert filled(template, values, "ada@x.io") == told


OWNERS = st.lists(st.sampled_from("abcdef"), unique=True, min_size=1)


@given(OWNERS, st.sampled_from("abcdefz"), st.integers(1, 4))
def test_turns_are_fair_whoever_was_last(owners: list[str], last: str, rounds: int) -> None:
    taken = []
    for _ in range(rounds * len(owners)):
        last = next_owner(owners, last, owners) or ""
        taken.append(last)

    assert {one: taken.count(one) for one in owners} == dict.fromkeys(owners, rounds)


@given(OWNERS, st.sampled_from("abcdefz"), st.sets(st.sampled_from("abcdef")))
def test_who_is_absent_is_passed_over(owners: list[str], last: str, present: set[str]) -> None:
    chosen = next_owner(owners, last, present)

    assert chosen in present & set(owners) or (chosen is None and not present & set(owners))
