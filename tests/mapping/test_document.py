from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import LAYOUTS, OPEN_TO_PEOPLE, Pipeline, Role, Slot
from connector.mapping import document, pipelines, places, table
from connector.mapping.lookup import Lookup
from connector.mapping.table import (
    Deal,
    Disposition,
    DispositionRow,
    Meaning,
    Mode,
    OptOutRow,
    OutboundRow,
    Put,
    SlotRow,
    Vocabulary,
)

PRESET = document.preset("hubspot")
FIELDS = {"contact": {"lifecycle": "lifecyclestage", "lead_status": "hs_lead_status"}}


def faults(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationRefused) as refusal:
        call()
    return refusal.value.faults


def refused(**parts: object) -> tuple[str, ...]:
    whole = {"system": "hubspot", "fields": FIELDS, **parts}
    return faults(lambda: document.parse(whole))


def parsed(**parts: object) -> table.Mapping:
    return document.parse({"system": "hubspot", "fields": FIELDS, **parts})


# What a mapping may hold.

TARGETS = [role for slot, role in Pipeline().roles.items() if slot in OPEN_TO_PEOPLE]
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
names = words.filter(lambda word: word.strip() != "" and not word.startswith("@"))
blanks = st.frozensets(words.filter(lambda word: word == "" or word.strip() != ""), min_size=1)
filled = st.frozensets(names, min_size=1, max_size=3)
targets = st.sampled_from([*TARGETS, *sorted(OPEN_TO_PEOPLE)])
puts = st.none() | st.builds(Put, names, st.sampled_from(Mode))
slot_rows = st.builds(
    SlotRow,
    targets | st.none(),
    blanks | st.just(frozenset()),
    blanks | st.none(),
    st.sampled_from(Deal) | st.none(),
    filled,
)
mappings = st.builds(
    table.Mapping,
    system=names,
    fields=st.dictionaries(
        st.sampled_from(["contact", "lead", "company", "account", "deal"]),
        st.lists(names, unique=True, max_size=len(Meaning)).map(
            lambda own: dict(zip(Meaning, own, strict=False))
        ),
    ),
    opt_out=st.tuples(st.builds(OptOutRow, names, names, names)),
    dispositions=st.tuples(
        st.builds(DispositionRow, st.sampled_from(Disposition), filled),
        st.builds(DispositionRow, st.sampled_from(Disposition), deal=st.just(Deal.LOST)),
    ),
    slots=st.lists(slot_rows, max_size=3).map(tuple),
    outbound=st.lists(st.builds(OutboundRow, targets, puts, puts), max_size=3).map(tuple),
    allow_backward=st.booleans(),
    push_opt_out=st.booleans(),
)


@given(mappings)
def test_a_mapping_comes_back_from_its_document(mapping: table.Mapping) -> None:
    assert document.parse(document.dump(mapping)) == mapping


@given(mappings)
def test_a_mapping_comes_back_from_its_file(mapping: table.Mapping) -> None:
    assert document.parse(places.load_yaml(document.dump_yaml(mapping))) == mapping


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "slot", "value", "mode", "status"]), inner)
    ),
    max_leaves=5,
)
PARTS = ["system", "fields", "opt_out", "dispositions", "slots", "outbound", "push_opt_out"]


@given(st.dictionaries(st.sampled_from(PARTS), json | st.lists(json, max_size=3)) | json)
def test_whatever_comes_is_read_or_refused(anything: object) -> None:
    with suppress(ConfigurationRefused):
        mapping = document.parse(anything)

        assert document.parse(document.dump(mapping)) == mapping


def test_targets_are_roles_or_slots() -> None:
    rows = [{"deal": "won", "role": "success"}, {"deal": "open", "slot": 7}]
    rows += [{"lifecycle": ["other"], "role": "none"}]

    assert [row.target for row in parsed(slots=rows).slots] == [Role.SUCCESS, Slot.SEVENTH, None]


def test_an_empty_lead_status_is_not_any_lead_status() -> None:
    rows = [{"status": [""], "role": "mql"}, {"lifecycle": ["lead"], "role": "qualified"}]

    assert [row.status for row in parsed(slots=rows).slots] == [frozenset({""}), None]


@pytest.mark.parametrize("mode", ["off", False])
def test_a_bare_off_in_yaml_is_off(mode: object) -> None:
    row = {"role": "mql", "lifecycle": {"value": "x", "mode": mode}}

    assert parsed(outbound=[row]).outbound == (OutboundRow(Role.MQL, Put("x", Mode.OFF)),)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"role": "mql"}, "slots[1]: needs a condition"),
        ({"deal": "won"}, "slots[1]: needs either role or slot"),
        ({"deal": "won", "role": "mql", "slot": 6}, "slots[1]: needs either role or slot"),
        ({"deal": "won", "slot": 1}, "slots[1].slot: 1 is no slot to name here"),
        ({"deal": "won", "slot": 2}, "slots[1].slot: 2 is no slot to name here"),
        ({"deal": "won", "slot": 10}, "slots[1].slot: 10 is no slot to name here"),
        ({"deal": "won", "slot": 11}, "slots[1].slot: 11 is no slot to name here"),
        ({"deal": "won", "slot": "7"}, "slots[1].slot: '7' is no slot to name here"),
        ({"deal": "won", "slot": True}, "slots[1].slot: True is no slot to name here"),
        ({"deal": "won", "role": "anonymous"}, "slots[1].role: 'anonymous' is no role"),
        ({"deal": "won", "role": "incentivized"}, "slots[1].role: 'incentivized' is no role"),
        ({"deal": "won", "role": "suppressed"}, "slots[1].role: 'suppressed' is no role"),
        ({"deal": "won", "role": "boss"}, "slots[1].role: 'boss' is no role"),
        ({"deal": "maybe", "role": "mql"}, "slots[1].deal: 'maybe' is unknown"),
        ({"lifecycle": "lead", "role": "mql"}, "slots[1].lifecycle: must be a list"),
        ({"lifecycle": [], "role": "mql"}, "slots[1].lifecycle: must not be empty"),
        ({"lifecycle": [7], "role": "mql"}, "slots[1].lifecycle[0]: must be text"),
        ({"status": [False], "role": "mql"}, "slots[1].status[0]: must be text"),
        ({"company": [""], "role": "mql"}, "slots[1].company[0]: must not be empty"),
        ({"stage": ["lead"], "role": "mql"}, "slots[1]: unknown key 'stage'"),
        ("lead", "slots[1]: must be an object"),
    ],
)
def test_a_faulty_slot_row_is_named_with_its_place(row: object, place: str) -> None:
    found = refused(slots=[{"deal": "won", "role": "success"}, row])

    assert any(fault.startswith(place) for fault in found), found


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"slot": 10, "lifecycle": {"value": "x"}}, "outbound[0].slot: 10 is no slot"),
        ({"role": "anonymous"}, "outbound[0].role: 'anonymous' is no role"),
        ({"role": "none"}, "outbound[0]: only a slot can write"),
        ({"role": "mql", "lifecycle": "x"}, "outbound[0].lifecycle: must be an object"),
        ({"role": "mql", "lifecycle": {}}, "outbound[0].lifecycle: 'value' is missing"),
        ({"role": "mql", "lifecycle": {"value": ""}}, "outbound[0].lifecycle.value: must not"),
        (
            {"role": "mql", "lead_status": {"value": "x", "mode": "always"}},
            "outbound[0].lead_status.mode: 'always' is unknown",
        ),
        ({"role": "mql", "owner": {"value": "x"}}, "outbound[0]: unknown key 'owner'"),
    ],
)
def test_a_faulty_outbound_row_is_named_with_its_place(row: object, place: str) -> None:
    found = refused(outbound=[row])

    assert any(fault.startswith(place) for fault in found), found


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"system": 7}, "system: must be text"),
        ({"system": " "}, "system: must not be empty"),
        ({"system": "a\nb"}, "system: must be at most 500 printable characters"),
        ({"fields": {"ticket": {}}}, "fields: unknown key 'ticket'"),
        ({"fields": {"contact": {"mail": "email"}}}, "fields.contact: unknown key 'mail'"),
        ({"fields": {"contact": {"email": None}}}, "fields.contact.email: must be text"),
        ({"fields": {"contact": {"email": "@alive"}}}, "fields.contact: '@alive' can't be"),
        (
            {"fields": {"contact": {"lifecycle": "a", "lead_status": "a"}}},
            "fields.contact: 'a' can't be the field of 2 meanings",
        ),
        ({"opt_out": [{"field": "x", "value": True, "channel": "c"}]}, "opt_out[0].value: must be"),
        ({"opt_out": [{"field": "x", "value": "y"}]}, "opt_out[0]: 'channel' is missing"),
        ({"dispositions": [{"disposition": "lost"}]}, "dispositions[0]: needs either"),
        (
            {"dispositions": [{"disposition": "sad", "status": ["x"]}]},
            "dispositions[0].disposition: 'sad' is unknown",
        ),
        (
            {"dispositions": [{"disposition": "lost", "deal": "won"}]},
            "dispositions[0].deal: only a lost deal",
        ),
        ({"dispositions": {}}, "dispositions: must be a list"),
        ({"slots": [{"deal": "won", "role": "mql"}] * 501}, "slots: must be a list of at most 500"),
        ({"allow_backward": "no"}, "allow_backward: must be true or false"),
        ({"surprise": 1}, "mapping: unknown key 'surprise'"),
        ({7: 1}, "mapping: unknown key 7"),
    ],
)
def test_every_other_fault_is_named_with_its_place(
    parts: Mapping[object, object], fault: str
) -> None:
    whole = {"system": "hubspot", "fields": FIELDS, **parts}

    (found,) = faults(lambda: document.parse(whole))
    assert found.startswith(fault)


@pytest.mark.parametrize("nothing", [None, [], "system: hubspot", 7])
def test_a_mapping_is_an_object(nothing: object) -> None:
    assert faults(lambda: document.parse(nothing)) == ("mapping: must be an object",)


def test_system_and_fields_can_not_be_left_out() -> None:
    assert faults(lambda: document.parse({})) == (
        "mapping: 'system' is missing",
        "mapping: 'fields' is missing",
    )


def test_every_fault_is_named_at_once() -> None:
    found = refused(system=1, slots=[{"slot": 10}, 3], outbound=[{"role": "none"}], surprise=1)

    places = {fault.partition(":")[0] for fault in found}
    assert places >= {"mapping", "system", "slots[0]", "slots[0].slot", "slots[1]", "outbound[0]"}


@pytest.mark.parametrize(
    "text",
    [
        "a: &bomb [1]\nb: *bomb",
        "[" * 50_000,
        "{a: " * 50_000,
        "x" * 100_001,
        "slots: []\nslots: []",
        "outer: {a: 1, a: 2}",
        "system: !!python/object/apply:os.system ['true']",
        "when: 2026-99-99",
        "one\n---\ntwo",
        "? [a]\n: b",
        "open: [",
        "\x00",
        "*nobody",
    ],
    ids=lambda text: text[:20],
)
def test_hostile_yaml_is_refused(text: str) -> None:
    assert faults(lambda: places.load_yaml(text))


@given(st.text(max_size=60))
def test_any_text_is_yaml_or_refused(text: str) -> None:
    with suppress(ConfigurationRefused):
        places.load_yaml(text)


def test_yaml_is_read_as_written() -> None:
    assert places.load_yaml("slots: [{status: ['', NEW], role: mql}]") == {
        "slots": [{"status": ["", "NEW"], "role": "mql"}]
    }


@pytest.mark.parametrize("system", ["pipedrive", "", "../presets/hubspot", "hubspot.yaml"])
def test_an_unknown_preset_is_refused_with_those_there_are(system: str) -> None:
    (fault,) = faults(lambda: document.preset(system))

    assert "hubspot" in fault


# Does it fit the pipeline and the portal?


def checked(mapping: table.Mapping, vocabulary: Vocabulary | None = None) -> tuple[str, ...]:
    lookup = Lookup(mapping, vocabulary=vocabulary or Vocabulary())
    return faults(lambda: document.check(lookup))


def writing(slot: Role | Slot, **puts: Put) -> table.Mapping:
    return replace(PRESET, outbound=(OutboundRow(slot, **puts),))


def put(value: str) -> Put:
    return Put(value, Mode.IF_UNCHANGED)


def test_a_row_to_an_empty_slot_is_refused_until_the_slot_is_named() -> None:
    row = SlotRow(Role.CUSTOM, lifecycle=frozenset({"demo"}))
    mapping = replace(PRESET, slots=(*PRESET.slots, row))

    assert checked(mapping) == ("slot 7 has no label, so it can't be a target: name it first",)
    document.check(Lookup(mapping, Pipeline(labels={Slot.SEVENTH: "Demo"})))


def test_a_mapping_that_would_read_back_as_another_slot_is_refused() -> None:
    (fault,) = checked(writing(Role.MQL, lifecycle=put("salesqualifiedlead")))

    assert fault == "slot 6 would write 'salesqualifiedlead', which reads back as slot 4"


def test_a_slot_writes_one_way_only() -> None:
    rows = [OutboundRow(Role.MQL), OutboundRow(Slot.SIXTH)]

    assert checked(replace(PRESET, outbound=tuple(rows))) == (
        "slot 6 has more than one outbound row",
    )


STAGES = {"lead": "Lead", "marketingqualifiedlead": "MQL"}
KNOWN = Vocabulary({"contact": {"lifecyclestage": STAGES, "hs_lead_status": {"NEW": "New"}}})


def test_a_value_that_the_portal_does_not_offer_is_not_written() -> None:
    stage, status = put("marketingqualifiedlead"), put("OPEN")
    found = checked(writing(Role.SAL, lifecycle=stage, lead_status=status), KNOWN)

    assert found == ("slot 5: hs_lead_status of a contact does not offer 'OPEN'",)


def test_a_value_may_be_written_where_the_portal_offers_it_or_is_unknown() -> None:
    mapping = writing(Role.MQL, lifecycle=put("marketingqualifiedlead"))

    document.check(Lookup(mapping, vocabulary=KNOWN))
    document.check(Lookup(mapping))


def test_what_is_off_may_be_anything() -> None:
    document.check(Lookup(writing(Role.MQL, lifecycle=Put("gone")), vocabulary=KNOWN))


def test_a_field_that_nobody_named_can_not_be_written() -> None:
    mapping = replace(writing(Role.MQL, lifecycle=put("marketingqualifiedlead")), fields={})

    assert checked(mapping) == ("slot 6 would write a lifecycle, but no field is named for it",)


# The pipeline as a document.


def test_a_pipeline_shows_what_each_slot_is_for() -> None:
    shown = pipelines.dump_pipeline(Pipeline())

    assert shown["layout"] == "sql-sal-mql"
    assert shown["funnel_order"] == [1, 2, 3, 6, 5, 4, 7, 8, 9]
    assert isinstance(shown["slots"], list)
    assert shown["slots"][6:] == [
        {"slot": 7, "label": "", "role": "custom", "locked": False, "empty": True},
        {"slot": 8, "label": "Customer", "role": "success", "locked": False, "empty": False},
        {"slot": 9, "label": "", "role": "post_sale", "locked": False, "empty": True},
        {"slot": 10, "label": "Do Not Contact", "role": "suppressed", "locked": True}
        | {"empty": False},
    ]


any_pipeline = st.builds(
    Pipeline,
    st.sampled_from(sorted(LAYOUTS)),
    st.dictionaries(
        st.sampled_from([Slot.SEVENTH, Slot.FOURTH]), st.sampled_from("xyz"), max_size=1
    ),
    st.permutations([slot for slot in Slot if slot is not Slot.DO_NOT_CONTACT]).map(tuple),
    st.dictionaries(st.sampled_from([Slot.SIXTH, Slot.CUSTOMER]), st.sampled_from("xyz")),
)


@given(any_pipeline, any_pipeline)
def test_a_pipeline_comes_back_from_its_document(pipeline: Pipeline, now: Pipeline) -> None:
    assert pipelines.parse_pipeline(pipelines.dump_pipeline(pipeline), now) == pipeline


@given(any_pipeline)
def test_what_is_left_out_is_kept(pipeline: Pipeline) -> None:
    assert pipelines.parse_pipeline({}, pipeline) == pipeline


@pytest.mark.parametrize(
    "given_as",
    [
        {"labels": {"7": "Partner"}},
        {"labels": {7: "Partner"}},
        {"slots": [{"slot": 7, "label": "Partner"}]},
    ],
)
def test_a_label_may_be_given_by_number_or_by_row(given_as: object) -> None:
    after = pipelines.parse_pipeline(given_as, Pipeline())

    assert after == Pipeline(labels={Slot.SEVENTH: "Partner"})


def test_a_new_layout_takes_default_labels_and_the_funnel_along() -> None:
    now = Pipeline(labels={Slot.FIFTH: "Accepted"})
    after = pipelines.parse_pipeline({"layout": "mql-sal-sql"}, now)

    assert [after.labels[Slot(number)] for number in (4, 5, 6)] == ["MQL", "Accepted", "SQL"]
    assert [slot.value for slot in after.funnel] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_new_layout_keeps_the_accounts_own_order_of_roles() -> None:
    now = pipelines.parse_pipeline({"funnel_order": [1, 2, 3, 7, 6, 5, 4, 8, 9]}, Pipeline())
    after = pipelines.parse_pipeline({"layout": "mql-sal-sql"}, now)

    assert [slot.value for slot in after.funnel] == [1, 2, 3, 7, 4, 5, 6, 8, 9]


def test_a_funnel_order_given_with_a_layout_stands() -> None:
    order = [1, 2, 3, 5, 4, 6, 7, 8, 9]
    after = pipelines.parse_pipeline({"layout": "mql-sal-sql", "funnel_order": order}, Pipeline())

    assert [slot.value for slot in after.funnel] == order


@pytest.mark.parametrize("edited", ["labels", "slots"])
def test_of_two_lists_the_edited_one_counts(edited: str) -> None:
    shown = pipelines.dump_pipeline(Pipeline())
    other = {"labels": {"7": "Demo"}, "slots": [{"slot": 7, "label": "Demo"}]}
    after = pipelines.parse_pipeline({**shown, edited: other[edited]}, Pipeline())

    assert after.labels[Slot.SEVENTH] == "Demo"


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        ({"layout": "sideways"}, "layout 'sideways' is unknown"),
        ({"layout": 4}, "layout: must be text"),
        ({"labels": {"1": "Ghost"}}, "slot 1 is locked"),
        ({"labels": {"8": ""}}, "slot 8 needs a label"),
        ({"labels": {"7": "Customer"}}, "two slots are called 'customer'"),
        ({"labels": {"11": "Eleven"}}, "labels: unknown key '11'"),
        ({"labels": {"7": None}}, "labels.7: must be text"),
        ({"labels": []}, "labels: must be an object"),
        ({"funnel_order": [1, 2, 3]}, "the funnel order must hold each slot"),
        ({"funnel_order": [1, 2, 3, 4, 5, 6, 7, 8, 10]}, "the funnel order must hold each slot"),
        ({"funnel_order": []}, "funnel_order: must not be empty"),
        ({"funnel_order": "123"}, "funnel_order: must be a list"),
        ({"funnel_order": ["1"]}, "funnel_order[0]: '1' is no slot"),
        ({"slots": [{"label": "x"}]}, "slots[0]: 'slot' is missing"),
        ({"slots": [{"slot": 0, "label": "x"}]}, "slots[0].slot: 0 is no slot"),
        ({"slots": [{"slot": 4, "role": "mql"}]}, "slots[0].role: slot 4 is sql under"),
        ({"slots": [{"slot": 7, "label": "A"}], "labels": {"7": "B"}}, "slots[0].label: another"),
        ({"roles": {}}, "pipeline: unknown key 'roles'"),
        ({"masters": {10: "hubspot"}}, "masters: unknown key '10'"),
        ({"masters": {8: ""}}, "masters.8: must not be empty"),
        ([], "pipeline: must be an object"),
    ],
)
def test_a_faulty_pipeline_is_refused_with_the_place(faulty: object, fault: str) -> None:
    found = faults(lambda: pipelines.parse_pipeline(faulty, Pipeline()))

    assert any(text.startswith(fault) for text in found), found


def test_every_fault_of_a_pipeline_is_named_at_once() -> None:
    faulty = {"labels": {"1": "Ghost", "12": "x"}, "funnel_order": [1], "surprise": 1}

    assert len(faults(lambda: pipelines.parse_pipeline(faulty, Pipeline()))) == 4
