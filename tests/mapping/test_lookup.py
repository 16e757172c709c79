from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.slots import Pipeline, Slot
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import (
    Deal,
    Disposition,
    Meaning,
    OptOutRow,
    SlotRow,
    Vocabulary,
    plain,
)

PRESET = preset("hubspot")
LABELS = {
    "contact": {"lifecyclestage": {"998": "Sales Qualified Lead", "999": "Happy Partner"}},
    "lead": {"Status": {"Closed 7": "Bad Number"}},
}
LOOKUP = Lookup(PRESET, vocabulary=Vocabulary(LABELS))


@pytest.mark.parametrize("word", ["Bad Timing", "bad_timing", "BADTIMING", " bad  TIMING "])
def test_words_compare_blind_to_case_spaces_and_underscores(word: str) -> None:
    assert plain(word) == "badtiming"


def test_the_first_row_that_fits_wins() -> None:
    won = Words("lead", deals=frozenset({Deal.WON}))

    assert LOOKUP.slot(won) is Slot.CUSTOMER


def test_a_disposition_matches_the_label_on_the_records_own_object() -> None:
    fields = {**PRESET.fields, "lead": {Meaning.LEAD_STATUS: "Status"}}
    lookup = replace(LOOKUP, mapping=replace(PRESET, fields=fields))

    assert lookup.disposition("Closed 7", (), "lead") is Disposition.BAD_NUMBER
    assert lookup.disposition("Closed 7", (), "contact") is None


def test_an_opt_out_row_names_the_field_of_each_object() -> None:
    fields = {**PRESET.fields, "lead": {Meaning.OPT_OUT: "HasOptedOutOfEmail"}}
    lookup = replace(LOOKUP, mapping=replace(PRESET, fields=fields))

    assert lookup.channel("HasOptedOutOfEmail", "True", "lead") == "email"
    assert lookup.channel("HasOptedOutOfEmail", "true", "contact") == ""
    assert lookup.mapping.names("lead") == ["HasOptedOutOfEmail"]


def test_a_lost_deal_is_lost_only_where_no_other_is_open_or_won() -> None:
    assert LOOKUP.disposition("", [Deal.LOST]) is Disposition.LOST
    assert LOOKUP.disposition("", [Deal.LOST, Deal.OPEN]) is None


def test_a_status_disposition_comes_before_a_lost_deal() -> None:
    assert LOOKUP.disposition("Bad Timing", [Deal.LOST]) is Disposition.BAD_TIMING


def test_only_what_rows_ask_about_can_change_a_slot() -> None:
    words = Words("lead", "NEW", frozenset({Deal.OPEN, Deal.WON}), frozenset({"customer"}))

    assert LOOKUP.asked(words) == Words("lead", "NEW", frozenset({Deal.WON}))


@pytest.mark.parametrize(
    ("meaning", "value", "unmapped"),
    [
        (Meaning.LIFECYCLE, "lead", False),
        (Meaning.LIFECYCLE, "other", False),
        (Meaning.LIFECYCLE, "998", True),
        (Meaning.LEAD_STATUS, "in progress", False),
        (Meaning.LEAD_STATUS, "Bad Number", False),
        (Meaning.LEAD_STATUS, "Nurture", True),
        (Meaning.LEAD_STATUS, "", False),
    ],
)
def test_a_value_that_no_row_knows_is_unmapped(
    meaning: Meaning, value: str, *, unmapped: bool
) -> None:
    assert LOOKUP.is_unmapped(meaning, value) is unmapped


def test_an_unmapped_value_gets_a_suggestion_by_its_label() -> None:
    assert LOOKUP.suggest(Meaning.LIFECYCLE, "998") is Slot.FOURTH


def test_no_idea_is_no_suggestion() -> None:
    assert LOOKUP.suggest(Meaning.LIFECYCLE, "xyz") is None


def test_naming_slot_9_adds_suggestions() -> None:
    named = replace(LOOKUP, pipeline=Pipeline(labels={Slot.POST_SALE: "Alumni"}))

    assert LOOKUP.suggest(Meaning.LIFECYCLE, "999") is None
    assert named.suggest(Meaning.LIFECYCLE, "999") is Slot.POST_SALE
    assert named.suggest(Meaning.LIFECYCLE, "ALUMNI") is Slot.POST_SALE


def test_an_opt_out_row_may_name_a_crms_own_field() -> None:
    row = OptOutRow("DoNotCall", "true", "phone")
    lookup = replace(LOOKUP, mapping=replace(PRESET, opt_out=(row,)))

    assert lookup.channel("DoNotCall", "TRUE") == "phone"
    assert "DoNotCall" in lookup.mapping.names("contact")


def test_the_fields_that_we_follow_are_named_per_object() -> None:
    assert PRESET.names("company") == ["hs_lead_status", "lifecyclestage"]
    assert "hs_email_optout" in PRESET.names("contact")
    assert PRESET.names("account") == []


def test_company_rows_are_noticed() -> None:
    row = SlotRow(Slot.CUSTOMER, company=frozenset({"customer"}))

    assert not LOOKUP.uses_company
    assert replace(LOOKUP, mapping=replace(PRESET, slots=(row,))).uses_company
