"""The table of records that we have a CRM make."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from connector.store.columns import metadata, of_account, of_connection, waiting, words
from connector.store.types import Instant

# Once for each profile and connection. `called_at` is when a call that makes one first began: it
# counts for that day whatever came of it. `joined_at` is when the record was read as the profile's.
creation = Table(
    "creation",
    metadata,
    Column("key", Text, primary_key=True),
    of_account(),
    of_connection(),
    Column("profile_id", Text, nullable=False),
    words("state", "waiting"),
    words("object"),
    words("record_id"),
    Column("called_at", Instant),
    Column("joined_at", Instant),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("connection_id", "profile_id"),
    Index("ix_creation_called", "connection_id", "called_at"),
    Index("ix_creation_profile", "profile_id"),
    waiting(
        "ix_creation_unread",
        "connection_id",
        "object",
        "record_id",
        when="record_id <> '' AND joined_at IS NULL",
    ),
)
