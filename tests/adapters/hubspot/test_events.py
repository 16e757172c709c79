from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.hubspot import read_events
from connector.domain.errors import Unreadable
from connector.ports import Event, Happening, Reader, Unread

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

RECORDED = Path(__file__).parents[2] / "recorded" / "hubspot"
RECORDINGS = sorted(path for path in RECORDED.glob("*.json") if ".out" not in path.name)
NOON = datetime(2025, 3, 17, 12, 30, tzinfo=UTC)
READ: Reader = read_events


def row(**changes: object) -> dict[str, object]:
    """Return a change of a contact's stage, with changes to it; ... takes a part away."""
    whole: dict[str, object] = {
        "eventId": 9,
        "subscriptionId": 1,
        "portalId": 62515,
        "appId": 3,
        "occurredAt": 1742214467116,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": 1246965,
        "changeSource": "CRM_UI",
        "sourceId": "userId:1",
        "propertyName": "lifecyclestage",
        "propertyValue": "lead",
    }
    return {key: value for key, value in (whole | changes).items() if value is not ...}


def read(*rows: object) -> list[Event | Unread]:
    return READ(json.dumps(rows).encode(), NOON)


def as_json(found: Event | Unread) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(found), default=datetime.isoformat))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_body_reads_as_recorded(path: Path) -> None:
    found = READ(path.read_bytes(), NOON)

    assert [as_json(one) for one in found] == json.loads(path.with_suffix(".out.json").read_text())


def test_a_key_survives_redelivery() -> None:
    first, again, other = read(
        row(), row(attemptNumber=3, subscriptionId=8), row(propertyValue="customer")
    )

    assert first.key == again.key
    assert first.key != other.key


@pytest.mark.parametrize(
    "change",
    [
        {"portalId": 2},
        {"objectId": 2},
        {"eventId": 2},
        {"occurredAt": 1742214467117},
        {"propertyName": "hs_lead_status"},
        {"propertyValue": ""},
        {"subscriptionType": "company.propertyChange"},
        {"subscriptionType": "contact.creation"},
    ],
    ids=str,
)
def test_another_happening_has_another_key(change: dict[str, object]) -> None:
    one, other = read(row(), row(**change))

    assert one.key != other.key


def test_both_forms_of_a_happening_have_one_key() -> None:
    classic, generic = read(
        row(), row(subscriptionType="object.propertyChange", objectTypeId="0-1", isSensitive=False)
    )

    assert classic.key == generic.key


def test_the_end_of_a_primary_tie_does_not_hide_the_end_of_the_plain_one() -> None:
    tie = row(
        subscriptionType="contact.associationChange",
        associationType="CONTACT_TO_COMPANY",
        fromObjectId=1,
        toObjectId=2,
        associationRemoved=True,
    )
    plain, primary = read(tie, tie | {"isPrimaryAssociation": True})

    assert isinstance(plain, Event)
    assert plain.happening is Happening.LINKED
    assert plain.key != primary.key


@pytest.mark.parametrize(
    "change",
    [
        {"portalId": "62515x"},
        {"portalId": ...},
        {"portalId": True},
        {"objectId": ...},
        {"objectId": 1.0},
        {"objectId": 2**63},
        {"objectId": 0},
        {"eventId": "x"},
        {"occurredAt": ...},
        {"occurredAt": True},
        {"occurredAt": -1},
        {"occurredAt": 10**12 // 10**6},
        {"occurredAt": 10**15},
        {"occurredAt": 2**62},
        {"occurredAt": float("nan")},
        {"subscriptionType": ...},
        {"subscriptionType": 5},
        {"propertyName": ""},
        {"propertyName": ["a"]},
        {"propertyValue": [7]},
        {"propertyValue": "a\0b"},
        {"propertyValue": "\ud800"},
        {"propertyValue": "x" * 65_537},
        {"changeSource": "\udfff"},
        {"isSensitive": "yes"},
        {"subscriptionType": "object.propertyChange"},
        {"subscriptionType": "object.propertyChange", "objectTypeId": 1},
        {"subscriptionType": "contact.merge", "primaryObjectId": 1, "mergedObjectIds": [True]},
        {"subscriptionType": "contact.merge", "primaryObjectId": 1, "mergedObjectIds": [1]},
        {"subscriptionType": "contact.merge", "primaryObjectId": 1, "mergedObjectIds": 2},
        {"subscriptionType": "deal.associationChange", "fromObjectId": 1},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_bad_row_is_parked_and_the_others_flow(change: dict[str, object]) -> None:
    bad, good = read(row(**change), row())

    assert isinstance(bad, Unread)
    assert json.loads(bad.raw) is not None
    assert bad.raw.isascii()
    assert isinstance(good, Event)


def test_a_bad_row_keeps_its_key_when_it_comes_again() -> None:
    first, again, other = read(
        row(objectId=None), row(objectId=None, attemptNumber=4), row(objectId="x")
    )

    assert first.key == again.key != other.key


def test_a_parked_row_says_why_without_quoting_it() -> None:
    (bad,) = read(row(propertyValue="ann@x.example\0"))

    assert isinstance(bad, Unread)
    assert bad.reason == "propertyValue is no text that can be kept"
    assert bad.portal == "62515"


@pytest.mark.parametrize("odd", [None, 5, "row", [], [row()]], ids=str)
def test_a_row_that_is_no_object_is_parked(odd: object) -> None:
    bad, good = read(odd, row())

    assert isinstance(bad, Unread)
    assert isinstance(good, Event)


def test_a_number_without_end_is_parked_alone() -> None:
    huge = json.dumps([row(objectId=77), row()]).replace("77", "1" * 10_000, 1)
    bad, good = READ(huge.encode(), NOON)

    assert isinstance(bad, Unread)
    assert isinstance(good, Event)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b'"x"',
        b"[{]",
        b"\xff\xfe",
        "[]".encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:10]),
)
def test_a_body_that_makes_no_sense_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        READ(body, NOON)


def test_a_body_without_rows_says_nothing() -> None:
    assert READ(b"[]", NOON) == []


def test_an_event_from_far_in_the_future_is_no_time_at_all() -> None:
    future = int((NOON + timedelta(days=400)).timestamp() * 1000)

    assert isinstance(read(row(occurredAt=future))[0], Unread)


def test_a_sensitive_value_is_not_taken() -> None:
    (found,) = read(row(propertyValue="555-44", isSensitive=True))

    assert isinstance(found, Event)
    assert found.happening is Happening.UNKNOWN
    assert "555-44" not in str(found)


def test_a_source_id_may_be_a_number() -> None:
    (found,) = read(row(sourceId=9393361))

    assert isinstance(found, Event)
    assert found.origin_id == "9393361"


def test_a_tie_between_who_knows_what_is_kept_without_effect() -> None:
    tie = {"associationType": "LABELLED", "fromObjectId": 1, "toObjectId": 2}
    (found,) = read(row(subscriptionType="deal.associationChange", **tie))

    assert isinstance(found, Event)
    assert (found.happening, found.object) == (Happening.UNKNOWN, "deal")


@pytest.mark.parametrize("kind", ["event.completed", "conversation.privacyDeletion", "x", "a.b.c"])
def test_other_kinds_are_kept_without_effect(kind: str) -> None:
    (found,) = read(row(subscriptionType=kind, objectId="not a number"))

    assert isinstance(found, Event)
    assert found.happening is Happening.UNKNOWN
    assert found.data == {"type": kind}


@pytest.mark.parametrize("form", ["classic", "generic"])
def test_whatever_happens_in_a_portal_can_be_read(twin: Twin, form: str) -> None:
    twin.ask("PUT", "settings", {"event_forms": [form]})
    ann, bob = twin.edit("contacts", email="ann@x.example"), twin.edit("contacts", firstname="Bob")
    company = twin.edit("companies", name="Acme")
    twin.deal([ann], [company], dealname="Big")
    twin.delete("contacts", twin.merge("contacts", ann, bob))
    twin.restore("contacts", ann)
    twin.opt_out("ann@x.example")

    found = READ(json.dumps(twin.ask("GET", "events")["events"]).encode(), datetime.now(UTC))

    assert [one for one in found if not isinstance(one, Event)] == []
    assert {one.happening for one in found if isinstance(one, Event)} == {
        Happening.CREATED,
        Happening.CHANGED,
        Happening.LINKED,
        Happening.MERGED,
        Happening.DELETED,
        Happening.RESTORED,
    }


def test_a_privacy_deletion_erases(twin: Twin) -> None:
    ann = twin.edit("contacts", email="ann@x.example")
    twin.erase(ann)

    found = READ(json.dumps(twin.ask("GET", "events")["events"]).encode(), datetime.now(UTC))

    told = {(one.happening, one.record_id) for one in found if isinstance(one, Event)}
    assert {(Happening.ERASED, ann), (Happening.DELETED, ann)} <= told


WORDS = st.sampled_from(
    [
        *("contact.propertyChange", "object.merge", "deal.associationChange", "contact.creation"),
        *("0-1", "DEAL_TO_CONTACT", "", "\0", "\ud800", "REDACTED"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [
        *row(),
        *("eventType", "objectTypeId", "primaryObjectId", "mergedObjectIds", "newObjectId"),
        *("associationType", "fromObjectId", "toObjectId", "associationRemoved"),
        *("isPrimaryAssociation", "isSensitive", "fromObjectTypeId", "toObjectTypeId"),
    ]
)


@given(st.lists(st.dictionaries(NAMES, VALUES | st.integers(1, 2**40)).map(lambda d: row() | d)))
def test_no_row_breaks_the_reader(rows: list[dict[str, object]]) -> None:
    found = read(*rows)

    assert len(found) == len(rows)
    for one in found:
        json.dumps(dataclasses.asdict(one), default=str).encode()
        if isinstance(one, Event):
            "".join([one.object, one.record_id, one.origin, str(one.data)]).encode("utf-8")


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    try:
        found = READ(body, NOON)
    except Unreadable:
        return

    assert all(isinstance(one, Event | Unread) for one in found)


def test_numbers_that_came_as_text_are_the_same_happening() -> None:
    plain = row(objectId=501, portalId=62515, propertyValue="7")
    spelled = row(objectId="501", portalId="62515", propertyValue=7)
    spelled["occurredAt"] = str(plain["occurredAt"])

    assert read(spelled) == read(plain)
