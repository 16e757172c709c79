from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.platform import read
from connector.domain.errors import Unreadable
from connector.domain.journeys import Alias, JourneyEvent, Known
from connector.mapping.journey_words import Words
from connector.ports import Unread

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
WHOLE: dict[str, Any] = {
    "id": "evt_1",
    "type": "page_view",
    "occurred_at": "2026-05-04T12:00:00Z",
    "visitor": {
        "device_id": "5f1d7a0e9b3c2d4e6f8a9b0c",
        "user_id": "u1",
        "email": "Ada@Example.com",
        "state": "identified",
        "lead_stage": 5,
        "first_name": "Ada",
        "company": "Acme",
    },
    "page": {"url": "https://acme.example/pricing", "title": "Pricing"},
    "form": {"id": "f1", "name": "Demo"},
    "origin": {"referrer": "https://search.example", "utm_source": "news"},
    "client": {"country": "CA", "device": "phone"},
    "engagement": {"scroll_px": 300, "active_s": 4.5, "reached_end": True},
}


def one(document: object, words: Words | None = None) -> JourneyEvent:
    """Return the one event of a document."""
    (event,) = read(json.dumps(document).encode(), NOW, words or Words())
    assert isinstance(event, JourneyEvent), event
    return event


def why(document: object) -> str:
    """Return why the one part of a document was not read."""
    _, part = read(json.dumps([event(), document]).encode(), NOW, Words())
    assert isinstance(part, Unread), part
    return part.reason


def event(**more: Any) -> dict[str, Any]:
    return {"id": "evt_2", "type": "page_view", "visitor": {"device_id": "d1"}, **more}


def test_an_event_is_read_in_our_words() -> None:
    found = one(WHOLE)

    assert found == JourneyEvent(
        "evt_1",
        "page_view",
        datetime(2026, 5, 4, 12, tzinfo=UTC),
        device_id="5f1d7a0e9b3c2d4e6f8a9b0c",
        user_id="u1",
        email="ada@example.com",
        known=Known.IDENTIFIED,
        lead_stage=5,
        url="https://acme.example/pricing",
        title="Pricing",
        form_id="f1",
        form_name="Demo",
        origin={"referrer": "https://search.example", "utm_source": "news"},
        person={"first_name": "Ada", "company": "Acme"},
        client={"country": "CA", "device": "phone"},
        engagement={"scroll_px": 300.0, "active_s": 4.5, "reached_end": 1.0},
    )


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([event(id="a"), event(id="b")]),
        json.dumps({"events": [event(id="a"), event(id="b")]}),
        json.dumps(event(id="a")) + "\n\n" + json.dumps(event(id="b")) + "\r\n",
        json.dumps([event(id="a")]) + "\n" + json.dumps({"events": [event(id="b")]}),
        json.dumps(event(id="a")) + "\n[]\n" + json.dumps([event(id="b")]),
        "\ufeff" + json.dumps([event(id="a"), event(id="b")], indent=2),
    ],
)
def test_several_events_come_in_any_of_the_shapes(body: str) -> None:
    assert [part.key for part in read(body.encode(), NOW, Words())] == ["a", "b"]


@pytest.mark.parametrize("name", ["visitor[email]", "visitor.email"])
def test_a_form_is_read_as_a_tree(name: str) -> None:
    body = urlencode({"type": "contact_us", name: "Ada@example.com", "visitor[lead_stage]": "6"})

    (found,) = read(body.encode(), NOW, Words())

    assert isinstance(found, JourneyEvent)
    assert (found.type, found.email, found.lead_stage) == ("contact_us", "ada@example.com", 6)


def test_a_form_of_one_field_may_hold_a_document() -> None:
    body = urlencode({"payload": json.dumps({"events": [event(id="a"), event(id="b")]})})

    assert [part.key for part in read(body.encode(), NOW, Words())] == ["a", "b"]


def test_a_part_that_makes_no_sense_is_parked_and_the_rest_flows() -> None:
    lines = [json.dumps(event(id="a")), "{broken", "7", json.dumps(event(id="b"))]

    parts = read("\n".join(lines).encode(), NOW, Words())

    assert [type(part) for part in parts] == [JourneyEvent, Unread, Unread, JourneyEvent]
    assert [p.raw for p in parts if isinstance(p, Unread)] == ["{broken", "7"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (event(visitor={}), "it names nobody"),
        (event(visitor={"email": "ada"}), "it names nobody"),
        ({**event(), "type": ["page_view"]}, "it has no type"),
        ({**event(), "type": "x" * 101}, "it has no type"),
        (event(occurred_at="last week"), "occurred_at is no sane time"),
        (event(occurred_at="0001-01-01T00:00:00+14:00"), "occurred_at is no sane time"),
        (event(occurred_at=True), "occurred_at is no sane time"),
        (event(occurred_at={"at": 1}), "occurred_at is no sane time"),
    ],
)
def test_what_makes_no_sense_says_why(part: object, reason: str) -> None:
    assert why(part).startswith(reason)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"hello", b"\xff\xfe", b"7", b'"text"', b"{" * 100_000, b"[" * 100_000]
)
def test_a_body_that_nobody_can_tell_apart_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body, NOW, Words())


def test_a_body_of_which_no_part_makes_sense_is_kept_whole_to_be_read_again() -> None:
    body = json.dumps([{"event": {"type": "x"}, "user": {"mail": "a@b.c"}}] * 2).encode()
    words = Words({"type": ("event", "type"), "email": ("user", "mail")})

    with pytest.raises(Unreadable, match=r"no event can be read: it has no type.*replay inbox"):
        read(body, NOW, Words())
    assert [type(part) for part in read(body, NOW, words)] == [JourneyEvent, JourneyEvent]


@pytest.mark.parametrize("body", [json.dumps([event()] * 1001).encode(), b"x\n" * 1001])
def test_a_body_of_more_than_a_thousand_events_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="1001 events"):
        read(body, NOW, Words())


@pytest.mark.parametrize(
    ("told", "stage"),
    [(1, 1), ("10", 10), (0, None), (11, None), (True, None), ("true", None), (5.5, None)],
)
def test_a_lead_stage_is_one_of_ten(told: object, stage: int | None) -> None:
    assert one(event(visitor={"device_id": "d", "lead_stage": told})).lead_stage == stage


def test_unknown_types_and_fields_are_kept() -> None:
    found = one(event(type="danced", mood="good", visitor={"device_id": "d1", "shoes": 42}))

    assert found.type == "danced"
    assert found.more == {"mood": "good", "visitor": {"shoes": 42}}


def test_what_is_not_of_its_kind_is_kept_as_it_came() -> None:
    visitor = {"device_id": "d1", "email": ["a@b.c"], "lead_stage": 99, "user_id": "u" * 201}

    found = one(event(visitor=visitor, page="home", engagement={"clicks": "many"}))

    assert found.aliases == (Alias("device", "d1"),)
    assert found.lead_stage is None
    assert found.more == {
        "visitor": {"email": ["a@b.c"], "lead_stage": 99, "user_id": "u" * 201},
        "page": "home",
        "engagement": {"clicks": "many"},
    }


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-05-04T12:00:00", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04T14:00:00+02:00", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04t12:00:00z", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        (1777896000, datetime(2026, 5, 4, 12, tzinfo=UTC)),
        (1777896000000, datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("1777896000", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        (None, NOW),
    ],
)
def test_a_time_may_be_told_in_several_ways(told: object, moment: datetime) -> None:
    assert one(event(occurred_at=told)).occurred_at == moment


def test_the_future_is_drawn_back_and_what_was_told_is_kept() -> None:
    found = one(event(occurred_at="2099-01-01T00:00:00Z"))

    assert found.occurred_at == NOW + timedelta(minutes=5)
    assert found.more == {"occurred_at": "2099-01-01T00:00:00Z"}


def test_an_event_without_an_id_has_the_same_key_whenever_and_wherever_it_comes() -> None:
    plain = {name: value for name, value in WHOLE.items() if name != "id"}
    turned = dict(reversed(plain.items()))

    (later,) = read(json.dumps(turned).encode(), NOW + timedelta(days=1), Words())

    assert later.key == one([plain]).key
    assert later.key != one({**plain, "code": "x"}).key


def test_an_id_of_any_length_makes_a_key_that_an_index_takes() -> None:
    assert one(event(id="i" * 5000)).key != one(event(id="i" * 5001)).key
    assert len(one(event(id="i" * 5000)).key) == 64


@pytest.mark.parametrize(
    ("kind", "visitor", "known"),
    [
        ("page_view", {"device_id": "d"}, Known.ANONYMOUS),
        ("page_view", {"email": "a@b.c"}, Known.IDENTIFIED),
        ("page_view", {"email": "a@b.c", "state": "anonymous"}, Known.IDENTIFIED),
        ("opt_out", {"email": "a@b.c"}, Known.ANONYMOUS),
        ("opt_out", {"email": "a@b.c", "state": "identified"}, Known.IDENTIFIED),
        ("authentication", {"device_id": "d"}, Known.VERIFIED),
        ("authentication", {"device_id": "d", "state": "identified"}, Known.IDENTIFIED),
        ("page_view", {"device_id": "d", "state": " Verified"}, Known.VERIFIED),
        ("page_view", {"device_id": "d", "state": ["verified"]}, Known.ANONYMOUS),
    ],
)
def test_how_well_a_visitor_is_known(kind: str, visitor: dict[str, Any], known: Known) -> None:
    assert one(event(type=kind, visitor=visitor)).known is known


def test_the_words_of_a_connection_say_where_to_look_and_what_a_code_means() -> None:
    words = Words(
        fields={
            "id": ("event", "id"),
            "type": ("event", "type"),
            "code": ("event", "code"),
            "email": ("user", "email_address"),
            "utm_source": ("user", "origin", "utm_source"),
        },
        types={"billing_page": "page_view"},
    )
    body = {
        "event": {"id": "e1", "type": "custom", "code": "billing_page", "name": "Pricing"},
        "user": {"email_address": "Ada@B.co", "origin": {"utm_source": "news"}},
    }

    found = one(body, words)

    assert (found.key, found.type, found.code) == ("e1", "page_view", "billing_page")
    assert (found.email, found.origin) == ("ada@b.co", {"utm_source": "news"})
    assert found.more == {"event": {"name": "Pricing"}}


def test_a_type_of_theirs_that_is_one_of_ours_stays_as_the_code() -> None:
    found = one(event(type="PageVisited"), Words(types={"PageVisited": "page_view"}))

    assert (found.type, found.code) == ("page_view", "PageVisited")


def test_an_event_with_a_code_alone_is_a_custom_one() -> None:
    assert one({"code": "trial_click", "visitor": {"device_id": "d"}}).type == "custom"


def test_no_text_carries_what_a_database_refuses() -> None:
    found = one(event(code="a\0b\ud800", page={"url": "u\0", "title": "\udfff"}, x={"\0": "\0"}))

    assert (found.code, found.url, found.title) == ("ab", "u", "")
    assert found.more == {"page": {"title": ""}, "x": {"": ""}}


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["page_view", "a@b.c", "2026-05-04", "1e999", "\ud800", "9" * 50])
)
TREES = st.recursive(
    LEAVES,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WHOLE, *WHOLE["visitor"], "url", "\0"]), inside, max_size=5
        )
    ),
    max_leaves=12,
)
BODIES = (
    st.binary(max_size=60)
    | TREES.map(lambda tree: json.dumps(tree).encode())
    | st.lists(TREES, max_size=4).map(
        lambda trees: "\n".join(json.dumps(one) for one in trees).encode()
    )
    | st.text("ab=&.[]%7B{\"'", max_size=30).map(str.encode)
)


@given(body=BODIES, known=TREES)
def test_junk_never_raises_anything_but_unreadable(body: bytes, known: object) -> None:
    some = event(**known) if isinstance(known, dict) else event(x=known)
    words = Words({"origin": ("visitor",), "email": ("origin", "email"), "id": ("id", "id")})
    for sent in (body, json.dumps(some).encode()):
        for chosen in (Words(), words):
            try:
                parts = read(sent, NOW, chosen)
            except Unreadable:
                continue
            for part in parts:
                assert part.key
                json.dumps(getattr(part, "more", None), allow_nan=False)
                "".join((part.key, *_texts(part))).encode()


def _texts(part: JourneyEvent | Unread) -> list[str]:
    if isinstance(part, Unread):
        return []
    names = ("type", "code", "device_id", "user_id", "email", "url", "title", "form_id")
    return [getattr(part, name) for name in names]
