"""A CRM in memory: records with a past, a stage that only goes forward, and scripted trouble."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from connector.domain.errors import CrmError
from connector.ports import (
    Changed,
    DealStage,
    Fate,
    FieldInfo,
    Held,
    Option,
    Outcome,
    OwnField,
    Page,
    Reading,
    SetupStep,
    Tie,
    Write,
)
from tests.pipeline.listing import next_changes, next_ids
from tests.pipeline.sales import Sales

PORTAL, APP = "4242", "1001"
STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
STATUSES = ("NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED", "BAD_TIMING")
HUMAN, US = ("CRM_UI", "userId:7"), ("INTEGRATION", APP)
MOST_CALLS = 2000
Row = dict[str, Any]
Answer = TypeVar("Answer")
Pair = tuple[str, str]
Pairs = list[Pair]


@dataclass
class FakeRecord:
    """One record; `past` holds every value of every field, oldest first."""

    kind: str
    id: str
    created_at: datetime
    past: dict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))
    stamp: datetime | None = None
    deleted: bool = False
    ended_at: datetime | None = None
    merged_into: str = ""
    merged_at: datetime | None = None

    def value(self, name: str) -> str:
        return self.past[name][-1].value if self.past.get(name) else ""


@dataclass(frozen=True)
class Call:
    """One call as it began, with the slots of the people it is about at that moment."""

    name: str
    kind: str
    ids: tuple[str, ...]
    slots: tuple[int | None, ...]
    fields: tuple[Mapping[str, str], ...] = ()


class FakeCrm(Sales):
    """Implements connector.ports.Crm; `rows` are the webhooks it would send for each change."""

    def __init__(self, now: Callable[[], datetime], portal: str = PORTAL) -> None:
        super().__init__()
        self.now = now
        self.portal = portal
        self.records: dict[Pair, FakeRecord] = {}
        self.rows: list[Row] = []
        self.calls: list[Call] = []
        self.opted: set[str] = set()
        self.trouble: dict[str, deque[Trouble]] = defaultdict(deque)
        self.fates: dict[str, deque[Outcome]] = defaultdict(deque)
        self.before: Callable[[Call], None] = lambda _call: None
        self.after: Callable[[Call], None] = lambda _call: None
        self.slot_of: Callable[[str, str], int | None] = lambda _kind, _id: None
        self.slot_of_email: Callable[[str], int | None] = lambda _email: None
        self.tells_history = True
        self.page_size = 3
        self.no_bulk_for = 0.0
        self.statuses: Sequence[str] = STATUSES

    # What people do in the CRM

    def create(self, record_id: str, kind: str = "contact", **fields: str) -> FakeRecord:
        return self._create(record_id, kind, fields, HUMAN)

    def edit(self, record_id: str, kind: str = "contact", **fields: str) -> None:
        for name, value in fields.items():
            self._set(self.records[kind, record_id], name, value, HUMAN)

    def delete(self, record_id: str, kind: str = "contact") -> None:
        found = self.records[kind, record_id]
        found.deleted, found.ended_at = True, self.now()
        self._tell(f"{kind}.deletion", record_id, HUMAN, changeFlag="DELETED")

    def restore(self, record_id: str, kind: str = "contact") -> None:
        found = self.records[kind, record_id]
        found.deleted, found.ended_at, found.stamp = False, None, self.now()
        self._tell(f"{kind}.restore", record_id, HUMAN)

    def forget(self, record_id: str) -> None:
        self.records["contact", record_id].deleted = True
        self._tell("contact.privacyDeletion", record_id, HUMAN)

    def merge(self, loser: str, winner: str) -> None:
        gone = self.records["contact", loser]
        gone.merged_into, gone.merged_at = winner, self.now()
        self.records["contact", winner].stamp = self.now()
        more = {"primaryObjectId": int(winner), "mergedObjectIds": [int(loser)]}
        self._tell("contact.merge", winner, HUMAN, **more, numberOfPropertiesMoved=0)

    def tie(self, deal: str, contact: str, *, present: bool = True) -> None:
        self._tie("deal", self.tied, (deal, contact), "DEAL_TO_CONTACT", present=present)

    def hire(self, contact: str, company: str, *, present: bool = True) -> None:
        pair = (contact, company)
        self._tie("contact", self.hired, pair, "CONTACT_TO_COMPANY", present=present)

    def _tie(
        self,
        kind: str,
        pairs: list[tuple[str, str]],
        pair: tuple[str, str],
        name: str,
        *,
        present: bool,
    ) -> None:
        if present and pair not in pairs:
            pairs.append(pair)
        elif not present and pair in pairs:
            pairs.remove(pair)
        self.records[kind, pair[0]].stamp = self.now()
        more = {"fromObjectId": int(pair[0]), "toObjectId": int(pair[1])}
        more |= {"associationRemoved": not present, "isPrimaryAssociation": False}
        self._tell(f"{kind}.associationChange", pair[0], HUMAN, associationType=name, **more)

    def value(self, record_id: str, name: str, kind: str = "contact") -> str:
        return self.records[kind, record_id].value(name)

    def past(self, record_id: str, name: str, kind: str = "contact") -> list[str]:
        return [held.value for held in self.records[kind, record_id].past[name]]

    def told(self) -> list[Row]:
        """Return the webhooks that came up since the last look."""
        rows, self.rows = self.rows, []
        return rows

    # What the connector asks

    def bulk_wait(self) -> float:
        return self.no_bulk_for

    def prove(self) -> str:
        return self._run("prove", "", (), (), lambda: self.portal)

    def read(
        self, kind: str, ids: Sequence[str], fields: Sequence[str], dated: Sequence[str]
    ) -> list[Reading]:
        return self._run("read", kind, ids, (), lambda: list(self._read(kind, ids, fields, dated)))

    def page(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        def work() -> Page:
            known = [one for one in self.records.values() if one.kind == kind]
            some, more = next_ids([one.id for one in known if _lives(one)], after, self.page_size)
            return Page(list(self._read(kind, some, fields, dated)), more)

        return self._run("page", kind, (), (), work)

    def changed(self, kind: str, since: datetime, after: str | None) -> Changed:
        def work() -> Changed:
            known = [one for one in self.records.values() if one.kind == kind and _lives(one)]
            stamps = [(one.stamp, int(one.id)) for one in known if one.stamp]
            return next_changes(stamps, since, after, self.page_size)

        return self._run("changed", kind, (), (), work)

    def archive(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        def work() -> Page:
            gone = [one.id for one in self.records.values() if one.kind == kind and one.ended_at]
            some, more = next_ids(gone, after, self.page_size)
            return Page([self._reading(one, kind, one, fields, dated) for one in some], more)

        return self._run("archive", kind, (), (), work)

    def ties(self, kind: str, ids: Sequence[str], to_kind: str) -> list[Tie]:
        def work() -> list[Tie]:
            return [Tie(start, goal) for start, goal in pairs if start in ids]

        pairs = {("deal", "contact"): self.tied, ("contact", "company"): self.hired}[kind, to_kind]
        return self._run("ties", kind, (), (), work)

    def write(self, kind: str, writes: Sequence[Write], *, urgent: bool = False) -> list[Outcome]:
        del urgent
        ids = [one.record_id for one in writes]
        fields = [dict(one.fields) for one in writes]
        return self._run(
            "write", kind, ids, fields, lambda: [self._write(kind, one) for one in writes]
        )

    def opted_out(self, emails: Sequence[str]) -> Mapping[str, bool]:
        return self._run(
            "opted_out", "email", emails, (), lambda: {one: one in self.opted for one in emails}
        )

    def opt_out(self, emails: Sequence[str]) -> None:
        self._run("opt_out", "email", emails, (), lambda: self.opted.update(emails))

    def fields(self, kind: str) -> list[FieldInfo]:
        self._call("fields", kind)
        stages = [Option(one, one.title()) for one in STAGES]
        statuses = [Option(one, one.replace("_", " ").title()) for one in self.statuses]
        return [
            FieldInfo("lifecyclestage", "Lifecycle stage", stages),
            FieldInfo("hs_lead_status", "Lead status", statuses),
        ]

    def deal_stages(self) -> list[DealStage]:
        self._call("deal_stages")
        return [
            DealStage("appointment", "Appointment", "open"),
            DealStage("closedwon", "Won", "won"),
            DealStage("closedlost", "Lost", "lost"),
        ]

    def install(self, own: Sequence[OwnField], *, apply: bool) -> list[SetupStep]:
        self._call("install")
        return [SetupStep(one.name, "create", done=apply) for one in own]

    def uninstall(
        self, own: Sequence[OwnField], *, drop_fields: bool, apply: bool
    ) -> list[SetupStep]:
        self._call("uninstall")
        return [SetupStep(one.name, "remove", done=apply and drop_fields) for one in own]

    # The inside

    def _create(self, record_id: str, kind: str, fields: Mapping[str, str], by: Pair) -> FakeRecord:
        made = FakeRecord(kind, record_id, self.now(), stamp=self.now())
        self.records[kind, record_id] = made
        self._tell(f"{kind}.creation", record_id, by, changeFlag="CREATED")
        for name, value in fields.items():
            self._set(made, name, value, by)
        return made

    def _call(
        self,
        name: str,
        kind: str = "",
        ids: Sequence[str] = (),
        fields: Sequence[Mapping[str, str]] = (),
    ) -> Call:
        if kind == "email":
            slots = tuple(self.slot_of_email(one) for one in ids)
        else:
            slots = tuple(self.slot_of(kind, one) for one in ids)
        call = Call(name, kind, tuple(ids), slots, tuple(fields))
        self.calls.append(call)
        assert len(self.calls) < MOST_CALLS, "a hot loop"
        return call

    def _run(
        self,
        name: str,
        kind: str,
        ids: Sequence[str],
        fields: Sequence[Mapping[str, str]],
        work: Callable[[], Answer],
    ) -> Answer:
        call = self._call(name, kind, ids, fields)
        trouble = self.trouble[name].popleft() if self.trouble[name] else None
        self.before(call)
        if trouble is not None and not trouble.applies:
            raise trouble.error
        answer = work()
        self.after(call)
        if trouble is not None:
            raise trouble.error
        return answer

    def _read(
        self, kind: str, ids: Sequence[str], fields: Sequence[str], dated: Sequence[str]
    ) -> Iterator[Reading]:
        for asked in ids:
            found = self._find(kind, asked)
            if found is None or found.deleted:
                continue
            yield self._reading(asked, kind, found.id, fields, dated)

    def _reading(
        self, asked: str, kind: str, record_id: str, fields: Sequence[str], dated: Sequence[str]
    ) -> Reading:
        found = self.records[kind, record_id]
        past = {name: tuple(found.past[name]) for name in dated if found.past.get(name)}
        return Reading(
            asked,
            found.id,
            {name: found.value(name) for name in fields},
            past if self.tells_history else {},
            found.created_at,
            found.stamp,
            archived=found.deleted,
            ended_at=found.ended_at,
            merged=self._merged(kind, record_id),
        )

    def _merged(self, kind: str, record_id: str) -> dict[str, datetime | None]:
        """Return every id that ends at a record, however many merges it took."""
        others = [one for one in self.records.values() if one.kind == kind and one.merged_into]
        ends = {one.id: self._find(kind, one.id) for one in others}
        return {
            one.id: one.merged_at for one in others if ends[one.id] is self.records[kind, record_id]
        }

    def _find(self, kind: str, record_id: str) -> FakeRecord | None:
        found = self.records.get((kind, record_id))
        while found is not None and found.merged_into:
            found = self.records.get((kind, found.merged_into))
        return found

    def _write(self, kind: str, one: Write) -> Outcome:
        if self.fates[one.record_id]:
            return self.fates[one.record_id].popleft()
        found = self._find(kind, one.record_id)
        if found is None or found.deleted:
            return Outcome(one.record_id, Fate.GONE, "no such record")
        for name, value in one.fields.items():
            if not (name == "lifecyclestage" and _regresses(found.value(name), value)):
                self._set(found, name, value, US)
        now = {name: found.value(name) for name in one.fields}
        return Outcome(one.record_id, Fate.DONE, "", now, found.stamp, found.id)

    def _set(self, record: FakeRecord, name: str, value: str, by: tuple[str, str]) -> None:
        record.stamp = self.now()
        if record.value(name) == value:
            return
        record.past[name].append(Held(value, record.stamp, *by))
        if not name.startswith("bnb_") or name == "bnb_set_slot":
            more = {"propertyName": name, "propertyValue": value}
            self._tell(f"{record.kind}.propertyChange", record.id, by, **more)

    def _tell(self, kind: str, record_id: str, by: tuple[str, str], **more: object) -> None:
        at = int(self.now().timestamp() * 1000)
        self.rows.append(
            {
                "eventId": 9_000_000 + at % 1_000_000_000 + len(self.rows),
                "subscriptionId": 1,
                "portalId": int(self.portal),
                "appId": int(APP),
                "occurredAt": at,
                "subscriptionType": kind,
                "attemptNumber": 0,
                "objectId": int(record_id),
                "changeSource": by[0],
                "sourceId": by[1],
                **more,
            }
        )


@dataclass(frozen=True)
class Trouble:
    """An error of one call; `applies` where the CRM did what it was asked before it failed."""

    error: CrmError
    applies: bool = False


def _lives(record: FakeRecord) -> bool:
    return not record.deleted and not record.merged_into


def _regresses(now: str, wanted: str) -> bool:
    known = now in STAGES and wanted in STAGES
    return known and STAGES.index(wanted) < STAGES.index(now)
