"""HubSpot as the product's `Crm`: one portal behind one client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.adapters.hubspot import catalog, people, readings, sales, searches, setup
from connector.adapters.hubspot.optouts import OptOuts
from connector.adapters.hubspot.shapes import text
from connector.adapters.hubspot.writes import write
from connector.domain.errors import CrmDown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connector.adapters.hubspot.client import Client
    from connector.ports import (
        Changed,
        DealDraft,
        DealStage,
        FieldInfo,
        Outcome,
        Owner,
        OwnField,
        Page,
        Person,
        PersonDraft,
        Reading,
        SetupStep,
        TaskDraft,
        Tie,
        Write,
    )


class HubSpot:
    """One HubSpot portal; see `connector.ports.Crm` for the contract."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def prove(self) -> str:
        """Return the portal's id, and learn its time zone for the daily limit."""
        account = self.client.call("account")
        self.client.limiter.live_in(text(account.get("timeZone")))
        portal = text(account.get("portalId"))
        if not portal:
            raise CrmDown("HubSpot's answer to account names no portal")
        return portal

    def bulk_wait(self) -> float:
        """Return the seconds until bulk work may make a call."""
        return self.client.limiter.bulk_wait()

    def read(
        self, kind: str, ids: Sequence[str], fields: Sequence[str], dated: Sequence[str]
    ) -> list[Reading]:
        """Read records by id; `dated` fields come with history. A missing id is left out."""
        return readings.read(self.client, readings.Wanted(kind, fields, dated), ids)

    def page(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        """Read the next page of all records."""
        return readings.page(self.client, readings.Wanted(kind, fields, dated), after)

    def changed(self, kind: str, since: datetime, after: str | None) -> Changed:
        """Return the next of the living records that changed since then."""
        return searches.changed(self.client, kind, since, after)

    def archive(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        """Read the next page of the deleted records: HubSpot keeps them for 90 days."""
        wanted = readings.Wanted(kind, fields, dated)
        return readings.page(self.client, wanted, after, archived=True)

    def ties(self, kind: str, ids: Sequence[str], to_kind: str) -> list[Tie]:
        """Return which records of `to_kind` the given ones are tied to."""
        return readings.ties(self.client, kind, ids, to_kind)

    def write(self, kind: str, writes: Sequence[Write], *, urgent: bool = False) -> list[Outcome]:
        """Write records, one outcome each, in the same order."""
        return write(self.client, kind, writes, urgent=urgent)

    def opted_out(self, emails: Sequence[str]) -> Mapping[str, bool]:
        """Say which addresses are opted out; one that HubSpot won't judge is left out."""
        return OptOuts(self.client).read(emails)

    def opt_out(self, emails: Sequence[str]) -> None:
        """Opt addresses out of all e-mail, ahead of other calls."""
        OptOuts(self.client, urgent=True).write(emails)

    def fields(self, kind: str) -> list[FieldInfo]:
        """Return the fields of an object with their options."""
        return catalog.fields(self.client, kind)

    def deal_stages(self) -> list[DealStage]:
        """Return the stages of all deal pipelines."""
        return catalog.deal_stages(self.client)

    def owners(self) -> list[Owner]:
        """Return the people and queues that records can belong to."""
        return catalog.owners(self.client)

    def find_person(self, emails: Sequence[str]) -> Person | None:
        """Return the contact that holds one of these addresses, the first that is found."""
        return people.find_person(self.client, emails)

    def create_person(self, draft: PersonDraft) -> Person:
        """Create a contact, or return the one that holds the address already."""
        return people.create_person(self.client, draft)

    def open_deal(self, kind: str, record_id: str) -> str:
        """Return an open deal of a record or of its primary company, "" if there is none."""
        return sales.open_deal(self.client, kind, record_id)

    def deal_made(self, key: str) -> str:
        """Return the deal that was made under a key, "" if there is none."""
        return sales.deal_made(self.client, key)

    def create_deal(self, draft: DealDraft, key: str) -> str:
        """Create a deal, or return the one that this key made already."""
        return sales.create_deal(self.client, draft, key)

    def tie_deal(self, deal_id: str, kind: str, record_id: str) -> None:
        """Tie a deal to a record."""
        sales.tie_deal(self.client, deal_id, kind, record_id)

    def add_task(self, draft: TaskDraft, key: str) -> str:
        """Add a task to a record, or return the one that this key made already."""
        return sales.add_task(self.client, draft, key)

    def install(self, own: Sequence[OwnField], *, apply: bool) -> list[SetupStep]:
        """Plan, or apply, our own fields on contacts; idempotent."""
        return setup.install(self.client, own, apply=apply)

    def uninstall(
        self, own: Sequence[OwnField], *, drop_fields: bool, apply: bool
    ) -> list[SetupStep]:
        """Plan, or apply, the removal; without `drop_fields` the fields and their data stay."""
        return setup.uninstall(self.client, own, drop_fields=drop_fields, apply=apply)
