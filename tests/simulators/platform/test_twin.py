"""The platform twin: the same journeys for the same seed, signed posts, retries, an ear."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from simulators.platform.receiver import Receiver, listening
from simulators.platform.sender import Sender
from simulators.platform.signatures import fault, headers, signature
from simulators.platform.visitors import journeys

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_b3RoZXIgc2VjcmV0"
START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def ear() -> Iterator[Receiver]:
    with listening(SECRET) as receiver:
        yield receiver


def sender(ear: Receiver, **more: Any) -> Sender:
    """Return a sender that does not wait."""
    return Sender(ear.url, [SECRET], pause=lambda _: None, **more)


def ids(ear: Receiver) -> list[str]:
    """Return the ids of the events that were taken."""
    return [event["id"] for post in ear.taken for event in json.loads(post.body)["events"]]


def test_it_signs_as_the_specifications_example() -> None:
    told = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_seed_tells_the_same_journeys() -> None:
    assert journeys(1, 30, START) == journeys(1, 30, START)
    assert journeys(1, 30, START) != journeys(2, 30, START)


def test_a_visitor_is_identified_and_verified_once_and_told_of_in_order() -> None:
    events = journeys(3, 300, START)
    once = Counter(
        (event["visitor"]["device_id"], event["type"])
        for event in events
        if event["type"] in {"identity_conversion", "verified_conversion"}
    )

    assert max(once.values()) == 1
    assert len({event["id"] for event in events}) == len(events)
    assert events == sorted(events, key=lambda event: event["occurred_at"])
    assert {"page_view", "engagement", "incentive_claimed", "opt_out", "stage_changed"} <= {
        event["type"] for event in events
    }


def test_what_is_sent_arrives_signed(ear: Receiver) -> None:
    events = journeys(1, 10, START)

    sender(ear).send(events)

    assert ids(ear) == [event["id"] for event in events]
    assert {post.fault for post in ear.posts} == {""}


def test_on_demand_events_come_twice_and_in_another_order(ear: Receiver) -> None:
    events = journeys(1, 10, START)

    sender(ear).send(events, doubled=0.5, shuffled=7)

    assert set(ids(ear)) == {event["id"] for event in events}
    assert len(ids(ear)) > len(events)
    assert ids(ear) != [event["id"] for event in events]


def test_what_is_not_taken_is_sent_again_with_the_same_id(ear: Receiver) -> None:
    ear.failing = [500, 429, 503]
    posting = sender(ear)

    assert posting.deliver(b"{}") == 202
    assert [post.status for post in ear.posts] == [500, 429, 503, 202]
    assert len({post.name for post in ear.posts}) == 1


def test_a_no_is_final(ear: Receiver) -> None:
    posting = Sender(ear.url, [OTHER], pause=lambda _: None)

    assert posting.deliver(b"{}") == 401
    assert posting.refused == [401]
    assert [post.fault for post in ear.posts] == ["no signature fits"]


def test_what_is_never_answered_is_given_up() -> None:
    with listening(SECRET) as gone:
        url = gone.url
    posting = Sender(url, [SECRET], backoff=(0.0,), pause=lambda _: None)

    assert posting.deliver(b"{}") == 0
    assert (posting.posts, posting.taken, posting.refused) == (2, 0, [0])


def test_the_ear_sees_an_id_again(ear: Receiver) -> None:
    ear.take("/", headers([OTHER, SECRET], "m1", datetime.now(UTC).timestamp(), b"x"), b"x")
    ear.take("/", headers([SECRET], "m1", datetime.now(UTC).timestamp(), b"x"), b"x")

    assert [post.again for post in ear.posts] == [False, True]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"webhook-id": ""}, "a header is missing"),
        ({"webhook-timestamp": "0"}, "the timestamp is off"),
        ({"webhook-id": "m2"}, "no signature fits"),
    ],
)
def test_the_ear_says_what_is_wrong(change: dict[str, str], told: str) -> None:
    sent = headers([SECRET], "m1", 1000.0, b"x")

    assert fault(SECRET, sent, b"x", 1000.0) == ""
    assert fault(SECRET, {**sent, **change}, b"x", 1000.0) == told
