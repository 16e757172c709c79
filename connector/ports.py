"""What the inside asks of the outside: the face of a CRM, and the values that cross it.

Adapters implement `Crm` and `Reader`; they return values and never call inward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

Data = Mapping[str, object]


class Happening(StrEnum):
    """What an incoming event says, in our words."""

    CHANGED = "changed"  # one field of one record: data field, value
    CREATED = "created"
    DELETED = "deleted"
    RESTORED = "restored"
    MERGED = "merged"  # data: into (surviving id), merged (ids that are no more)
    ERASED = "erased"  # privacy deletion
    LINKED = "linked"  # data: to_object, to_id, present
    READ = "read"  # data: a Reading as JSON; made by ourselves from a CRM read
    UNKNOWN = "unknown"  # kept, without effect


@dataclass(frozen=True, slots=True)
class Event:
    """One normalised happening on one CRM record.

    `key` is the same for every delivery of the same happening. `object` is one of contact,
    company, deal, lead, account (or the vendor's word where we have none). `origin` and
    `origin_id` are the vendor's words for what made the change. `portal` names the CRM account.
    """

    key: str
    happening: Happening
    portal: str
    object: str
    record_id: str
    occurred_at: datetime
    event_id: str
    data: Data = field(default_factory=dict)
    origin: str = ""
    origin_id: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a delivery that could not be read as an event; it is parked with its reason."""

    key: str
    reason: str
    raw: str
    portal: str = ""


class Reader(Protocol):
    """Splits one delivery of a CRM into events; pure."""

    def __call__(self, body: bytes, received_at: datetime) -> list[Event | Unread]:
        """Return every event of a body; raise Unreadable when there is no telling them apart."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A field held `value` from `when` on; `when` None where the CRM does not tell."""

    value: str
    when: datetime | None
    origin: str = ""
    origin_id: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One record as the CRM holds it now.

    `fields` has every asked field ("" where empty). `history` has, oldest first, what the CRM
    tells of a field's past, for the fields asked with history. `asked_id` is the id that was
    asked for; `record_id` differs from it after a merge. `stamp` is the record's last change,
    `ended_at` when an archived one was deleted; `merged` are the ids that became this record,
    with when they did, None where the CRM does not tell.
    """

    asked_id: str
    record_id: str
    fields: Mapping[str, str]
    history: Mapping[str, Sequence[Held]]
    created_at: datetime | None
    stamp: datetime | None
    archived: bool = False
    ended_at: datetime | None = None
    merged: Mapping[str, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `after` is None on the last."""

    readings: Sequence[Reading]
    after: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A record and when it last changed."""

    record_id: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed, in order of time; `after` goes on behind it and is None at the end."""

    marks: Sequence[Mark]
    after: str | None


@dataclass(frozen=True, slots=True)
class Tie:
    """A record and one that it is tied to."""

    record_id: str
    to_id: str


@dataclass(frozen=True, slots=True)
class Write:
    """Fields to set on one record; "" clears."""

    record_id: str
    fields: Mapping[str, str]


class Fate(StrEnum):
    """What became of one write."""

    DONE = "done"
    GONE = "gone"  # the record no longer exists
    REFUSED = "refused"  # will never succeed as it is
    LATER = "later"  # transient: try again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write; `now` is what the CRM says the fields hold afterwards.

    `record_id` is the id that was written to, `current_id` the one the CRM answered with.
    """

    record_id: str
    fate: Fate
    reason: str = ""
    now: Mapping[str, str] = field(default_factory=dict)
    stamp: datetime | None = None
    current_id: str = ""
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a picklist."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of the CRM as this portal or org has it; `options` in the CRM's own order."""

    name: str
    label: str
    options: Sequence[Option] = ()
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody whom a CRM's records can belong to; `id` is what its owner field holds.

    One who is not `active` has left, or was switched off.
    """

    id: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class DealDraft:
    """A deal to be made for a record; `owner` is "" where nobody owns the record."""

    kind: str
    record_id: str
    name: str
    pipeline: str
    stage: str
    owner: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A task to be put on a record for its owner."""

    kind: str
    record_id: str
    subject: str
    due_at: datetime
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """A record to be made for a person, of whom only the address is sure."""

    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A record of a person; `made` says that this very call made it."""

    kind: str
    record_id: str
    made: bool = False


@dataclass(frozen=True, slots=True)
class DealStage:
    """A stage of a deal pipeline; `outcome` is won, lost or open."""

    value: str
    label: str
    outcome: str


@dataclass(frozen=True, slots=True)
class OwnField:
    """One of our own fields to be installed. `kind`: text, number, datetime or choice.

    No two records may hold the same value of a `unique` one.
    """

    name: str
    label: str
    kind: str
    description: str = ""
    options: Sequence[Option] = ()
    object: str = "contact"
    unique: bool = False


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step of an installation plan; `done` once applied (or nothing to do)."""

    what: str
    action: str  # create, update, keep, remove
    done: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a CRM's token endpoint gave us."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


class Crm(Protocol):
    """One account's CRM. Every call may raise a `CrmError`; nothing here retries."""

    def prove(self) -> str:
        """Return the CRM's own id of the account behind the credentials."""
        ...

    def bulk_wait(self) -> float:
        """Return the seconds until bulk work may make a call: some room is kept for people."""
        ...

    def read(
        self, kind: str, ids: Sequence[str], fields: Sequence[str], dated: Sequence[str]
    ) -> list[Reading]:
        """Read records by id; `dated` fields come with history. A missing id is left out."""
        ...

    def page(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        """Read the next page of all records."""
        ...

    def changed(self, kind: str, since: datetime, after: str | None) -> Changed:
        """Return the next of the living records that changed since then; `after` stays valid.

        None is left out, however many changed at one moment, and one may come again.
        """
        ...

    def archive(
        self, kind: str, after: str | None, fields: Sequence[str], dated: Sequence[str]
    ) -> Page:
        """Read the next page of the deleted records that the CRM still tells of."""
        ...

    def ties(self, kind: str, ids: Sequence[str], to_kind: str) -> list[Tie]:
        """Return which records of `to_kind` the given ones are tied to."""
        ...

    def write(self, kind: str, writes: Sequence[Write], *, urgent: bool = False) -> list[Outcome]:
        """Write records, one outcome each, in the same order; urgent ones use the reserve."""
        ...

    def opted_out(self, emails: Sequence[str]) -> Mapping[str, bool]:
        """Say which addresses are opted out of all e-mail; one it won't judge is left out."""
        ...

    def opt_out(self, emails: Sequence[str]) -> None:
        """Opt addresses out of all e-mail."""
        ...

    def fields(self, kind: str) -> list[FieldInfo]:
        """Return the fields of an object with their options."""
        ...

    def deal_stages(self) -> list[DealStage]:
        """Return the stages of all deal pipelines."""
        ...

    def owners(self) -> list[Owner]:
        """Return the people and queues that records can belong to."""
        ...

    def find_person(self, emails: Sequence[str]) -> Person | None:
        """Return the record that holds one of these addresses, the first that is found."""
        ...

    def create_person(self, draft: PersonDraft) -> Person:
        """Create a record for a person, or return the one that holds the address already."""
        ...

    def open_deal(self, kind: str, record_id: str) -> str:
        """Return an open deal of a record or of its primary company, "" if there is none."""
        ...

    def deal_made(self, key: str) -> str:
        """Return the deal that was made under a key, "" if there is none."""
        ...

    def create_deal(self, draft: DealDraft, key: str) -> str:
        """Create a deal, or return the one that this key made already."""
        ...

    def tie_deal(self, deal_id: str, kind: str, record_id: str) -> None:
        """Tie a deal to a record; that it is tied already is as good."""
        ...

    def add_task(self, draft: TaskDraft, key: str) -> str:
        """Add a task to a record, or return the one that this key made already."""
        ...

    def install(self, own: Sequence[OwnField], *, apply: bool) -> list[SetupStep]:
        """Plan, or apply, our own fields in the CRM; idempotent."""
        ...

    def uninstall(
        self, own: Sequence[OwnField], *, drop_fields: bool, apply: bool
    ) -> list[SetupStep]:
        """Plan, or apply, the removal; without `drop_fields` the fields and their data stay."""
        ...
