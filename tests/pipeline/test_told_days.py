"""Scores from day buckets are those from raw events, to the bit, whatever came when."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.pipeline.ageing import rescore
from connector.pipeline.rating import read_log
from scorer import JourneyScorer
from tests.pipeline.house import ACCOUNT, START, House, quick_house
from tests.pipeline.scored import Scored
from tests.scorer.people import AS_OF, journeys

PAGES = ("/", "/pricing", "/blog/a", "/docs")
Act = tuple[str, int, int, int, int]


@cache
def model() -> JourneyScorer:
    events, customers = journeys()
    return JourneyScorer().fit(events, customers, AS_OF)


def serve(house: House) -> None:
    scorer = model()
    with house.store.writing() as unit:
        row = {"id": "mdl_1", "account_id": ACCOUNT, "made_at": START, "state": "serving"}
        more = {"score_state": scorer.state_, "held": "", "report": {}}
        artefact = scorer.to_bytes(unit.models.key(ACCOUNT))
        unit.models.add(row | more | {"artefact": artefact})


def happen(site: Scored, act: Act) -> None:
    """Let a day pass, a visit come in (late perhaps), or a device turn out to be somebody's."""
    what, who, hours, late, page = act
    clock = site.house.clock
    clock.pass_(3600 * hours)
    if what == "visit":
        told = _event(site, f"d{who}", late, PAGES[page])
        site.keep([told])
    elif what == "joined":
        site.keep([_event(site, f"d{who}", 0, "/") | {"user_id": f"u{page % 2}"}])
    site.work()


def _event(site: Scored, device: str, late: int, page: str) -> dict[str, Any]:
    when = site.house.clock.now() - timedelta(hours=late)
    told = site.told("page_view", 0, device_id=device, url=f"https://x.example{page}")
    return told | {"occurred_at": when.isoformat(), "engagement": {"active_s": 7 * late}}


acts = st.tuples(
    st.sampled_from(["visit", "visit", "visit", "joined"]),
    *(st.integers(0, 3), st.sampled_from([0, 1, 7, 30, 90]), st.sampled_from([0, 0, 5, 40])),
    st.integers(0, 3),
)


@settings(max_examples=25)
@given(what=st.lists(acts, min_size=2, max_size=14))
def test_scores_from_buckets_are_those_from_raw_events(what: list[Act]) -> None:
    with quick_house() as house:
        serve(house)
        site = Scored(house, people=0)
        for act in what:
            happen(site, act)
        house.clock.pass_(60)
        rescore(house.services, ACCOUNT)
        site.work()

        ids = sorted(one.id for one in site.profiles())
        with house.store.reading() as unit:
            kept = {one: score.points for one, score in unit.scores.of(ACCOUNT, ids).items()}
            log = read_log(unit.scores.log(ACCOUNT))
        told = model().decision_function(log, ids, house.clock.now())
        assert kept == dict(zip(ids, told.tolist(), strict=True))
