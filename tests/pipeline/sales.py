"""What a CRM in memory keeps for sales: who owns, deals and tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connector.ports import DealDraft, Owner, Person, PersonDraft, TaskDraft

Answer = TypeVar("Answer")
US = ("INTEGRATION", "1001")


class Sales:
    """A part of the fake CRM; each call goes through `_run`, so that it can be interrupted."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Any] = {}
        self.staff: Sequence[str] = ()
        self.absent: set[str] = set()
        self.made: dict[str, str] = {}
        self.drafts: list[DealDraft] = []
        self.tasks: dict[str, TaskDraft] = {}
        self.tied: list[tuple[str, str]] = []  # deal, contact
        self.hired: list[tuple[str, str]] = []  # contact, company

    def owners(self) -> list[Owner]:
        return self._run("owners", "", (), (), self._owners)

    def _owners(self) -> list[Owner]:
        return [Owner(one, one, active=one not in self.absent) for one in self.staff]

    def open_deal(self, kind: str, record_id: str) -> str:
        return self._run("open_deal", kind, [record_id], (), lambda: self._open_deal(record_id))

    def deal_made(self, key: str) -> str:
        return self._run("deal_made", "", (), (), lambda: self.made.get(key, ""))

    def create_deal(self, draft: DealDraft, key: str) -> str:
        def work() -> str:
            if key not in self.made:
                self.made[key] = str(5000 + len(self.made))
                self.drafts.append(draft)
                self.deal(self.made[key], draft.record_id)
            return self.made[key]

        return self._run("create_deal", draft.kind, [draft.record_id], (), work)

    def tie_deal(self, deal_id: str, kind: str, record_id: str) -> None:
        def work() -> None:
            self.tie(deal_id, record_id)

        self._run("tie_deal", kind, [record_id], (), work)

    def find_person(self, emails: Sequence[str]) -> Person | None:
        return self._run("find_person", "email", emails, (), lambda: self._holder(emails))

    def create_person(self, draft: PersonDraft) -> Person:
        def work() -> Person:
            held = self._holder([draft.email])
            return held or Person("contact", self.introduce(draft), made=True)

        return self._run("create_person", "email", [draft.email], (), work)

    def introduce(self, draft: PersonDraft) -> str:
        told = {"email": draft.email, "firstname": draft.first_name, "lifecyclestage": "lead"}
        made: str = self._create(str(7000 + len(self.records)), "contact", told, US).id
        return made

    def _holder(self, emails: Sequence[str]) -> Person | None:
        held = [one for one in self.records.values() if one.value("email") in emails]
        living = [one.id for one in held if not one.deleted and not one.merged_into]
        return Person("contact", living[0]) if living else None

    def add_task(self, draft: TaskDraft, key: str) -> str:
        def work() -> str:
            self.tasks.setdefault(key, draft)
            return key

        return self._run("add_task", draft.kind, [draft.record_id], (), work)

    def deal(self, deal: str, contact: str, stage: str = "appointment") -> None:
        """Make a deal with somebody on it."""
        self.create(deal, "deal", dealstage=stage)
        self.tie(deal, contact)

    def _open_deal(self, record_id: str) -> str:
        firms = {company for contact, company in self.hired if contact == record_id}
        near = {record_id} | {contact for contact, company in self.hired if company in firms}
        deals = sorted({deal for deal, contact in self.tied if contact in near})
        opened = [deal for deal in deals if self.value(deal, "dealstage", "deal") == "appointment"]
        return opened[0] if opened else ""

    def create(self, record_id: str, kind: str = "contact", **fields: str) -> Any:
        raise NotImplementedError

    def _create(self, record_id: str, kind: str, fields: Any, by: tuple[str, str]) -> Any:
        raise NotImplementedError

    def tie(self, deal: str, contact: str, *, present: bool = True) -> None:
        raise NotImplementedError

    def value(self, record_id: str, name: str, kind: str = "contact") -> str:
        raise NotImplementedError

    def _run(
        self, name: str, kind: str, ids: Sequence[str], fields: Any, work: Callable[[], Answer]
    ) -> Answer:
        raise NotImplementedError
