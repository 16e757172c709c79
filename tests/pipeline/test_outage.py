"""A day in which no webhook reaches us, at a portal that goes on living (the HubSpot twin)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.adapters.hubspot import Limiter, open_hubspot
from connector.pipeline.backfilling import backfill
from connector.pipeline.reconciling import reconcile
from connector.pipeline.services import Keep, Line
from connector.store import tables as t
from connector.stored import Connection
from simulators.hubspot import search as twins_search
from simulators.hubspot.testing import Twin
from soak.oracle import Happened, expect, people
from tests.pipeline.house import CONNECTION, House
from tests.pipeline.test_any_order import found

HOUR = 3600
MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
FIELDS = {"lifecyclestage", "hs_lead_status", "email", "hs_email_optout"}
SAME = "2026-05-01T12:00:00.000Z"


class Unlimited(Limiter):
    """Counts no call, so that these tests need not wait."""

    def take_search(self) -> None: ...

    def expect(self, calls: int, *, urgent: bool = False) -> None: ...


class Office:
    """A house whose CRM is a twin; both live by the clock that `sleep` turns."""

    def __init__(self, house: House, twin: Twin) -> None:
        self.twin, self.offset = twin, timedelta()
        crm = open_hubspot(twin.url, "2026-09", lambda: twin.token, Unlimited())

        def dial(_one: Connection, _secrets: Any, _keep: Keep, _note: Any, /) -> Line:
            return Line(crm, lambda: None)

        now = lambda: datetime.now(UTC) + self.offset  # noqa: E731
        house.services = replace(house.services, dial=dial, now=now, pause=time.sleep)
        self.house = house

    def sleep(self, hours: float) -> None:
        self.offset += timedelta(hours=hours)
        self.twin.settings(clock_offset_ms=int(self.offset.total_seconds() * 1000))

    def backfill(self) -> dict[str, int]:
        return backfill(self.house.services, CONNECTION, lambda _kind, _count: None)

    def reconcile(self) -> int:
        return reconcile(self.house.services, CONNECTION, lambda _kind, _count: None)

    def story(self) -> list[Happened]:
        """Return all that happened, out of the twin's own log of events."""
        return [told for row in self.twin.events() for told in _told(row)]


@pytest.fixture
def office(either: House) -> Iterator[Office]:
    with Twin(limit=1_000_000, search_limit=1_000_000) as twin:
        yield Office(either, twin)


def _told(row: dict[str, Any]) -> Iterator[Happened]:
    when = datetime.fromtimestamp(row["occurredAt"] / 1000, UTC)
    record, name = str(row.get("objectId", "")), str(row.get("propertyName", ""))
    match row["subscriptionType"]:
        case "contact.propertyChange" if name in FIELDS:
            yield Happened(when, "set", record, name, str(row["propertyValue"]))
        case "deal.propertyChange" if name == "dealstage":
            yield Happened(when, "stage", record, value=str(row["propertyValue"]))
        case "contact.deletion":
            yield Happened(when, "gone", record)
        case "contact.merge":
            for old in row["mergedObjectIds"]:
                yield Happened(when, "merged", str(old), value=str(row["newObjectId"]))
        case "deal.associationChange" if row["associationType"] == "DEAL_TO_CONTACT":
            what = "untied" if row["associationRemoved"] else "tied"
            yield Happened(when, what, str(row["toObjectId"]), value=str(row["fromObjectId"]))


def a_day_without_webhooks(office: Office, ids: list[str]) -> None:
    """Have many kinds of change happen to ten people, an hour apart."""
    twin, sleep = office.twin, office.sleep
    twin.edit("contacts", ids[0], lifecyclestage=MQL)
    sleep(1)
    twin.edit("contacts", ids[0], hs_lead_status="OPEN")
    for stage in ("customer", "lead", SQL):  # forth and back
        sleep(1)
        twin.edit("contacts", ids[1], lifecyclestage=stage)
    for stage in (MQL, "lead"):  # and back to where it was
        sleep(1)
        twin.edit("contacts", ids[2], lifecyclestage=stage)
    sleep(1)
    deal = twin.deal([ids[3], ids[4]])
    sleep(1)
    twin.edit("deals", deal, dealstage="closedwon")
    sleep(1)
    twin.edit("contacts", ids[5], lifecyclestage="customer")
    sleep(1)
    twin.delete("contacts", ids[5])
    sleep(1)
    twin.edit("contacts", ids[6], lifecyclestage="opportunity")
    office.reconcile()  # no CRM tells what a record held that is another one now
    sleep(1)
    twin.merge("contacts", ids[7], ids[6])
    sleep(1)
    twin.edit("contacts", ids[8], lifecyclestage=MQL)
    twin.edit("contacts", ids[8], hs_lead_status="BAD_TIMING")
    sleep(1)
    twin.opt_out("p9@x.example")
    new = twin.edit("contacts", email="new@x.example")
    sleep(1)
    twin.edit("contacts", new, lifecyclestage=MQL)
    sleep(8)


def test_a_day_without_webhooks_and_one_pass_end_in_the_oracle_s_state(office: Office) -> None:
    ids = [
        office.twin.edit("contacts", email=f"p{number}@x.example", lifecyclestage="lead")
        for number in range(10)
    ]
    office.sleep(1)
    office.backfill()
    a_day_without_webhooks(office, ids)

    differed = office.reconcile()

    story = office.story()
    for record, group in people(story).items():
        wanted = expect(story, group)
        assert found(office.house, record) == wanted, record
    assert differed > 0
    assert office.reconcile() == 0


def test_more_people_of_one_change_date_than_search_pages_through_are_all_learned(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins_search, "MOST_RESULTS", 150)
    ids = office.twin.seed(count=330, modified_at=SAME, properties={"lifecyclestage": "lead"})

    assert office.reconcile() == len(ids)
    assert office.reconcile() == 0

    assert {office.house.slot(str(one)) for one in (ids[0], ids[150], ids[-1])} == {3}
    assert len(office.house.rows(t.record, object="contact")) == len(ids)
    assert office.backfill()["contact"] == len(ids)
