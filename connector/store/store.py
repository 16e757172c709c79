"""The store: opens transactions, with or without a fence, and hands out what they can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx

from connector.store import inbox, leases
from connector.store.config import Library
from connector.store.convoy import Convoy
from connector.store.engine import PATIENCE, Database
from connector.store.leases import Fence, IsDead
from connector.store.renewal import renewed
from connector.store.secrets import SecretBox
from connector.store.unit import Unit
from connector.stored import Parcel

# A holder that shows no sign of life for this long has lost its lease.
LEASE = timedelta(seconds=30)


class Store:
    """One database with its keys.

    `holder` names this process in leases, `is_dead` tells of another holder whether it is gone.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        holder: str,
        is_dead: IsDead = lambda _holder: False,
    ) -> None:
        self.database = database
        self.box = box
        self.holder = holder
        self._is_dead = is_dead
        self._library = Library()
        self._convoy = Convoy(self._keep, database.flush, PATIENCE)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """Open a transaction that only reads."""
        with self.database.reading() as tx:
            yield self._unit(tx)

    @contextmanager
    def writing(self, fence: Fence | None = None) -> Iterator[Unit]:
        """Open a transaction that writes; with a fence it commits only under that lease."""
        with self.database.writing() as tx:
            if fence is not None:
                leases.hold(tx, fence, datetime.now(UTC) + LEASE)
            yield self._unit(tx)

    def keep(self, parcel: Parcel) -> bool:
        """Keep a delivery durably, together with those of other threads.

        The database's writer is let go before the disk is waited for, so that other processes
        write meanwhile. Says whether this thread wrote, and so is the one to wake a worker. Raises
        StoreBusy.
        """
        return self._convoy.ride(parcel)

    def _keep(self, parcels: Sequence[Parcel]) -> None:
        database = self.database
        rows = [inbox.delivery_row(parcel) for parcel in parcels]
        database.append(inbox.adding(database.engine.dialect.name), rows)

    def take(self, name: str) -> Fence | None:
        """Take a lease; None while somebody else holds it."""
        with self.database.writing(durable=False) as tx:
            now = datetime.now(UTC)
            return leases.take(tx, name, self.holder, now, LEASE, self._is_dead)

    def drop(self, fence: Fence, note: Any = None) -> None:
        """Give a lease back."""
        with self.database.writing(durable=False) as tx:
            leases.drop(tx, fence, note)

    @contextmanager
    def keeping(self, fence: Fence) -> Iterator[None]:
        """Keep a lease for as long as the block takes, though it writes nothing meanwhile."""
        with renewed(lambda: self._renew(fence), LEASE.total_seconds() / 4):
            yield

    def _renew(self, fence: Fence) -> None:
        with self.database.writing(durable=False) as tx:
            leases.hold(tx, fence, datetime.now(UTC) + LEASE)

    def _unit(self, tx: Tx) -> Unit:
        return Unit(tx, self.box, self._library)
