from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.building import build, build_from_days
from scorer.days import day_buckets
from scorer.events import Events, read_events, read_time
from scorer.features import Schema, learn_schema
from scorer.pages import family_of, path_of
from tests.scorer.people import START, event

NOW = START + timedelta(days=40, hours=11)
URLS = ["https://x.example/", "https://x.example/pricing", "/docs/api?x=1", "/pricing/4711", ""]
EVENTS = st.lists(
    st.builds(
        lambda profile, minutes, late, url, kind: event(
            profile,
            START + timedelta(minutes=minutes),
            url,
            received_at=(START + timedelta(minutes=minutes + late)).isoformat(),
            type=kind,
            code="trial" if kind == "custom" else "",
            active_s=minutes % 90,
        ),
        profile=st.sampled_from(["a", "b", "c"]),
        minutes=st.integers(0, 45 * 1440) | st.integers(39 * 1440, 41 * 1440),
        late=st.sampled_from([0, 0, 0, 5, 3000]),
        url=st.sampled_from(URLS),
        kind=st.sampled_from(["page_view", "custom", "form_submitted"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(EVENTS)
def test_days_and_todays_events_say_the_same_as_all_events(rows: list[dict[str, Any]]) -> None:
    log, now = read_events(rows), read_time(NOW)
    schema = learn_schema(log)
    people = ["a", "b", "c", "who never came"]

    whole = _now(log.before(now), schema, people)
    today = log.before(now).keep(log.before(now).occurred >= now // _DAY * _DAY)
    by_days = build_from_days(today, schema, people, now, day_buckets(log, now))

    assert (whole == by_days.toarray()).all()


@settings(max_examples=40)
@given(EVENTS)
def test_an_event_after_the_landmark_changes_nothing(rows: list[dict[str, Any]]) -> None:
    log = read_events(rows)
    now = read_time(NOW)
    schema = learn_schema(log)

    known = [row for row in rows if max(row["occurred_at"], row["received_at"]) < NOW.isoformat()]

    seen = _now(read_events(known), schema, ["a", "b", "c"]) if known else 0
    told = build(log, schema, log.find(["a", "b", "c"]), np.full(3, now)).toarray()
    assert (told == seen).all()


@settings(max_examples=20)
@given(EVENTS)
def test_columns_hold_whole_numbers(rows: list[dict[str, Any]]) -> None:
    log = read_events(rows)

    told = _now(log, learn_schema(log), ["a", "b", "c"])

    assert (told == np.floor(told)).all()
    assert told.min() >= 0


def test_an_event_at_the_landmark_itself_is_too_late() -> None:
    log = read_events([event("a", START, "/pricing"), event("a", NOW, "/pricing")])

    assert _count(log, "page:pricing|count_1000000") == 1


def test_what_came_in_late_is_not_known_before() -> None:
    late = (NOW + timedelta(hours=1)).isoformat()
    log = read_events([event("a", START, "/pricing"), event("a", START, "/docs", received_at=late)])

    assert _count(log, "page:docs|count_1000000") == 0


def test_windows_are_days_of_the_calendar() -> None:
    log = read_events(
        [event("a", NOW - timedelta(days=days), "/pricing") for days in (0.1, 2, 6, 29)]
    )

    counts = {days: _count(log, f"page:pricing|count_{days}") for days in (1, 3, 7, 30, 90)}

    assert counts == {1: 1, 3: 2, 7: 3, 30: 4, 90: 4}


def test_a_robot_counts_as_twenty_a_day() -> None:
    log = read_events([event("a", START + timedelta(seconds=n), "/pricing") for n in range(500)])

    assert _count(log, "page:pricing|count_1000000") == 20


def test_what_sales_wrote_is_no_journey() -> None:
    rows = [event("a", START, "", type="stage_changed"), event("a", START, "", type="page_view")]

    assert len(read_events(rows)) == 1


def test_every_column_has_a_name_a_group_and_a_text() -> None:
    schema = learn_schema(read_events([event("a", START, "/pricing", code="trial_click")]))

    texts = dict(zip(schema.names, zip(schema.groups, schema.texts, strict=True), strict=True))

    assert texts["page:pricing|count_7"] == (
        "Pages: pricing",
        "views of pricing pages, last 7 days",
    )
    assert texts["code:trial_click|since_last"][0] == "Event trial click"
    assert len(texts) == len(schema)


def test_a_busy_log_tells_something_in_a_thousand_columns() -> None:
    chance = np.random.default_rng(0)
    pages = [f"/{name}/{n}x" for name in ("pricing", "docs", "blog", "product") for n in range(5)]
    rows = [
        event(
            f"p{chance.integers(50)}",
            START + timedelta(minutes=int(chance.integers(40 * 1440))),
            str(chance.choice(pages)),
            type=str(chance.choice(["page_view", "custom", "form_submitted"])),
            code=f"code_{chance.integers(25)}",
        )
        for _ in range(4000)
    ]
    log = read_events(rows)

    told = _now(log, learn_schema(log), list(log.profiles))

    assert ((told != 0).any(axis=0)).sum() > 1000


def test_a_page_is_known_by_its_path() -> None:
    assert family_of("https://x.example/pricing?plan=2#top") == "pricing"
    assert family_of("https://x.example/") == "home"
    assert path_of("https://x.example/Orders/4711/view/deep/er") == "/orders/*/view"


_DAY = 86_400_000_000


def _now(log: Events, schema: Schema, people: list[str]) -> Any:
    return build(log, schema, log.find(people), np.full(len(people), read_time(NOW))).toarray()


def _count(log: Events, column: str) -> int:
    schema = learn_schema(log)
    return int(_now(log, schema, ["a"])[0, schema.names.index(column)])
