"""Every table. The account is in every row, so that no query can reach another's."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.store import tables_more as more
from connector.store.columns import flag, of_account, of_connection, waiting, whole, words
from connector.store.types import Document, Instant, RowId

metadata = more.metadata
answer, poll, journey, entry = more.answer, more.poll, more.journey, more.entry
pulse, tally, journey_alias, handoff = more.pulse, more.tally, more.alias, more.handoff

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    words("name"),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("pipeline", Document, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("system", Text, nullable=False),
    Column("portal", Text, nullable=False),
    words("app"),
    words("api_url"),
    words("signature", "v3"),
    words("state", "active"),
    words("reason"),
    Column("secrets", LargeBinary, nullable=False),
    Column("renew_at", Instant),
    Column("rest_until", Instant),
    whole("failures"),
    Column("vocabulary", Document, nullable=False),
    Column("read_at", Instant),
    words("labels"),
    whole("version", 1),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("system", "app", "portal"),
)

mapping = Table(
    "mapping",
    metadata,
    of_account(),
    of_connection(),
    Column("version", Integer, nullable=False),
    Column("document", Document, nullable=False),
    Column("pipeline", Document, nullable=False),
    Column("vocabulary", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "version"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account_id", Text),
    words("connection_id"),
    Column("system", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary),
    words("trace"),
    words("state", "pending"),
    words("reason"),
    flag("silent"),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("system", "connection_id", "digest"),
    waiting("ix_delivery_waiting", "id", when="state = 'pending'"),
    waiting("ix_delivery_parked", "id", when="state = 'parked'"),
)

event = Table(
    "event",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("key", Text, nullable=False),
    whole("lane"),
    words("state", "pending"),
    words("reason"),
    words("happening"),
    words("object"),
    words("record_id"),
    words("event_id"),
    Column("data", Document, nullable=False),
    words("origin"),
    words("origin_id"),
    flag("silent"),
    words("trace"),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("connection_id", "key"),
    waiting("ix_event_parked", "account_id", "id", when="state = 'parked'"),
    waiting("ix_event_waiting", "account_id", "lane", "id", when="state = 'pending'"),
    Index("ix_event_record", "connection_id", "object", "record_id"),
    Index("ix_event_origin", "connection_id", "origin", "origin_id", "received_at"),
    Index("ix_event_received_at", "received_at"),
)

profile = Table(
    "profile",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("slot", Integer),
    Column("slot_since", Instant),
    Column("disposition", Text),
    Column("success_at", Instant),
    Column("merged_into", Text),
    Column("created_at", Instant, nullable=False),
    Index("ix_profile_slot", "account_id", "slot", "id"),
    Index("ix_profile_since", "account_id", "slot", "slot_since"),
    Index("ix_profile_merged_into", "merged_into"),
)

record = Table(
    "record",
    metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("profile_id", Text, ForeignKey("profile.id")),
    words("email"),
    words("lifecycle"),
    words("lead_status"),
    words("owner"),
    Column("alive", Boolean, nullable=False, server_default=text("true")),
    words("merged_into"),
    Column("pushed", Document, nullable=False),
    whole("asked"),
    whole("ask_lane"),
    Column("ask_at", Instant),
    words("ask_trace"),
    Column("read_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("claim", Integer),
    PrimaryKeyConstraint("connection_id", "object", "record_id"),
    Index("ix_record_profile", "profile_id"),
    Index("ix_record_email", "account_id", "email"),
    waiting("ix_record_asking", "connection_id", "ask_lane", "ask_at", when="ask_at IS NOT NULL"),
)

fact = Table(
    "fact",
    metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("value", Text, nullable=False),
    whole("version", 1),
    flag("ours"),
    flag("silent"),
    Column("learned_at", Instant, nullable=False),
    PrimaryKeyConstraint(
        "connection_id", "object", "record_id", "field", "happened_at", "event_id", "value"
    ),
)

_ENDS = ("from_object", "from_id", "to_object", "to_id")
link = Table(
    "link",
    metadata,
    of_account(),
    of_connection(),
    *(Column(name, Text, nullable=False) for name in _ENDS),
    Column("happened_at", Instant, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("present", Boolean, nullable=False),
    flag("silent"),
    PrimaryKeyConstraint("connection_id", *_ENDS, "happened_at", "event_id", "present"),
    Index("ix_link_to", "connection_id", "to_object", "to_id"),
)

step = Table(
    "step",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("slot", Integer),
    Column("start", Integer),
    Column("actor", Text, nullable=False),
    words("reason"),
    words("cause"),
    words("batch_id"),
    Column("funnel", Document, nullable=False),
    flag("silent"),
    flag("unmuting"),
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_step_profile", "profile_id"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    words("reason"),
    Column("undone_at", Instant),
    Column("created_at", Instant, nullable=False),
    Index("ix_batch_created", "account_id", "created_at", "id"),
)

effect = Table(
    "effect",
    metadata,
    of_account(),
    Column("batch_id", Text, nullable=False),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("before", Integer),
    Column("after", Integer, nullable=False),
    PrimaryKeyConstraint("batch_id", "profile_id"),
    Index("ix_effect_profile", "profile_id"),
)

move = Table(
    "move",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    whole("position"),
    Column("start", Integer),
    Column("goal", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    words("reason"),
    words("batch_id"),
    Column("step_key", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("superseded_at", Instant),
    Index("ix_move_profile", "profile_id", "position"),
    Index("ix_move_batch", "batch_id"),
)

tombstone = Table(
    "tombstone",
    metadata,
    of_account(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("erased_at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "kind", "key"),
)

_UNSENT = "state IN ('pending','sending')"
outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("profile_id", Text),
    Column("purpose", Text, nullable=False),
    Column("fields", Document, nullable=False),
    Column("seen", Document, nullable=False),
    Column("slot", Integer),
    words("cause"),
    whole("lane"),
    words("state", "pending"),
    words("reason"),
    whole("attempts"),
    Column("hold_id", Text),
    whole("token"),
    words("trace"),
    Column("wanted_at", Instant),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    waiting("ix_outbox_waiting", "connection_id", "lane", "due_at", when=_UNSENT),
    waiting("ix_outbox_oldest", "created_at", when=_UNSENT),
    waiting("ix_outbox_aside", "state", "created_at", when="state IN ('parked','held')"),
    Index("ix_outbox_record", "connection_id", "object", "record_id", "state"),
    Index("ix_outbox_profile", "profile_id"),
    Index("ix_outbox_state", "account_id", "state", "id"),
    Index("ix_outbox_cause", "account_id", "cause", "created_at"),
)

written = Table(
    "written",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    words("seen"),
    Column("seen_at", Instant),
    words("cause"),
    Column("intent_at", Instant, nullable=False),
    Column("written_at", Instant),
    flag("restored"),
    Index("ix_written_record", "connection_id", "object", "record_id", "field"),
    Index("ix_written_cause", "account_id", "cause", "intent_at"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("before", Text, nullable=False),
    words("state", "open"),
    Column("opened_at", Instant, nullable=False),
    waiting("ix_journal_open", "connection_id", when="state = 'open'"),
)

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("cause", Text, nullable=False),
    words("reason"),
    Column("opened_at", Instant, nullable=False),
    Column("released_at", Instant),
    Index("ix_hold_cause", "account_id", "cause"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", RowId, nullable=False),
    words("holder"),
    Column("until", Instant, nullable=False),
    Column("note", Document),
)

backfill = Table(
    "backfill",
    metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("after", Text),
    whole("done"),
    words("state", "running"),
    Column("started_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "object"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    Column("profile_id", Text),
    words("record_id"),
    Column("what", Text, nullable=False),
    words("detail"),
    Column("at", Instant, nullable=False),
    Index("ix_audit_profile", "account_id", "profile_id", "id"),
)
