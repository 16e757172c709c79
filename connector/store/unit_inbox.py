"""What a transaction does in the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId
from connector.store import inbox
from connector.store.inbox import Backlog
from connector.stored import Arrival, Delivery


class InboxUnit:
    """The inbox's part of a unit of work."""

    tx: Tx

    def waiting_deliveries(self, most: int) -> list[Delivery]:
        """Return deliveries to split."""
        return inbox.waiting_deliveries(self.tx, most)

    def close_delivery(self, delivery_id: int, reason: str = "") -> None:
        """End a delivery, or park it with its reason."""
        inbox.close_delivery(self.tx, delivery_id, reason)

    def add_events(self, account_id: AccountId, arrivals: Sequence[Arrival]) -> None:
        """Keep events; those seen before are left as they are."""
        inbox.add_events(self.tx, account_id, arrivals)

    def park_part(
        self,
        account_id: AccountId,
        connection_id: ConnectionId,
        part: tuple[str, str, str],
        now: datetime,
    ) -> None:
        """Park a part of a delivery that could not be read."""
        inbox.park_part(self.tx, account_id, connection_id, part, now)

    def unread(self, connection_id: str) -> int:
        """Count a connection's deliveries, and parts of them, that were parked unread."""
        return inbox.unread(self.tx, connection_id)

    def waiting_events(self, account_id: AccountId, most: int) -> list[Arrival]:
        """Return the events to work on next."""
        return inbox.waiting_events(self.tx, account_id, most)

    def park_event(self, event_id: int, reason: str) -> None:
        """Put an event aside with its reason."""
        inbox.park_event(self.tx, event_id, reason)

    def recent_of(
        self, connection_id: ConnectionId, source: tuple[str, str], now: datetime, most: int
    ) -> int:
        """Count what one source of a connection made in the last minute, up to `most`."""
        return inbox.recent_of(self.tx, connection_id, source, now, most)

    def listed_deliveries(
        self, account_id: AccountId, state: str, after: int, most: int
    ) -> list[Any]:
        """Return deliveries in a state, from behind `after`."""
        return inbox.list_deliveries(self.tx, account_id, state, after, most)

    def listed_events(self, account_id: AccountId, state: str, after: int, most: int) -> list[Any]:
        """Return events in a state, from behind `after`."""
        return inbox.list_events(self.tx, account_id, state, after, most)

    def parked_events(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked events that can be worked on again."""
        return inbox.parked(self.tx, account_id, text)

    def replay_events(self, account_id: AccountId | None, ids: Sequence[int]) -> int:
        """Put parked events back in line, silently."""
        return inbox.replay(self.tx, account_id, ids)

    def parked_deliveries(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked deliveries that may be split again."""
        return inbox.parked_deliveries(self.tx, account_id, text)

    def split_again(self, ids: Sequence[int]) -> int:
        """Put parked deliveries back in line, silently."""
        return inbox.split_again(self.tx, ids)

    def inbox_backlog(self, account_id: AccountId | None = None) -> Backlog:
        """Count what the inbox still holds."""
        return inbox.backlog(self.tx, account_id)

    def probe(self) -> None:
        """Prove that the database takes writes."""
        inbox.probe(self.tx)
