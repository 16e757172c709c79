"""Moves are told to the platform: in order, again until taken, never of an erased person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.errors import ConfigurationRefused, CrmDown, CrmRefused, NotFound
from connector.domain.facts import ConnectionId
from connector.pipeline import notifying
from connector.pipeline.backfilling import backfill
from connector.pipeline.forgetting import erase
from connector.ports_platform import Message, Reply
from connector.store.ledgers import notice, notice_target
from connector.store.tables_journeys import alias
from connector.stored import Connection
from tests.pipeline.acts import lead
from tests.pipeline.house import ACCOUNT, CONNECTION, START, House, quick_house

PLATFORM = ConnectionId("con_platform")
MQL = "marketingqualifiedlead"
some = settings(max_examples=settings().max_examples // 5)


class FakeCourier:
    """A place that takes what it is sent, unless it is told to do otherwise first."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, dict[str, Any]]] = []
        self.script: list[Reply | Exception] = []

    def fault(self, url: str) -> str:
        return "" if url.startswith("https://") else f"{url} is no https address"

    def secret(self, given: str = "") -> str:
        return given or "whsec_made"

    def tell(self, _url: str, _secret: str, message: Message) -> Reply:
        self.sent.append((message, json.loads(message.body)))
        answer = self.script.pop(0) if self.script else Reply(204)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def slots(self) -> list[tuple[int | None, int]]:
        return [(body["from"], body["to"]) for _, body in self.sent]


def aim(house: House, *, silent: bool = False) -> FakeCourier:
    """Connect the platform and set where moves are told."""
    courier = FakeCourier()
    house.services = replace(house.services, courier=courier)
    draft = Connection(*(PLATFORM, ACCOUNT, "platform", "ours", ""), *("", "v1", "active", "", 0))
    with house.store.writing() as unit:
        connection = unit.connect(draft, {}, None, START)
    url = "https://hooks.example/in"
    notifying.aim(house.services, connection, url, "", silent=silent)
    return courier


def knows(house: House, profile: str, **names: str) -> None:
    """Have the platform know a profile by some names."""
    rows = [
        {"account_id": ACCOUNT, "kind": kind, "value": value, "profile_id": profile, "since": START}
        for kind, value in (names or {"device": f"dev_{profile}"}).items()
    ]
    with house.store.database.writing() as tx:
        tx.execute(alias.insert(), rows)


def tell(house: House) -> None:
    house.deliver(PLATFORM)


def states(house: House) -> list[str]:
    return [row.state for row in house.rows(notice)]


def test_a_move_is_told_with_the_names_that_the_platform_gave(either: House) -> None:
    profile = lead(either)
    courier = aim(either)
    knows(either, profile, device="d1", user="u1", email="ann@x.io")

    either.raise_(profile, 6)
    tell(either)

    [(message, body)] = courier.sent
    move = either.ledger(profile)[-1]
    assert body == {
        "id": message.id,
        "type": "stage_changed",
        "occurred_at": move.occurred_at.isoformat().replace("+00:00", "Z"),
        "visitor": {"device_ids": ["d1"], "user_ids": ["u1"], "email": "ann@x.io"},
        "from": 3,
        "to": 6,
        "actor": "rule",
        "move_id": f"bnb_move_{move.id}",
    }
    assert message.id.startswith("msg_")
    assert states(either) == ["sent"]


def test_who_only_the_crm_knows_is_not_told_of(house: House) -> None:
    profile = lead(house)
    courier = aim(house)

    house.move(profile, 6)
    tell(house)

    assert (courier.sent, states(house)) == ([], ["dropped"])


def test_a_move_is_told_again_under_the_same_id_until_it_is_taken(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    courier.script = [CrmDown("away"), Reply(500), Reply(404), Reply(204)]
    house.move(profile, 6)

    for _ in range(6):
        tell(house)
        house.clock.pass_(61)

    assert [message.id for message, _ in courier.sent] == [courier.sent[0][0].id] * 4
    assert states(house) == ["sent"]


def test_nothing_overtakes_the_move_before_of_the_same_visitor(house: House) -> None:
    one, two = lead(house), lead(house, "12")
    courier = aim(house)
    for profile in (one, two):
        knows(house, profile)
    courier.script = [Reply(400)]
    house.move(one, 6)
    house.move(one, 4)
    house.move(two, 5)

    tell(house)
    assert courier.slots() == [(3, 6), (3, 5)]
    house.clock.pass_(2)
    tell(house)

    assert courier.slots()[2:] == [(3, 6), (6, 4)]


def test_where_nobody_answers_not_everything_is_tried(house: House) -> None:
    profiles = [lead(house, record) for record in ("11", "12", "13")]
    courier = aim(house)
    for profile in profiles:
        knows(house, profile)
        house.move(profile, 6)
    courier.script = [CrmDown("away")]

    tell(house)
    tell(house)

    assert len(courier.sent) == 1
    house.clock.pass_(5)
    tell(house)
    assert states(house) == ["sent"] * 3


def test_a_gone_receiver_is_left_alone_until_the_target_is_set_again(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    courier.script = [Reply(410)]
    house.move(profile, 6)
    tell(house)
    assert states(house) == ["parked"]

    with house.store.reading() as unit:
        connection = unit.connection(PLATFORM)
    notifying.aim(house.services, connection, "https://new.example/", "", silent=False)
    tell(house)

    assert states(house) == ["sent"]


def again(house: House) -> None:
    """Set the same target once more."""
    with house.store.reading() as unit:
        connection = unit.connection(PLATFORM)
    notifying.aim(house.services, connection, "https://hooks.example/in", "", silent=False)
    tell(house)


def test_what_was_put_aside_does_not_come_after_what_was_told_since(house: House) -> None:
    one, two = lead(house), lead(house, "12")
    courier = aim(house)
    for profile in (one, two):
        knows(house, profile)
    courier.script = [Reply(410), Reply(410)]
    house.move(one, 6)
    house.move(two, 5)
    tell(house)
    house.move(one, 4)
    tell(house)

    again(house)

    assert courier.slots() == [(3, 6), (3, 5), (6, 4), (3, 5)]
    assert [row.reason for row in house.rows(notice, state="dropped")] == ["overtaken"]


def test_what_waits_for_a_target_that_is_gone_is_dropped(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    house.move(profile, 6)
    with house.store.database.writing() as tx:
        tx.execute(notice_target.delete())

    tell(house)

    assert (courier.sent, states(house)) == ([], ["dropped"])


def test_a_forbidden_place_is_tried_until_it_is_put_aside(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    courier.script = [CrmRefused("inside a network")] * 30
    house.move(profile, 6)

    for _ in range(25):
        tell(house)
        house.clock.pass_(3600)

    assert (len(courier.sent), states(house)) == (20, ["parked"])


def test_an_opt_out_is_told_and_nothing_that_waited_before_it(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    house.move(profile, 6)
    house.crm.edit("11", hs_email_optout="true")
    house.hear()

    tell(house)

    assert courier.slots() == [(6, 10)]


def test_nothing_is_told_of_an_erased_person(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    house.move(profile, 6)
    assert states(house) == ["pending"]

    erase(house.services, ACCOUNT, profile)
    tell(house)

    assert (courier.sent, house.rows(notice)) == ([], [])


@pytest.mark.parametrize(("silent", "told"), [(False, []), (True, [(3, 6)])])
def test_a_silent_move_is_told_where_that_is_wanted(
    house: House, *, silent: bool, told: Iterable[Any]
) -> None:
    profile = lead(house)
    courier = aim(house, silent=silent)
    knows(house, profile)
    house.crm.edit("11", lifecyclestage=MQL)
    house.crm.told()

    backfill(house.services, CONNECTION, lambda _kind, _count: None)
    house.drain()
    tell(house)

    assert courier.slots() == list(told)


def test_a_late_event_that_moves_nobody_is_not_told(house: House) -> None:
    profile = lead(house)
    courier = aim(house)
    knows(house, profile)
    house.clock.pass_(60)
    house.crm.edit("11", lifecyclestage=MQL)
    late = house.crm.told()
    house.clock.pass_(60)
    house.crm.edit("11", lifecyclestage="salesqualifiedlead")
    house.hear()

    house.hear(late)
    tell(house)

    assert courier.slots() == [(3, 4)]


def test_without_a_target_nothing_is_kept(house: House) -> None:
    profile = lead(house)
    aim(house)
    with house.store.reading() as unit:
        connection = unit.connection(PLATFORM)
    notifying.unaim(house.services, connection)

    house.move(profile, 6)

    assert house.rows(notice) == []
    with pytest.raises(NotFound):
        notifying.aimed(house.services, connection)


def test_moves_are_told_to_the_platform_only_and_over_https(house: House) -> None:
    aim(house)
    with house.store.reading() as unit:
        platform = unit.connection(PLATFORM)

    for connection, url in ((house.connection(), "https://x.example"), (platform, "http://x")):
        with pytest.raises(ConfigurationRefused):
            notifying.aim(house.services, connection, url, "", silent=False)


def test_what_waits_is_found_in_sql(house: House) -> None:
    profile = lead(house)
    aim(house)
    knows(house, profile)
    house.move(profile, 6)
    now = house.clock.now()

    with house.store.reading() as unit:
        assert ("deliver", PLATFORM) in unit.due(now, now, polls=True)
    tell(house)
    with house.store.reading() as unit:
        assert ("deliver", PLATFORM) not in unit.due(now, now, polls=True)


FATES = (Reply(204), Reply(500), Reply(404), CrmDown("away"), CrmRefused("inside"))


@some
@given(
    st.lists(st.tuples(st.sampled_from(["11", "12"]), st.integers(4, 7)), max_size=8),
    st.lists(st.sampled_from(FATES), max_size=8),
)
def test_however_it_fails_every_move_arrives_once_and_in_order(
    deeds: list[tuple[str, int]], fates: list[Reply | Exception]
) -> None:
    with quick_house() as house:
        profiles = {record: lead(house, record) for record in ("11", "12")}
        courier = aim(house)
        for profile in profiles.values():
            knows(house, profile)
        courier.script = list(fates)
        for record, goal in deeds:
            house.move(profiles[record], goal)
            tell(house)
            house.clock.pass_(1)
        for _ in range(len(fates) + 2):
            house.clock.pass_(timedelta(hours=1).total_seconds())
            tell(house)

        once = {message.id: body for message, body in courier.sent}.values()
        for profile in profiles.values():
            told = [b["move_id"] for b in once if b["visitor"]["device_ids"] == [f"dev_{profile}"]]
            moves = house.ledger(profile)[1:]
            assert told == [f"bnb_move_{move.id}" for move in moves]
        assert set(states(house)) <= {"sent"}
