"""What watches over the house ask: who lives, what was counted, how much waits and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection as Tx
from sqlalchemy import TextClause, delete, func, select, text

from connector.figures import Key
from connector.store import tables as t
from connector.store.sql import upsert
from connector.store.tables_journeys import PARKED, WAITS
from connector.store.types import EPOCH

# Beyond this a backlog is only called large: a scrape must not cost more the more there is.
MOST = 100_000
# Spelled as the partial indexes spell it, so that every database uses them.
_PENDING = text("state = 'pending'")
_WAITING = text("state IN ('pending','sending')")
_PARKED = text("state = 'parked'")
_VISITS, _ASIDE_VISITS = text(WAITS), text(PARKED)
_ASIDE = "state IN ('parked','held') AND state = "
# A process that has said nothing for so long is forgotten.
_FORGOTTEN = timedelta(days=1)


class Alive(NamedTuple):
    """A process that says it lives."""

    name: str
    kind: str
    seen_at: datetime


class Vitals(NamedTuple):
    """How much waits in both boxes of every account, at most MOST each, and since when."""

    inbox: int
    inbox_since: datetime | None
    outbox: int
    outbox_since: datetime | None
    parked: int
    held: int


class Watch:
    """Queries over all accounts; none tells of whom a row is."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def beat(self, name: str, kind: str, counts: Mapping[Key, float], now: datetime) -> None:
        """Keep that a process lives, and add what it has counted."""
        own = {"name": name, "kind": kind, "started_at": now, "seen_at": now}
        insert = upsert(self.tx, t.pulse)
        again = insert.on_conflict_do_update(index_elements=["name"], set_={"seen_at": now})
        self.tx.execute(again, own)
        rows = [
            {"name": key[0], "labels": key[1], "value": value}
            for key, value in sorted(counts.items())
        ]
        if rows:
            insert = upsert(self.tx, t.tally)
            more = {"value": t.tally.c.value + insert.excluded.value}
            keys = ["name", "labels"]
            self.tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=more), rows)

    def leave(self, name: str) -> None:
        """Keep that a process has ended."""
        self.tx.execute(delete(t.pulse).where(t.pulse.c.name == name))

    def forget_dead(self, now: datetime) -> None:
        """Forget processes that ended without a word."""
        self.tx.execute(delete(t.pulse).where(t.pulse.c.seen_at < now - _FORGOTTEN))

    def living(self, since: datetime = EPOCH) -> list[Alive]:
        """Return the processes that have shown themselves since then."""
        query = select(t.pulse.c.name, t.pulse.c.kind, t.pulse.c.seen_at)
        rows = self.tx.execute(query.where(t.pulse.c.seen_at >= since).order_by(t.pulse.c.name))
        return [Alive(row.name, row.kind, row.seen_at) for row in rows]

    def tallies(self) -> dict[Key, float]:
        """Return what all processes have counted, ever."""
        return {(row.name, row.labels): row.value for row in self.tx.execute(select(t.tally))}

    def notes(self) -> list[tuple[str, Any]]:
        """Return what the holders of the CRM-call leases noted, with the CRM's system."""
        named = t.lease.c.name == "connection:" + t.connection.c.id
        query = select(t.connection.c.system, t.lease.c.note).join(t.lease, named)
        return [(row.system, row.note) for row in self.tx.execute(query)]

    def vitals(self) -> Vitals:
        """Say how much waits; costs little however much that is."""
        inbox = self._count(t.delivery, _PENDING) + self._count(t.event, _PENDING)
        inbox += self._count(t.journey, _VISITS)
        oldest = (self._oldest_delivery(), self._oldest_event(), self._oldest_visit())
        since = [one for one in oldest if one]
        parked = [self._count(table, _PARKED) for table in (t.delivery, t.event)]
        parked.append(self._count(t.journey, _ASIDE_VISITS))
        return Vitals(
            inbox,
            min(since, default=None),
            self._count(t.outbox, _WAITING),
            self._oldest_write(),
            sum(parked) + self._count(t.outbox, text(f"{_ASIDE}'parked'")),
            self._count(t.outbox, text(f"{_ASIDE}'held'")),
        )

    def oldest_parked(self) -> dict[str, datetime]:
        """Return since when the oldest parked row of each box lies there."""
        found = {
            "inbox": (
                select(t.delivery.c.received_at).where(_PARKED).order_by(t.delivery.c.id),
                select(func.min(t.event.c.received_at)).where(_PARKED),
                select(func.min(t.journey.c.received_at)).where(_ASIDE_VISITS),
            ),
            "outbox": (select(func.min(t.outbox.c.created_at)).where(text(f"{_ASIDE}'parked'")),),
        }
        told = {
            box: [when for query in queries if (when := self.tx.execute(query.limit(1)).scalar())]
            for box, queries in found.items()
        }
        return {box: min(dates) for box, dates in told.items() if dates}

    def time(self) -> datetime | None:
        """Return the time on the database's machine, None where that is this one."""
        if self.tx.dialect.name == "sqlite":
            return None
        now: datetime = self.tx.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now.astimezone(UTC)

    def _count(self, table: Any, condition: TextClause) -> int:
        some = select(text("1")).select_from(table).where(condition).limit(MOST).subquery()
        return int(self.tx.execute(select(func.count()).select_from(some)).scalar_one())

    def _oldest_delivery(self) -> datetime | None:
        query = select(t.delivery.c.received_at).where(_PENDING).order_by(t.delivery.c.id)
        when: datetime | None = self.tx.execute(query.limit(1)).scalar()
        return when

    def _oldest_event(self) -> datetime | None:
        """Look at the head of each account's lanes, where the index begins."""
        heads: Sequence[Any] = [
            select(t.event.c.received_at)
            .where(t.event.c.account_id == t.account.c.id, t.event.c.lane == lane, _PENDING)
            .order_by(t.event.c.id)
            .limit(1)
            .scalar_subquery()
            for lane in range(3)
        ]
        rows = self.tx.execute(select(*heads).select_from(t.account))
        return min((when for row in rows for when in row if when), default=None)

    def _oldest_visit(self) -> datetime | None:
        """Look at the head of each account's lanes, as for events."""
        own = t.journey.c
        heads: Sequence[Any] = [
            select(own.received_at)
            .where(own.account_id == t.account.c.id, own.silent.is_(silent), _VISITS)
            .order_by(own.id)
            .limit(1)
            .scalar_subquery()
            for silent in (False, True)
        ]
        rows = self.tx.execute(select(*heads).select_from(t.account))
        return min((when for row in rows for when in row if when), default=None)

    def _oldest_write(self) -> datetime | None:
        query = select(t.outbox.c.created_at).where(_WAITING).order_by(t.outbox.c.created_at)
        when: datetime | None = self.tx.execute(query.limit(1)).scalar()
        return when
