"""A thousand columns and more that tell something, each in English, and no drawer for leftovers."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scorermade import log
from scorer import JourneyScorer
from scorer.building import build
from scorer.events import read_events, read_time
from scorer.features import Schema, learn_schema
from scorer.pages import family_of
from scorer.points import loudness
from tests.public import shop
from tests.scorer.people import START, event

NOW = "2026-06-30T00:00:00Z"
LEFTOVERS = re.compile(r"\b(other|rest|hash|misc)", re.IGNORECASE)
MOST = 0.01
Log = tuple[Any, Any, str]


def _made() -> Log:
    return *log(300), NOW


def _shop() -> Log:
    """Return the public log of a shop, its buyers as customers."""
    if not shop.LOG.exists():
        pytest.skip(f"no {shop.LOG.name}: CONNECTOR_BENCH_DATA says where it lies")
    rows = shop.rows()
    bought: dict[str, str] = {}
    for row in rows:
        if row["event"] == "purchase":
            bought.setdefault(row["user_id"], row["timestamp"])
    deeds = [row["event"] if row["event"] in shop.DEEDS else "" for row in rows]
    events = {
        "profile_id": [row["user_id"] for row in rows],
        "type": ["custom" if deed else "page_view" for deed in deeds],
        "code": deeds,
        "url": ["" if deed else f"/{row['event']}" for deed, row in zip(deeds, rows, strict=True)],
        "occurred_at": [row["timestamp"] for row in rows],
        "utm_source": [row["acquisition_channel"] for row in rows],
        "utm_campaign": [row["user_cohort"] for row in rows],
        "device": [row["platform"] for row in rows],
    }
    customers = {"profile_id": list(bought), "customer_at": list(bought.values())}
    return events, customers, rows[-1]["timestamp"]


LOGS = pytest.mark.parametrize("made", [_made, _shop])


@LOGS
def test_a_thousand_columns_tell_something_of_somebody(made: Any) -> None:
    events, _, now = made()
    known = read_events(events)
    schema = learn_schema(known)

    told = build(known, schema, known.find(known.profiles), _at(now, len(known.profiles)))

    assert (np.diff(told.indptr) > 0).sum() >= 1000
    assert len(set(schema.texts)) == len(set(schema.names)) == len(schema)


@LOGS
def test_no_leftovers_carry_more_than_one_hundredth(made: Any) -> None:
    events, customers, now = made()
    scorer = JourneyScorer().fit(events, customers, now)
    people = sorted(set(events["profile_id"]))
    coded = scorer.scales_.code_sparse(scorer.columns(events, people, now)[0])

    groups, loud = loudness(scorer.learned_.model, scorer.scales_, coded)

    left = [n for n, group in enumerate(groups) if LEFTOVERS.search(group)]
    assert loud.sum() > 0
    assert loud[left].sum() <= MOST * loud.sum()


WORDS = st.text(st.sampled_from("ab_ /:"), max_size=6) | st.sampled_from(["custom", "page_view"])


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=8))
def test_no_two_columns_are_told_in_the_same_words(told: list[tuple[str, str, str]]) -> None:
    rows = [
        event("p", START, f"/{page}", code=word, form=word, utm_source=source, device=source)
        for word, page, source in told
    ]

    schema: Schema = learn_schema(read_events(rows))

    assert len(set(schema.texts)) == len(schema)


@pytest.mark.parametrize(
    ("url", "family"),
    [
        ("/search/shoes?q=1", "search"),
        ("/4711", "numbered"),
        ("/pricing/x", "pricing"),
        ("//", "home"),
    ],
)
def test_a_page_of_no_known_kind_goes_by_its_first_folder(url: str, family: str) -> None:
    assert family_of(url) == family


def _at(now: str, count: int) -> Any:
    return np.full(count, read_time(now))
