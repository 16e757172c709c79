"""Entries to MQL as they are stored, and the one query that the feedback is counted from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from connector.domain.entries import Entry
from connector.domain.facts import AccountId, ProfileId
from connector.store.ledgers import entry
from connector.store.sql import put
from connector.store.tables_journeys import visitor


class Entries:
    """Queries on entries to MQL."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx

    def told(
        self, account_id: AccountId, since: datetime | None, until: datetime | None
    ) -> Iterator[tuple[Entry, dict[str, str]]]:
        """Yield entries from one time up to another, each with where its visitor first came from.

        A first visit after the entry says nothing about it.
        """
        own = entry.c
        first = and_(visitor.c.profile_id == own.profile_id, visitor.c.first_at <= own.occurred_at)
        query = (
            select(entry, visitor.c.origin, visitor.c.first_at)
            .outerjoin(visitor, first)
            .where(own.account_id == account_id, own.superseded_at.is_(None))
        )
        if since is not None:
            query = query.where(own.occurred_at >= since)
        if until is not None:
            query = query.where(own.occurred_at < until)
        for row in self.tx.execute(query):
            yield as_entry(row), row.origin


def keep(
    tx: Connection,
    account_id: AccountId,
    told: Sequence[Entry],
    untrue: Sequence[Entry],
    now: datetime,
) -> None:
    """Store entries; those that became untrue are superseded, not forgotten.

    One that becomes true again keeps the score of the time when we first learned of it.
    """
    for one in untrue:
        own = (entry.c.profile_id == one.profile_id, entry.c.step_key == one.step_key)
        query = update(entry).where(*own, entry.c.occurred_at == one.occurred_at)
        tx.execute(query.values(superseded_at=now))
    rows = [{"account_id": account_id, "recorded_at": now} | _row(one) for one in told]
    put(tx, entry, rows, ["recorded_at", "score"])


def _row(one: Entry) -> dict[str, Any]:
    return {
        "profile_id": one.profile_id,
        "step_key": one.step_key,
        "occurred_at": one.occurred_at,
        "rule": one.rule,
        "owner": one.owner,
        "score": one.score,
        "accepted_at": one.accepted_at,
        "sql_at": one.sql_at,
        "touched_at": one.touched_at,
        "dispositions": list(one.dispositions),
        "superseded_at": None,
    }


def as_entry(row: Row[Any]) -> Entry:
    """Return an entry's row as a value."""
    return Entry(
        ProfileId(row.profile_id),
        row.step_key,
        row.occurred_at,
        row.rule,
        row.owner,
        row.score,
        row.accepted_at,
        row.sql_at,
        row.touched_at,
        tuple(row.dispositions),
    )
