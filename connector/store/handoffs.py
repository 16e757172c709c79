"""Queries on hand-offs: each part is entered once, whoever comes to think of it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, exists, select, update

from connector.domain.facts import AccountId, ConnectionId, RecordKey
from connector.domain.handoffs import Intent, Part
from connector.store import tables as t
from connector.store.sql import add_one, upsert
from connector.store.tables_handoff import handoff, turn
from connector.stored import Connection, Purpose, State

OWNER_TURN = "owner"


def enter(tx: Tx, account_id: AccountId, intents: Iterable[Intent], now: datetime) -> set[str]:
    """Enter intents; return the keys of those that nobody had before, for any record of a person.

    What has no date of its own is in the outbox, entered by the same transaction.
    """
    fresh = set()
    for one in intents:
        row = {"key": one.key, "account_id": account_id, **one.record._asdict(), "part": one.part}
        row |= {"answers": one.answers, "due_at": one.due_at, "created_at": now}
        if not _is_answered(tx, one) and add_one(tx, handoff, row):
            fresh.add(one.key)
    return fresh


def _is_answered(tx: Tx, one: Intent) -> bool:
    """Say whether another record of the same person in this CRM has this part already."""
    own, kin = t.record.alias("own"), t.record.alias("kin")
    same = (
        own.c.connection_id == one.record.connection_id,
        own.c.object == one.record.object,
        own.c.record_id == one.record.record_id,
        kin.c.connection_id == own.c.connection_id,
        kin.c.profile_id == own.c.profile_id,
        handoff.c.connection_id == kin.c.connection_id,
        handoff.c.object == kin.c.object,
        handoff.c.record_id == kin.c.record_id,
        handoff.c.part == one.part,
        handoff.c.answers == one.answers,
    )
    return bool(tx.execute(select(exists().where(*same))).scalar_one())


class Handoffs:
    """Queries on what is handed to sales."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def due(self, connection_id: ConnectionId, now: datetime, most: int) -> list[Intent]:
        """Return what the clock has come for, oldest first."""
        own = (handoff.c.connection_id == connection_id, handoff.c.due_at <= now)
        query = select(handoff).where(*own).order_by(handoff.c.due_at, handoff.c.key).limit(most)
        return [_intent(row) for row in self.tx.execute(query)]

    def in_state(self, connection_id: ConnectionId, state: str, most: int) -> list[Intent]:
        """Return the intents of a connection that are in a state."""
        own = (handoff.c.connection_id == connection_id, handoff.c.state == state)
        query = select(handoff).where(*own).order_by(handoff.c.key).limit(most)
        return [_intent(row) for row in self.tx.execute(query)]

    def postpone(self, key: str, due_at: datetime) -> None:
        """Look at an intent again later."""
        self._set(key, {"due_at": due_at})

    def conclude(self, key: str, state: str, outcome: str = "") -> None:
        """Keep what became of an intent: no clock comes for it any more."""
        self._set(key, {"state": state, "outcome": outcome, "due_at": None})

    def withdraw(self, key: str) -> None:
        """Forget an intent that nobody means any more: what it answers may be answered anew."""
        self.tx.execute(delete(handoff).where(handoff.c.key == key))

    def find(self, key: str) -> Intent | None:
        """Return an intent by its key."""
        row = self.tx.execute(select(handoff).where(handoff.c.key == key)).first()
        return _intent(row) if row else None

    def is_writing(self, record: RecordKey, purpose: Purpose) -> bool:
        """Say whether a write of this purpose still waits for a record."""
        own = (t.outbox.c[name] == value for name, value in record._asdict().items())
        open_states = (State.PENDING, State.SENDING, State.HELD)
        waiting = exists().where(
            *own, t.outbox.c.purpose == purpose, t.outbox.c.state.in_(open_states)
        )
        return bool(self.tx.execute(select(waiting)).scalar_one())

    def is_parked(self, key: str, purpose: Purpose) -> bool:
        """Say whether a write of this purpose that came with an intent, or later, was put aside."""
        box = t.outbox.c
        same = (box[name] == handoff.c[name] for name in ("connection_id", "object", "record_id"))
        since = (handoff.c.key == key, box.created_at >= handoff.c.created_at)
        parked = exists().where(*same, *since, box.purpose == purpose, box.state == State.PARKED)
        return bool(self.tx.execute(select(parked)).scalar_one())

    def last_turn(self, connection_id: ConnectionId) -> str:
        """Return whose turn it was last, "" before the first; the lease keeps others from it."""
        own = (turn.c.connection_id == connection_id, turn.c.name == OWNER_TURN)
        return self.tx.execute(select(turn.c.last).where(*own)).scalar() or ""

    def take_turn(self, connection: Connection, last: str) -> None:
        """Keep whose turn it was."""
        row = {"account_id": connection.account_id, "connection_id": connection.id}
        made = upsert(self.tx, turn).values(**row, name=OWNER_TURN, last=last)
        keys = ["connection_id", "name"]
        self.tx.execute(made.on_conflict_do_update(index_elements=keys, set_={"last": last}))

    def choose(self, chosen: Mapping[int, Mapping[str, str]]) -> None:
        """Put into writes that are being sent what they are to write."""
        for row_id, fields in chosen.items():
            own = (t.outbox.c.id == row_id, t.outbox.c.state == State.SENDING)
            self.tx.execute(update(t.outbox).where(*own).values(fields=dict(fields)))

    def _set(self, key: str, values: Mapping[str, Any]) -> None:
        self.tx.execute(update(handoff).where(handoff.c.key == key).values(**values))


def _intent(row: Row[Any]) -> Intent:
    key = RecordKey(ConnectionId(row.connection_id), row.object, row.record_id)
    return Intent(row.key, key, Part(row.part), row.answers, row.due_at)
