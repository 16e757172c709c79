"""Every table. The account is in every row, so that no query can reach another's."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.store.types import Document, Instant, RowId

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, default: str | None = "") -> Column[str]:
    """Make a text column that is never null unless it has no default."""
    return Column(name, Text, nullable=default is None, server_default=default)


def _whole(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=str(default))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _account() -> Column[str]:
    return Column("account_id", Text, ForeignKey("account.id"), nullable=False)


def _connection() -> Column[str]:
    return Column("connection_id", Text, ForeignKey("connection.id"), nullable=False)


def _where(name: str, *columns: str, when: str) -> Index:
    """Make an index over the few rows that wait for something."""
    return Index(name, *columns, sqlite_where=text(when), postgresql_where=text(when))


account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("pipeline", Document, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("system", Text, nullable=False),
    Column("portal", Text, nullable=False),
    _text("app"),
    _text("api_url"),
    _text("signature", "v3"),
    _text("state", "active"),
    _text("reason"),
    Column("secrets", LargeBinary, nullable=False),
    Column("renew_at", Instant),
    Column("rest_until", Instant),
    _whole("failures"),
    Column("vocabulary", Document, nullable=False),
    Column("read_at", Instant),
    _text("labels"),
    _whole("version", 1),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("system", "app", "portal"),
)

mapping = Table(
    "mapping",
    metadata,
    _account(),
    _connection(),
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
    _text("connection_id"),
    Column("system", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary),
    _text("trace"),
    _text("state", "pending"),
    _text("reason"),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("system", "connection_id", "digest"),
    _where("ix_delivery_waiting", "id", when="state = 'pending'"),
    Index("ix_delivery_received_at", "received_at"),
)

event = Table(
    "event",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    _connection(),
    Column("key", Text, nullable=False),
    _whole("lane"),
    _text("state", "pending"),
    _text("reason"),
    _text("happening"),
    _text("object"),
    _text("record_id"),
    _text("event_id"),
    Column("data", Document, nullable=False),
    _text("origin"),
    _text("origin_id"),
    _flag("silent"),
    _text("trace"),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("connection_id", "key"),
    _where("ix_event_waiting", "account_id", "lane", "id", when="state = 'pending'"),
    Index("ix_event_record", "connection_id", "object", "record_id"),
    Index("ix_event_origin", "connection_id", "origin", "origin_id", "received_at"),
    Index("ix_event_received_at", "received_at"),
)

profile = Table(
    "profile",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("slot", Integer),
    Column("slot_since", Instant),
    Column("disposition", Text),
    Column("success_at", Instant),
    Column("merged_into", Text),
    Column("created_at", Instant, nullable=False),
    Index("ix_profile_slot", "account_id", "slot", "id"),
    Index("ix_profile_merged_into", "merged_into"),
)

record = Table(
    "record",
    metadata,
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("profile_id", Text, ForeignKey("profile.id")),
    _text("email"),
    _text("lifecycle"),
    _text("lead_status"),
    _text("owner"),
    Column("alive", Boolean, nullable=False, server_default=text("true")),
    _text("merged_into"),
    Column("pushed", Document, nullable=False),
    _whole("asked"),
    _whole("ask_lane"),
    Column("ask_at", Instant),
    Column("read_at", Instant),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "object", "record_id"),
    Index("ix_record_profile", "profile_id"),
    Index("ix_record_email", "account_id", "email"),
    _where("ix_record_asking", "connection_id", "ask_lane", "ask_at", when="ask_at IS NOT NULL"),
)

fact = Table(
    "fact",
    metadata,
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("value", Text, nullable=False),
    _whole("version", 1),
    _flag("ours"),
    _flag("silent"),
    Column("learned_at", Instant, nullable=False),
    PrimaryKeyConstraint(
        "connection_id", "object", "record_id", "field", "happened_at", "event_id", "value"
    ),
)

link = Table(
    "link",
    metadata,
    _account(),
    _connection(),
    Column("from_object", Text, nullable=False),
    Column("from_id", Text, nullable=False),
    Column("to_object", Text, nullable=False),
    Column("to_id", Text, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("present", Boolean, nullable=False),
    PrimaryKeyConstraint(
        "connection_id",
        "from_object",
        "from_id",
        "to_object",
        "to_id",
        "happened_at",
        "event_id",
        "present",
    ),
    Index("ix_link_to", "connection_id", "to_object", "to_id"),
)

step = Table(
    "step",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("slot", Integer),
    Column("start", Integer),
    Column("actor", Text, nullable=False),
    _text("reason"),
    _text("cause"),
    _text("batch_id"),
    Column("funnel", Document, nullable=False),
    _flag("silent"),
    _flag("unmuting"),
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_step_profile", "profile_id"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _text("reason"),
    Column("undone_at", Instant),
    Column("created_at", Instant, nullable=False),
    Index("ix_batch_created", "account_id", "created_at", "id"),
)

move = Table(
    "move",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    _whole("position"),
    Column("start", Integer),
    Column("goal", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    _text("reason"),
    _text("batch_id"),
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
    _account(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("erased_at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "kind", "key"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("profile_id", Text),
    Column("purpose", Text, nullable=False),
    Column("fields", Document, nullable=False),
    Column("seen", Document, nullable=False),
    Column("slot", Integer),
    _text("cause"),
    _whole("lane"),
    _text("state", "pending"),
    _text("reason"),
    _whole("attempts"),
    Column("hold_id", Text),
    _whole("token"),
    _text("trace"),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    _where(
        "ix_outbox_waiting", "connection_id", "lane", "due_at", when="state IN ('pending','sending')"
    ),
    Index("ix_outbox_record", "connection_id", "object", "record_id", "state"),
    Index("ix_outbox_state", "account_id", "state", "id"),
    Index("ix_outbox_cause", "account_id", "cause", "created_at"),
)

written = Table(
    "written",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    _text("seen"),
    Column("seen_at", Instant),
    _text("cause"),
    Column("intent_at", Instant, nullable=False),
    Column("written_at", Instant),
    _flag("restored"),
    Index("ix_written_record", "connection_id", "object", "record_id", "field"),
    Index("ix_written_cause", "account_id", "cause", "intent_at"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("before", Text, nullable=False),
    _text("state", "open"),
    Column("opened_at", Instant, nullable=False),
    _where("ix_journal_open", "connection_id", when="state = 'open'"),
)

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("cause", Text, nullable=False),
    _text("reason"),
    Column("opened_at", Instant, nullable=False),
    Column("released_at", Instant),
    Index("ix_hold_cause", "account_id", "cause"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", RowId, nullable=False),
    _text("holder"),
    Column("until", Instant, nullable=False),
    Column("note", Document),
)

backfill = Table(
    "backfill",
    metadata,
    _account(),
    _connection(),
    Column("object", Text, nullable=False),
    Column("after", Text),
    _whole("done"),
    _text("state", "running"),
    Column("started_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "object"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    _account(),
    Column("profile_id", Text),
    _text("record_id"),
    Column("what", Text, nullable=False),
    _text("detail"),
    Column("at", Instant, nullable=False),
    Index("ix_audit_profile", "account_id", "profile_id", "id"),
)
