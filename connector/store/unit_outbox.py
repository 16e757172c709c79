"""What a transaction does in the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId, RecordKey
from connector.store import outbox, pushed
from connector.store.inbox import Backlog
from connector.store.records import records
from connector.stored import BULK, Claim, Connection, Pending, Record, Writing


class OutboxUnit:
    """The outbox's part of a unit of work."""

    tx: Tx

    def claim(self, connection_id: ConnectionId, now: datetime, wanted: Claim) -> list[Pending]:
        """Take the writes to send next, all of one object and purpose."""
        return outbox.claim(self.tx, connection_id, now, wanted)

    def recover(self, connection_id: ConnectionId, token: int, now: datetime) -> int:
        """Take back what an earlier holder of the lease was sending."""
        return outbox.recover(self.tx, connection_id, token, now)

    def doubt(self, keys: Sequence[RecordKey], now: datetime) -> None:
        """Keep that nobody knows what our own fields hold on records, or on what they became."""
        pushed.doubt(self.tx, keys, now)

    def rewrite(self, keys: Sequence[RecordKey], now: datetime) -> None:
        """Have all of our own fields written again to records."""
        pushed.rewrite(self.tx, keys, now)

    def settle(self, rows: Sequence[Pending], now: datetime) -> None:
        """Store what became of writes."""
        outbox.settle(self.tx, rows, now)

    def records(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Record]:
        """Return records of one connection and object."""
        return records(self.tx, keys)

    def pushed(
        self, fields: Mapping[RecordKey, Mapping[str, str]], whole: Collection[RecordKey]
    ) -> None:
        """Keep what was written to records, all of our fields to the `whole` ones."""
        pushed.keep(self.tx, fields, whole)

    def ask(self, keys: Sequence[RecordKey], at: datetime | None, lane: int = 1) -> None:
        """Have records read at a time, or (None) no more."""
        outbox.ask(self.tx, keys, at, lane)

    def asked(
        self, connection_id: ConnectionId, now: datetime, most: int, lane: int = BULK
    ) -> list[Record]:
        """Return the records to read next, all of one object, none behind `lane`."""
        return outbox.asked(self.tx, connection_id, now, most, lane)

    def retry_parked(self, connection: Connection, now: datetime) -> int:
        """Put every parked write of a connection back in line."""
        return outbox.retry_parked(self.tx, connection.id, now)

    def intend(self, account_id: AccountId, writings: Sequence[Writing]) -> None:
        """Enter writes into the write ledger before they are sent."""
        outbox.intend(self.tx, account_id, writings)

    def written(self, writing: Writing, at: datetime) -> None:
        """Date a write by the CRM's own clock once it is done."""
        outbox.written(self.tx, writing, at)

    def last_written(self, key: RecordKey, field: str) -> Writing | None:
        """Return our newest write of a field."""
        return outbox.last_written(self.tx, key, field)

    def counted(
        self, account_id: AccountId, causes: Sequence[str], since: datetime
    ) -> dict[str, int]:
        """Count what each cause has written, or wants to, since then."""
        return outbox.counted(self.tx, account_id, causes, since)

    def open_holds(self, account_id: AccountId) -> dict[str, str]:
        """Return the open holds by cause."""
        return outbox.open_holds(self.tx, account_id)

    def holds(self, account_id: AccountId | None = None) -> list[dict[str, Any]]:
        """Return the open holds with the number of writes that each keeps back."""
        return outbox.holds(self.tx, account_id)

    def release(self, hold_id: str, now: datetime) -> int:
        """Let the writes of a hold go."""
        return outbox.release(self.tx, hold_id, now)

    def listed_writes(self, account_id: AccountId, state: str, after: int, most: int) -> list[Any]:
        """Return writes in a state, from behind `after`."""
        return outbox.listed(self.tx, account_id, state, after, most)

    def parked_writes(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked writes."""
        return outbox.parked(self.tx, account_id, text)

    def replay_writes(self, account_id: AccountId | None, now: datetime, ids: Sequence[int]) -> int:
        """Put parked writes back in line."""
        return outbox.replay(self.tx, account_id, now, ids)

    def outbox_backlog(self, account_id: AccountId | None = None) -> Backlog:
        """Count what the outbox still holds."""
        return outbox.backlog(self.tx, account_id)

    def open_journal(self, account_id: AccountId, entry: Mapping[str, Any], now: datetime) -> int:
        """Write down, before a field is cleared, what it has to be set to."""
        return outbox.open_journal(self.tx, account_id, entry, now)

    def close_journal(self, entry_id: int) -> None:
        """Tick a clear-then-set off."""
        outbox.close_journal(self.tx, entry_id)

    def journal(self, connection_id: ConnectionId) -> list[Any]:
        """Return every clear-then-set that was begun and not ended."""
        return outbox.journal(self.tx, connection_id)
