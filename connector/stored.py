"""What is stored, as values: the rows that the pipeline works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connector.domain.creations import Made
from connector.domain.entries import Entry
from connector.domain.facts import AccountId, ConnectionId, Fact, Link, ProfileId, RecordKey
from connector.domain.handoffs import Intent
from connector.domain.identity import Name
from connector.domain.notices import Told
from connector.domain.rules.decisions import Decisions
from connector.domain.scores import Score
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.lookup import Lookup
from connector.mapping.table import Disposition
from connector.ports import Event

# Who waits: opt-outs before people before bulk.
URGENT, LIVE, BULK = 0, 1, 2
# A clear-then-set that ended.
CLOSED = "done"
# Stands among `pushed` while nobody knows what our own fields hold.
UNKNOWN = "?"


class State(StrEnum):
    """Where a row of the inbox or outbox is on its way."""

    PENDING = "pending"
    DONE = "done"
    PARKED = "parked"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    DROPPED = "dropped"


class Purpose(StrEnum):
    """What a write is for."""

    OWN = "own"  # our own read-out fields
    STAGE = "stage"  # lifecycle stage and lead status, three-way
    RESTORE = "restore"  # a human's value that our write ran over
    LEVER = "lever"  # blank the rep's lever
    OPT_OUT = "opt_out"  # push an opt-out on
    STATUS = "status"  # a new lead's status
    OWNER = "owner"  # an owner where there is none
    DEAL = "deal"  # one deal
    TASK = "task"  # a task for the owner
    CREATE = "create"  # a record for somebody who has none
    ERASE = "erase"  # blank our fields after an erasure


@dataclass(frozen=True, slots=True)
class Account:
    """A customer of ours."""

    id: AccountId
    name: str
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Connection:
    """An account's link to one CRM.

    `labels` says whether our fields are installed there: "", "installed" or "stale".
    """

    id: ConnectionId
    account_id: AccountId
    system: str
    portal: str
    app: str
    api_url: str
    signature: str
    state: str
    reason: str
    version: int
    renew_at: datetime | None = None
    read_at: datetime | None = None
    rest_until: datetime | None = None
    failures: int = 0
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A webhook request to be kept; `owner` is the account and connection of its URL, if any."""

    system: str
    owner: tuple[str, str] | None
    body: bytes
    received_at: datetime
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A pass of the poller over one connection, running or done.

    `place` and `after` say where it is, `newest` the newest change that it saw of the object at
    hand. `differed` counts in the pass that runs, `found` is the count of the last that ended.
    `sweeps` says whether it looks at deleted records too; `due_at` when it goes on.
    """

    started_at: datetime
    due_at: datetime
    state: str = "running"
    place: int = 0
    after: str | None = None
    newest: datetime | None = None
    sweeps: bool = False
    differed: int = 0
    found: int = 0
    failures: int = 0
    reason: str = ""
    ended_at: datetime | None = None
    swept_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request, as it came."""

    id: int
    account_id: AccountId | None
    connection_id: ConnectionId | None
    system: str
    body: bytes
    received_at: datetime
    trace: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event in the inbox."""

    id: int
    connection_id: ConnectionId
    event: Event
    received_at: datetime
    lane: int = LIVE
    silent: bool = False
    trace: str = ""

    @property
    def record(self) -> RecordKey:
        """The record that the event is about."""
        return RecordKey(self.connection_id, self.event.object, self.event.record_id)


@dataclass(frozen=True, slots=True)
class Record:
    """A CRM record as we know it. `pushed` is what our own fields hold there.

    `claim` is the slot that it says and that another CRM is master of.
    """

    key: RecordKey
    profile_id: ProfileId | None = None
    email: str = ""
    lifecycle: str = ""
    lead_status: str = ""
    owner: str = ""
    alive: bool = True
    merged_into: str = ""
    pushed: Mapping[str, str] = field(default_factory=dict)
    ask_at: datetime | None = None
    ask_lane: int = LIVE
    asked: int = 0
    read_at: datetime | None = None
    created_at: datetime | None = None
    claim: Slot | None = None
    ask_trace: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One visitor or contact."""

    id: ProfileId
    slot: Slot | None = None
    slot_since: datetime | None = None
    disposition: Disposition | None = None
    success_at: datetime | None = None
    merged_into: ProfileId | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnStep:
    """A step that a person, a rule or the system took."""

    id: str
    profile_id: ProfileId
    kind: Kind
    actor: Actor
    happened_at: datetime
    recorded_at: datetime
    funnel: tuple[Slot, ...]
    slot: Slot | None = None
    start: Slot | None = None
    reason: str = ""
    cause: str = ""
    batch_id: str = ""
    silent: bool = False
    unmuting: bool = False


@dataclass(frozen=True, slots=True)
class LedgerMove:
    """A move as the ledger keeps it; `id` is 0 until stored."""

    id: int
    profile_id: ProfileId
    position: int
    start: Slot | None
    goal: Slot
    actor: Actor
    reason: str
    batch_id: str
    step_key: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerAnswer:
    """A change of a record's lead status or disposition as the ledger keeps it.

    `mql_at` is the entry to MQL that it answers, None before the first.
    """

    record: RecordKey
    lead_status: str
    disposition: Disposition | None
    actor: Actor
    mql_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """What a re-evaluation did to one profile as a whole, however much of its past it retold."""

    batch_id: str
    profile_id: ProfileId
    before: Slot | None
    after: Slot


@dataclass(frozen=True, slots=True)
class Batch:
    """Moves with one cause."""

    id: str
    cause: str
    actor: Actor
    reason: str
    created_at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that waits in the outbox; `id` is 0 until stored.

    `seen` is what the CRM held when the write was wanted: where it was given something else
    after `wanted_at`, theirs stands. `intent`: only where this hand-off is entered with it.
    """

    id: int
    record: RecordKey
    purpose: Purpose
    fields: Mapping[str, str]
    seen: Mapping[str, str] = field(default_factory=dict)
    profile_id: ProfileId | None = None
    slot: Slot | None = None
    cause: str = ""
    lane: int = LIVE
    state: State = State.PENDING
    reason: str = ""
    attempts: int = 0
    hold_id: str | None = None
    due_at: datetime | None = None
    created_at: datetime | None = None
    trace: str = ""
    wanted_at: datetime | None = None
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the holder of a connection's lease takes from the outbox; nothing behind `lane`."""

    token: int
    most: int = 100
    lane: int = BULK


@dataclass(frozen=True, slots=True)
class Writing:
    """A row of the write ledger: what we wrote (or are about to), over what, and when."""

    id: int
    record: RecordKey
    field: str
    value: str
    seen: str
    seen_at: datetime | None
    intent_at: datetime
    written_at: datetime | None = None
    cause: str = ""
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """An audit entry."""

    what: str
    detail: str
    at: datetime
    profile_id: ProfileId | None = None
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everything there is to know about some records and the profiles behind them.

    `pending` are the writes that wait, `sending` those under way; `names` says whose visitors'
    addresses are, `made` whose records that we made or found are.
    """

    records: Mapping[RecordKey, Record] = field(default_factory=dict)
    facts: Mapping[RecordKey, Sequence[Fact]] = field(default_factory=dict)
    links: Sequence[Link] = ()
    profiles: Mapping[ProfileId, Profile] = field(default_factory=dict)
    steps: Mapping[ProfileId, Sequence[OwnStep]] = field(default_factory=dict)
    moves: Mapping[ProfileId, Sequence[LedgerMove]] = field(default_factory=dict)
    pending: Mapping[tuple[RecordKey, Purpose], Pending] = field(default_factory=dict)
    sending: frozenset[tuple[RecordKey, Purpose]] = frozenset()
    writings: Mapping[RecordKey, Sequence[Writing]] = field(default_factory=dict)
    answers: Mapping[RecordKey, Sequence[LedgerAnswer]] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    entries: Mapping[ProfileId, Sequence[Entry]] = field(default_factory=dict)
    scores: Mapping[ProfileId, Score] = field(default_factory=dict)
    made: Mapping[RecordKey, Made] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What one unit of work wants stored; everything or nothing."""

    records: dict[RecordKey, Record] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    profiles: dict[ProfileId, Profile] = field(default_factory=dict)
    steps: list[OwnStep] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    moves: list[LedgerMove] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    answers: list[LedgerAnswer] = field(default_factory=list)
    unanswered: list[LedgerAnswer] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    unentered: list[Entry] = field(default_factory=list)
    notices: list[Told] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    batches: dict[str, Batch] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    unwanted: list[int] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    parked: dict[int, str] = field(default_factory=dict)
    erased: list[ProfileId] = field(default_factory=list)
    buried: dict[tuple[str, str], datetime] = field(default_factory=dict)
    rehomed: dict[ProfileId, ProfileId] = field(default_factory=dict)
    restored: list[int] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    asked: set[RecordKey] = field(default_factory=set)
    burned: list[int] = field(default_factory=list)
    decisions: Decisions = field(default_factory=Decisions)
    intents: list[Intent] = field(default_factory=list)
    marked: set[ProfileId] = field(default_factory=set)  # whose success was marked, or taken back
    rescore: set[ProfileId] = field(default_factory=set)
    joined: list[RecordKey] = field(default_factory=list)
    doubted: set[RecordKey] = field(default_factory=set)  # whose own fields are written again


Lookups = Mapping[ConnectionId, Mapping[int, Lookup]]
