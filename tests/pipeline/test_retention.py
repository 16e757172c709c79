"""What has served its time goes; what somebody may still need stays, and nobody waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from connector.mapping.handoff import Handoff, ResetStatus
from connector.pipeline.forgetting import erase
from connector.pipeline.housekeeping import keep_house
from connector.pipeline.mentions import named
from connector.store import retention
from connector.store import rules as r
from connector.store import tables as t
from connector.store.wordings import captured
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, CONNECTION, House
from tests.pipeline.ruling import Did, Ruling

ADDRESS = "zoe@quillfeather.example"


def deliveries(house: House) -> list[tuple[str, bytes | None]]:
    return [(row.state, row.body) for row in house.rows(t.delivery)]


def days(house: House, number: float) -> None:
    house.clock.time += timedelta(days=number)


def test_what_is_done_with_goes_in_its_time(either: House) -> None:
    lead(either, "101", email="a@x.io")
    either.move(either.profile_of("101"), 6)
    either.sync()
    facts = len(either.rows(t.fact))

    days(either, 6.9)
    keep_house(either.services)
    assert either.rows(t.delivery)
    assert either.outbox(state="sent")
    days(either, 0.2)
    keep_house(either.services)

    assert [*either.rows(t.delivery), *either.rows(t.event), *either.outbox()] == []
    assert either.rows(t.written)
    days(either, 23)
    keep_house(either.services)
    assert either.rows(t.written) == []
    assert len(either.rows(t.fact)) == facts
    assert either.slot("101") == 6


def test_the_noes_of_a_rule_s_old_version_go_and_those_that_count_stay(either: House) -> None:
    ruling = Ruling(either)
    for one in ("rul_1", "rul_2"):
        ruling.rule(one, conditions={"all": [{"slot_at_least": 4}]})
    ruling.person("ann")
    either.clock.pass_(60)
    ruling.happen(Did("ann", "1", either.clock.now()))
    ruling.rule("rul_1", conditions={"all": []})
    assert len(either.rows(r.refusal)) == 2

    days(either, 91)
    keep_house(either.services)

    assert [row.rule_id for row in either.rows(r.refusal)] == ["rul_2"]
    assert either.rows(r.refusal_day)
    days(either, 730)
    keep_house(either.services)
    assert either.rows(r.refusal_day) == []


def test_captured_bodies_and_what_was_handed_over_go_in_their_time(either: House) -> None:
    either.remap(handoff=Handoff(reset_status=ResetStatus(enabled=True, value="NEW")))
    either.raise_(lead(either), 6)
    either.sync()
    with either.store.writing() as unit:
        unit.wordings.capture(either.connection(), [{"type": "text"}], either.clock.now())

    days(either, 8)
    keep_house(either.services)
    assert either.rows(captured) == []
    assert len(either.rows(t.handoff)) == 1
    days(either, 730)
    keep_house(either.services)

    assert either.rows(t.handoff) == []


def test_what_waits_or_is_held_is_never_deleted_and_what_is_parked_much_later(
    either: House,
) -> None:
    lead(either, "101", email="a@x.io")
    either.keep(b"no JSON")
    either.drain()
    either.keep([{"x": 1}])
    with either.store.database.writing() as tx:
        states = ("held", "pending", "parked")
        for row, state in zip(either.outbox(), states, strict=False):
            tx.execute(t.outbox.update().where(t.outbox.c.id == row.id).values(state=state))
    kept = {row.state for row in either.outbox()} & set(states)

    days(either, 89)
    keep_house(either.services)
    assert deliveries(either) == [("parked", b"no JSON"), ("pending", b'[{"x": 1}]')]
    assert {row.state for row in either.outbox()} == kept
    days(either, 2)
    keep_house(either.services)

    assert [state for state, _ in deliveries(either)] == ["pending"]
    assert {row.state for row in either.outbox()} == kept - {"parked"}


def test_a_large_heap_is_deleted_in_small_pieces(house: House) -> None:
    with house.store.database.writing() as tx:
        rows = [
            {"system": "x", "digest": f"{n}", "state": "done", "received_at": house.clock.time}
            for n in range(3 * retention.AT_ONCE + 7)
        ]
        tx.execute(t.delivery.insert(), rows)
    days(house, 8)
    sizes: list[int] = []

    def note(*told: Any) -> None:
        if str(told[2]).startswith("DELETE FROM delivery"):
            sizes.append(told[1].rowcount)

    event.listen(house.store.database.engine, "after_cursor_execute", note)
    keep_house(house.services)

    assert sizes == [*[retention.AT_ONCE] * 3, 7]
    assert house.rows(t.delivery) == []


def test_who_is_no_longer_the_keeper_deletes_nothing(house: House) -> None:
    assert house.store.take("housekeeping")
    house.keep(b"no JSON")
    house.drain()
    days(house, 100)

    keep_house(house.services)

    assert len(house.rows(t.delivery)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"objectId": 11987, "broken',
        b'{"email": "ZOE@quillfeather.example" oops',
        b"zoe%40quillfeather.example",
        b'"zoe\\u0040quillfeather.example"',
    ],
)
def test_a_parked_body_that_names_an_erased_person_goes_and_its_hash_stays(
    either: House, body: bytes
) -> None:
    profile = lead(either, "11987", email=ADDRESS)
    either.keep(body)
    either.keep(b"somebody else's 211987")
    either.drain()
    digests = {row.digest for row in either.rows(t.delivery)}

    erase(either.services, ACCOUNT, profile)

    left = {row.body for row in either.rows(t.delivery, state="parked")}
    assert left == {None, b"somebody else's 211987"}
    assert {row.digest for row in either.rows(t.delivery)} == digests


def test_a_body_of_nobody_is_searched_where_it_names_the_portal(house: House) -> None:
    profile = lead(house, "11987", email=ADDRESS)
    portal = house.connection().portal
    stranger = b"portal 999999 " + ADDRESS.encode()
    house.keep(f"portal {portal} {ADDRESS}".encode(), connection=None)
    house.keep(stranger, connection=None)
    house.drain()

    erase(house.services, ACCOUNT, profile)

    assert {row.body for row in house.rows(t.delivery, state="parked")} == {None, stranger}


def test_a_former_address_is_searched_too(house: House) -> None:
    profile = lead(house, "11987", email="former@x.io")
    house.clock.pass_(5)
    house.crm.edit("11987", email=ADDRESS)
    house.sync()
    house.keep(b"former@x.io broken", CONNECTION)
    house.drain()

    erase(house.services, ACCOUNT, profile)

    assert [row.body for row in house.rows(t.delivery, state="parked")] == [None]


@given(st.binary(), st.from_regex(r"\A[0-9]{1,12}\Z"), st.binary())
def test_an_id_is_found_as_a_word_in_whatever_surrounds_it(
    before: bytes, number: str, after: bytes
) -> None:
    assert named(before + b" " + number.encode() + b"," + after, [number], [])


def test_no_part_of_a_word_is_taken_for_it() -> None:
    assert not named(b"211987 119870 x11987", ["11987"], [])
    assert not named(b"x.zoe@x.io azoe@x.io zoe@x.iota", [], ["zoe@x.io"])
    assert named(b"<zoe@x.io>", [], ["zoe@x.io"])
