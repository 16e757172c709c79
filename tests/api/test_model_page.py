import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.api.model_page import POLICY, STYLE, page
from scorer import JourneyScorer
from tests.scorer.people import AS_OF, journeys

VOID = {"meta"}
COUNTS = {"1": 40, "5": 60}
DRIFT = [
    {"at": "2026-06-01", "psi": 0.02, "calibration_error": None},
    {"at": "2026-06-02", "psi": 0.3},
]


class Reader(HTMLParser):
    """Reads a page: its plain text, its tags, and whether each that opens also closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    told = JourneyScorer().fit(*journeys(300), AS_OF).report_
    days = [(f"2026-06-{day:02}", COUNTS) for day in range(1, 31)]
    more = {"title": "Model 3", "serving": True, "distribution": days, "drift": DRIFT}
    return {**told, **more}


def test_the_page_shows_every_plot_with_its_numbers(report: dict[str, Any]) -> None:
    read = Reader(page([report]))
    text = "".join(read.words)

    titles = ["Lift by tenth", "Calibration", "Conversion by score", "What moves scores"]
    titles += ["Scores over time", "Drift of scores", "Readiness"]
    assert [title for title in titles if title not in text] == []
    assert read.open == []
    assert read.tags.count("svg") == 6  # nothing is known of calibration since
    assert read.tags.count("svg") == read.tags.count("figure") <= read.tags.count("table")
    assert all(sentence in text for sentence in report["readiness"]["sentences"])
    assert all(str(row["won"]) in text for row in report["plots"]["conversion"])


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(report: dict[str, Any]) -> None:
    told = page([report])
    read = Reader(told)

    assert not {"script", "link", "img", "iframe", "object", "a"} & set(read.tags)
    assert not {"style", "href", "src"} & read.names  # its policy allows its own sheet only
    assert not [name for name in read.names if name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import", told)
    assert f"<style>{STYLE}</style>" in told
    assert "style-src 'sha256-" in POLICY


@settings(max_examples=30)
@given(
    st.sampled_from(
        ["title", "state", "gate", "alarms", "group", "day", "fill", "sentence", "held"]
    ),
    st.text(),
)
def test_no_word_becomes_markup(report: dict[str, Any], where: str, words: str) -> None:
    bad = f"</style><script>\"{words}'&"
    own = {
        "group": {"plots": report["plots"] | {"groups": [{"group": bad, "share": 1.0}]}},
        "gate": {"gate": [bad]},
        "alarms": {"alarms": [{"text": bad}, bad]},
        "day": {"distribution": [(bad, COUNTS)], "drift": [{"at": bad, "psi": 0.1}]},
        "fill": {"readiness": {"fill": {bad: 0.5}}},
        "sentence": {"readiness": {"sentences": [bad]}},
    }.get(where, {where: bad})

    read = Reader(page([{**report, **own}]))

    assert read.open == []
    assert "script" not in read.tags
    assert "script" in "".join(read.words)


@pytest.mark.parametrize("wins", [0, 3])
def test_a_model_that_has_not_learned_says_so(wins: int) -> None:
    events, customers = journeys(60)

    told = page([JourneyScorer().fit(events, customers[:wins], AS_OF).report_])

    assert "has not learned yet" in told
    assert "Lift by tenth" not in told


def test_no_model_is_a_page_too() -> None:
    assert "No model has been trained yet" in page([])


def test_older_models_are_folded(report: dict[str, Any]) -> None:
    read = Reader(page([report, report | {"title": "Model 2", "serving": False}]))

    assert read.tags.count("details") == 1
    assert read.words.count("Model 2 ") == 2


def test_alarms_and_the_gate_are_said(report: dict[str, Any]) -> None:
    held = {"promoted": False, "gate": ["its order is worse"], "alarms": ["scores are spread"]}
    held |= {"held": "drift since Monday"}

    text = "".join(Reader(page([{**report, **held}])).words)

    assert "The gate did not let it pass. its order is worse." in text
    assert "scores are spread" in text
    assert "CRMs are not told its scores: drift since Monday" in text
