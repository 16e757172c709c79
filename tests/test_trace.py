from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import trace

SENT = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OTHERS = {
    "none": None,
    "empty": "",
    "words": "not a trace",
    "the version that is forbidden": f"ff-{SENT}-{SPAN}-01",
    "no trace": f"00-{'0' * 32}-{SPAN}-01",
    "no span": f"00-{SENT}-{'0' * 16}-01",
    "capitals": f"00-{SENT.upper()}-{SPAN}-01",
    "more behind the first version": f"00-{SENT}-{SPAN}-01-more",
}


def test_a_sender_s_trace_is_taken_over() -> None:
    assert trace.accept(f"00-{SENT}-{SPAN}-01") == SENT
    assert trace.accept(f"01-{SENT}-{SPAN}-00-of a later version") == SENT


@pytest.mark.parametrize("header", OTHERS.values(), ids=OTHERS)
def test_what_is_no_trace_begins_a_new_one(header: str | None) -> None:
    made = trace.accept(header)

    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert made != SENT


@given(st.text())
def test_any_header_leads_to_an_id_that_can_be_handed_on(header: str) -> None:
    own = trace.accept(header)

    assert trace.accept(trace.header(own)) == own


def test_what_is_no_trace_is_not_handed_on() -> None:
    assert trace.header("backfill:con_1@2026") is None
    assert trace.header("") is None


def test_what_is_worked_on_is_known_inside_of_the_block_only() -> None:
    with trace.following(["", SENT, "b", SENT]):
        assert trace.all_current() == (SENT, "b")
        assert trace.current() == SENT

    assert trace.current() == ""
