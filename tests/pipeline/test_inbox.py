"""Deliveries are split and worked off; what makes no sense is put aside and the rest flows."""

from __future__ import annotations

import json

import pytest

from connector.domain.facts import AccountId, ConnectionId
from connector.pipeline.drain import drain
from connector.pipeline.split import split
from connector.store import tables as t
from connector.stored import Connection, Parcel
from tests.pipeline.acts import interrupt, lead
from tests.pipeline.crm import APP, PORTAL
from tests.pipeline.house import ACCOUNT, CONNECTION, START, House

THEIRS = ConnectionId("con_theirs")


def parked(house: House) -> list[str]:
    rows = [*house.rows(t.event, state="parked"), *house.rows(t.delivery, state="parked")]
    return [row.reason for row in rows]


def test_a_delivery_s_body_is_deleted_once_it_is_split(either: House) -> None:
    either.crm.create("11", email="a@x.io")

    either.hear()

    assert [(row.state, row.body) for row in either.rows(t.delivery)] == [("done", None)]


def test_the_same_event_in_two_deliveries_is_one_event(either: House) -> None:
    either.crm.create("11", email="a@x.io")
    rows = either.crm.told()
    again = [row | {"attemptNumber": 1, "subscriptionId": 9} for row in rows]

    either.hear(rows)
    either.hear(again)

    assert len(either.rows(t.event)) == len(rows)


def test_an_event_that_breaks_is_put_aside_and_the_rest_flows(house: House) -> None:
    house.crm.create("11", email="a@x.io", lifecyclestage="lead")
    house.crm.create("12", email="b@x.io", lifecyclestage="customer")
    house.keep(house.crm.told())
    split(house.services)
    with house.store.database.writing() as tx:
        row = tx.execute(t.event.select().where(t.event.c.happening == "changed")).first()
        assert row is not None
        tx.execute(t.event.update().where(t.event.c.id == row.id).values(data={"no": "field"}))

    house.run()

    assert parked(house) == ["KeyError"]
    assert (house.slot("11"), house.slot("12")) == (3, 8)


def test_a_value_that_no_database_keeps_is_put_aside(either: House) -> None:
    lead(either)
    either.crm.edit("11", lifecyclestage="customer")
    rows = either.crm.told()
    odd = dict(rows[0], propertyValue="a\x00b", eventId=1), dict(rows[0], propertyValue="\ud800")

    either.hear([*odd, *rows])

    assert len(parked(either)) == 2
    assert either.slot("11") == 8


def test_a_row_that_is_no_event_is_put_aside_alone(either: House) -> None:
    either.crm.create("11", email="a@x.io")
    rows = either.crm.told()

    either.hear([*rows, {"portalId": int(PORTAL), "subscriptionType": "contact.creation"}, 7])  # type: ignore[list-item]

    assert len(parked(either)) == 2
    assert either.slot("11") == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"not json", b"\xff\xfe", b'{"a":', b"[" * 100_000 + b"]" * 100_000, b'"text"'],
)
def test_a_body_that_is_no_json_is_put_aside_with_its_bytes(house: House, body: bytes) -> None:
    house.keep(body)

    house.drain()

    assert len(parked(house)) == 1
    assert house.rows(t.delivery)[0].body == body


def test_events_of_another_portal_are_put_aside(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    rows = house.crm.told()

    house.hear([row | {"portalId": 9999} for row in rows])

    assert set(parked(house)) == {"portal 9999 is not this connection's"}
    assert house.rows(t.record) == []


def test_the_app_s_url_finds_the_connection_by_its_portal(house: House) -> None:
    house.crm.create("11", email="a@x.io")

    house.keep(house.crm.told(), None)
    house.drain()

    assert house.slot("11") == 3


def test_the_app_s_url_puts_an_unknown_portal_aside_and_takes_the_rest(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    rows = house.crm.told()

    house.keep([*rows, rows[0] | {"portalId": 9999}], None)
    house.drain()

    assert parked(house) == ["no connection for portal 9999"]
    assert house.slot("11") == 3


def test_a_portal_that_is_connected_later_gets_what_was_kept_for_it(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    rows = [row | {"portalId": 77} for row in house.crm.told()]
    house.keep(rows, None)
    house.drain()
    house.connect(ConnectionId("con_2"), "77")

    with house.store.writing() as unit:
        unit.split_again(unit.parked_deliveries(None))
    house.drain()

    assert parked(house) == []
    assert house.profile_of("11", ConnectionId("con_2"))


def test_the_url_of_one_account_reaches_nothing_of_another(house: House) -> None:
    with house.store.writing() as unit:
        unit.add_account("theirs", ("acc_2", "hash2", "seal2"), START)
        draft = Connection(
            *(THEIRS, AccountId("acc_2"), "hubspot", "77", APP), *("", "v3", "active", "", 0)
        )
        unit.connect(draft, {"client_secret": "s2"}, None, START)
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")

    body = json.dumps(house.crm.told()).encode()
    house.store.keep(Parcel("hubspot", ("acc_2", THEIRS), body, START))
    house.run()
    drain(house.services, AccountId("acc_2"))

    assert house.slot("11") == 3
    assert {row.account_id for row in house.rows(t.event, state="parked")} == {"acc_2"}


def test_a_connection_that_is_gone_does_not_stop_the_others_deliveries(house: House) -> None:
    house.store.keep(Parcel("hubspot", (ACCOUNT, "con_gone"), b"[{}]", START))
    house.store.keep(Parcel("unheard-of", (ACCOUNT, CONNECTION), b"[]", START))
    house.crm.create("11", email="a@x.io")

    house.hear()

    assert house.slot("11") == 3
    assert len(parked(house)) == 2


def test_unknown_kinds_of_events_are_kept_without_effect(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    rows = house.crm.told()
    strange = rows[0] | {"subscriptionType": "conversation.newMessage", "objectId": 5}

    house.hear([strange, rows[0] | {"subscriptionType": "ticket.creation"}])

    assert {row.state for row in house.rows(t.event)} == {"done"}
    assert house.rows(t.record) == []


def test_ten_thousand_events_in_one_delivery_flow(house: House) -> None:
    at = int(START.timestamp() * 1000)
    rows = [
        {
            "portalId": int(PORTAL),
            "subscriptionType": "ticket.creation",
            "objectId": number + 1,
            "occurredAt": at,
        }
        for number in range(10_000)
    ]

    house.hear(rows)

    assert {row.state for row in house.rows(t.event)} == {"done"}


def test_what_was_put_aside_is_worked_off_when_replayed(house: House) -> None:
    lead(house)
    house.crm.edit("11", lifecyclestage="customer")

    def poison() -> None:
        raise ValueError

    interrupt(house, poison)
    house.hear()
    assert parked(house) == ["ValueError"]

    with house.store.writing() as unit:
        assert unit.replay_events(ACCOUNT, unit.parked_events(ACCOUNT)) == 1
    house.run()

    assert house.slot("11") == 8
    assert parked(house) == []


def test_work_left_by_a_dead_worker_is_found_in_the_rows(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    house.keep(house.crm.told())
    now = house.clock.now()

    found = []
    for job in (
        lambda: split(house.services),
        lambda: drain(house.services, ACCOUNT),
        house.deliver,
    ):
        with house.store.reading() as unit:
            found += unit.due(now, now)
        job()

    assert found == [("split", "all"), ("drain", ACCOUNT), ("deliver", CONNECTION)]
