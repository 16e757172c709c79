from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.slots import Pipeline, Slot
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup, Words
from connector.mapping.plan import Plan, plan, round_trip_faults
from connector.mapping.table import Meaning, Mode, OutboundRow, Put, SlotRow, Vocabulary

STAGES = ["subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity"]
STAGES += ["customer", "evangelist", "other"]
VOCABULARY = Vocabulary({"contact": {"lifecyclestage": {stage: stage for stage in STAGES}}})
LOOKUP = Lookup(preset("hubspot"), vocabulary=VOCABULARY)


def writing(slot: Slot, lifecycle: Put | None = None, lead_status: Put | None = None) -> Lookup:
    rows = (OutboundRow(slot, lifecycle, lead_status),)
    return replace(LOOKUP, mapping=replace(LOOKUP.mapping, outbound=rows))


def put(value: str) -> Put:
    return Put(value, Mode.IF_UNCHANGED)


@pytest.mark.parametrize(
    ("slot", "held", "stage"),
    [
        (Slot.SIXTH, "lead", "marketingqualifiedlead"),
        (Slot.SIXTH, "", "marketingqualifiedlead"),
        (Slot.FOURTH, "marketingqualifiedlead", "salesqualifiedlead"),
        (Slot.CUSTOMER, "opportunity", "customer"),
    ],
)
def test_hubspots_preset_writes_6_4_and_8_forward(slot: Slot, held: str, stage: str) -> None:
    assert plan(slot, Words(held), "contact", LOOKUP) == Plan({Meaning.LIFECYCLE: stage})


@pytest.mark.parametrize("slot", [1, 2, 3, 5, 7, 9, 10])
def test_hubspots_preset_writes_no_other_slot(slot: int) -> None:
    assert plan(Slot(slot), Words("subscriber"), "contact", LOOKUP) == Plan()


def test_a_stage_is_never_written_backward_and_we_say_why() -> None:
    answer = plan(Slot.SIXTH, Words("opportunity"), "contact", LOOKUP)

    assert answer == Plan(skipped={Meaning.LIFECYCLE: "would regress from opportunity"})


def test_a_stage_goes_back_where_the_admin_allows_it() -> None:
    allowed = replace(LOOKUP, mapping=replace(LOOKUP.mapping, allow_backward=True))
    answer = plan(Slot.SIXTH, Words("opportunity"), "contact", allowed)

    assert answer == Plan({Meaning.LIFECYCLE: "marketingqualifiedlead"})


def test_the_portals_own_order_says_what_is_backward() -> None:
    turned = Vocabulary({"contact": {"lifecyclestage": dict.fromkeys(reversed(STAGES), "")}})
    answer = plan(Slot.SIXTH, Words("opportunity"), "contact", replace(LOOKUP, vocabulary=turned))

    assert answer.writes == {Meaning.LIFECYCLE: "marketingqualifiedlead"}


@pytest.mark.parametrize("held", ["opportunity", "salesqualifiedlead"])
def test_words_that_already_mean_the_slot_stay(held: str) -> None:
    assert plan(Slot.FOURTH, Words(held), "contact", LOOKUP) == Plan()


def test_a_status_that_means_the_slot_keeps_the_stage() -> None:
    held = Words("marketingqualifiedlead", "CONNECTED")

    assert plan(Slot.FOURTH, held, "contact", LOOKUP) == Plan()


def test_what_is_off_is_not_written() -> None:
    lookup = writing(Slot.SIXTH, Put("marketingqualifiedlead", Mode.OFF), put("NEW"))
    answer = plan(Slot.SIXTH, Words("lead"), "contact", lookup)

    assert answer == Plan({Meaning.LEAD_STATUS: "NEW"})


def test_only_what_differs_is_written() -> None:
    lookup = writing(Slot.FIFTH, put("marketingqualifiedlead"), put("OPEN"))
    answer = plan(Slot.FIFTH, Words("marketingqualifiedlead", "NEW"), "contact", lookup)

    assert answer == Plan({Meaning.LEAD_STATUS: "OPEN"})


def test_a_lead_status_has_no_backward() -> None:
    lookup = writing(Slot.SIXTH, put("marketingqualifiedlead"), put("NEW"))
    answer = plan(Slot.SIXTH, Words("opportunity", "CONNECTED"), "contact", lookup)

    assert answer.writes == {Meaning.LEAD_STATUS: "NEW"}


def test_rows_follow_the_layout() -> None:
    moved = replace(LOOKUP, pipeline=Pipeline("mql-sal-sql"))
    answer = plan(Slot.FOURTH, Words("lead"), "contact", moved)

    assert answer == Plan({Meaning.LIFECYCLE: "marketingqualifiedlead"})


@pytest.mark.parametrize(
    ("slot", "lifecycle", "lead_status", "answer"),
    [
        (Slot.SIXTH, "salesqualifiedlead", None, "slot 4"),
        (Slot.SIXTH, "marketingqualifiedlead", "OPEN", "slot 5"),
        (Slot.SEVENTH, "partner program", None, "no slot"),
        (Slot.SIXTH, None, "CONNECTED", "slot 3 or slot 4 or slot 8"),
    ],
)
def test_a_row_that_reads_back_as_another_slot_is_a_fault(
    slot: Slot, lifecycle: str | None, lead_status: str | None, answer: str
) -> None:
    stage, status = (word and put(word) for word in (lifecycle, lead_status))
    (fault,) = round_trip_faults(writing(slot, stage or None, status or None))

    assert fault.startswith(f"slot {slot.value} would write ")
    assert fault.endswith(f", which reads back as {answer}")


def test_a_status_alone_is_sound_where_some_stage_makes_it_mean_the_slot() -> None:
    assert round_trip_faults(writing(Slot.FIFTH, None, put("OPEN"))) == []


def test_a_status_that_no_row_reads_comes_back_as_nothing_at_all() -> None:
    assert round_trip_faults(writing(Slot.SEVENTH, None, put("DEMO"))) == []


def test_where_status_is_the_only_field_it_must_read_back() -> None:
    rows = (SlotRow(Slot.FIFTH, status=frozenset({"Working - Contacted"})),)
    bare = writing(Slot.SIXTH, None, put("Working - Contacted"))
    lookup = replace(bare, mapping=replace(bare.mapping, slots=rows))

    assert len(round_trip_faults(lookup)) == 1


def test_what_is_off_needs_no_way_back() -> None:
    assert round_trip_faults(writing(Slot.SIXTH, Put("salesqualifiedlead", Mode.OFF))) == []
