"""Leases as rows: who works on an account, or calls a CRM, with a fencing token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from connector.domain.errors import LeaseLost
from connector.store import tables as t
from connector.store.sql import add_one
from connector.store.types import EPOCH


@dataclass(frozen=True, slots=True)
class Fence:
    """A lease that was taken; `note` is what its last holder left for us."""

    name: str
    token: int
    note: Any = None


IsDead = Callable[[str], bool]


def take(
    tx: Connection, name: str, holder: str, now: datetime, life: timedelta, is_dead: IsDead
) -> Fence | None:
    """Take a lease that is free, has run out, or whose holder is dead; else None."""
    held = tx.execute(select(t.lease).where(t.lease.c.name == name)).first()
    lost = held is not None and held.until > now and is_dead(held.holder)
    is_free = t.lease.c.token == held.token if held and lost else t.lease.c.until <= now
    free = update(t.lease).where(t.lease.c.name == name, is_free)
    taken = free.values(token=t.lease.c.token + 1, holder=holder, until=now + life)
    row = tx.execute(taken.returning(t.lease.c.token, t.lease.c.note)).first()
    if row is not None:
        return Fence(name, row.token, row.note)
    fresh = {"name": name, "token": 1, "holder": holder, "until": now + life}
    return Fence(name, 1) if add_one(tx, t.lease, fresh) else None


def hold(tx: Connection, fence: Fence, until: datetime) -> None:
    """Prove that a lease is still ours and extend it; raise LeaseLost where it is not."""
    own = update(t.lease).where(t.lease.c.name == fence.name, t.lease.c.token == fence.token)
    if tx.execute(own.values(until=until)).rowcount != 1:
        raise LeaseLost(f"the lease {fence.name} went to another process")


def drop(tx: Connection, fence: Fence, note: Any = None) -> None:
    """Give a lease back, leaving a note; nothing happens where it is no longer ours."""
    own = update(t.lease).where(t.lease.c.name == fence.name, t.lease.c.token == fence.token)
    tx.execute(own.values(until=EPOCH, holder="", note=note))
