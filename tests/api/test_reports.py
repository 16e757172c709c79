from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from connector.api.sheets import cell, sheet

if TYPE_CHECKING:
    from tests.api.conftest import Door

MQL = "marketingqualifiedlead"


def test_feedback_has_a_count_behind_every_rate(door: Door) -> None:
    door.lead()
    door.tell("101", lifecyclestage=MQL, hs_lead_status="BAD_TIMING")

    [item] = door.get("reports/feedback?by=source").json["items"]

    assert item == {
        "key": "unknown",
        "mql": 1,
        "accepted": 0,
        "sql": 0,
        "touched": 1,
        "dispositions": {"bad_timing": 1},
        "median_hours_to_first_touch": 0.0,
        "mql_to_sql": 0.0,
    }


@pytest.mark.parametrize(
    ("path", "accept"),
    [("reports/feedback?format=csv", "*/*"), ("reports/feedback", "text/csv")],
)
def test_a_report_comes_as_csv_where_it_is_asked_for(door: Door, path: str, accept: str) -> None:
    door.lead()
    door.tell("101", lifecyclestage=MQL, hs_lead_status="BAD_TIMING")

    reply = door.get(path, headers={"Accept": accept})

    assert reply.content_type == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(reply.text))
    assert (row["key"], row["mql"], row["bad_timing"]) == ("unknown", "1", "1")


@pytest.mark.parametrize("by", ["source", "owner"])
def test_a_sheet_has_the_same_head_line_whatever_is_in_it(door: Door, by: str) -> None:
    empty = door.get(f"reports/feedback?format=csv&by={by}").text
    door.lead()
    door.tell("101", lifecyclestage=MQL, hs_lead_status="BAD_TIMING")

    full = door.get("reports/feedback?format=csv").text

    assert empty.split("\r\n") == [full.split("\r\n")[0], ""]
    assert empty.startswith("key,mql,accepted,sql,touched,bad_number,bad_timing,")


def test_a_day_counts_whole_and_nonsense_is_named(door: Door) -> None:
    door.lead()
    door.tell("101", lifecyclestage=MQL)

    past = door.get("reports/feedback?to=2020-01-01").json["items"]
    wrong = door.get("reports/feedback?from=yesterday&to=2026-13-01")

    assert (past, wrong.status_code) == ([], 422)
    assert [fault.split(":")[0] for fault in wrong.json["faults"]] == ["from", "to"]
    assert door.get("reports/feedback?by=colour").status_code == 422


def test_another_accounts_leads_are_not_counted(door: Door, other: Door) -> None:
    door.lead()
    door.tell("101", lifecyclestage=MQL)

    assert other.get("reports/feedback").json["items"] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1"])
def test_a_formula_is_a_text_in_a_sheet(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert next(csv.reader(io.StringIO(sheet([], [{text: 1}])))) == [f"'{text}"]


def test_numbers_and_plain_texts_stay_as_they_are() -> None:
    assert sheet(["key"], [{"key": "news", "median": -1.5}]) == "key,median\r\nnews,-1.5\r\n"
