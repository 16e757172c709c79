"""What waits for a worker, read from the rows themselves: nothing hangs on a wake-up call."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, exists, or_, select, text, union

from connector.domain.systems import CRMS
from connector.store import models
from connector.store import tables as t
from connector.store import tables_polls as p
from connector.store.ledgers import notice
from connector.store.tables_journeys import WAITS, visitor
from connector.stored import State

Wake = tuple[str, str]


def due(
    tx: Connection, now: datetime, since: datetime, *, polls: bool, rewards: datetime
) -> list[Wake]:
    """Return (job, id) for what has waited since `since` or longer, and for passes that are due.

    `rewards` is when a reward that ends now was shown.
    """
    drains = _drains(tx, since, rewards)
    delivers = _delivers(tx, now, since, polls=polls)
    return [*_splits(tx, since), *drains, *delivers, *_trainings(tx, now)]


def _splits(tx: Connection, since: datetime) -> list[Wake]:
    waiting = exists().where(t.delivery.c.state == State.PENDING, t.delivery.c.received_at <= since)
    return [("split", "all")] if tx.execute(select(waiting)).scalar_one() else []


def _drains(tx: Connection, since: datetime, rewards: datetime) -> list[Wake]:
    events = exists().where(
        t.event.c.account_id == t.account.c.id,
        t.event.c.state == State.PENDING,
        t.event.c.received_at <= since,
    )
    visits = exists().where(
        t.journey.c.account_id == t.account.c.id, text(WAITS), t.journey.c.received_at <= since
    )
    ended = exists().where(visitor.c.account_id == t.account.c.id, visitor.c.reward_at <= rewards)
    scores = exists().where(visitor.c.account_id == t.account.c.id, visitor.c.score_at <= since)
    rows = tx.execute(select(t.account.c.id).where(or_(events, visits, ended, scores)))
    return [("drain", row.id) for row in rows]


def _trainings(tx: Connection, now: datetime) -> list[Wake]:
    return [("train", account_id) for account_id in models.waiting(tx, now)]


def _delivers(tx: Connection, now: datetime, since: datetime, *, polls: bool) -> list[Wake]:
    own = t.connection.c.id
    writes = exists().where(
        t.outbox.c.connection_id == own,
        t.outbox.c.state.in_([State.PENDING, State.SENDING]),
        t.outbox.c.due_at <= since,
    )
    reads = exists().where(t.record.c.connection_id == own, t.record.c.ask_at <= since)
    begun = exists().where(t.journal.c.connection_id == own, t.journal.c.state == "open")
    awake = (
        t.connection.c.state == "active",
        or_(t.connection.c.rest_until.is_(None), t.connection.c.rest_until <= now),
    )
    aged = t.connection.c.renew_at <= now
    unlike = t.connection.c.labels == "stale"
    later = exists().where(p.poll.c.connection_id == own, p.poll.c.due_at > now)
    told = exists().where(
        notice.c.connection_id == own, notice.c.state == State.PENDING, notice.c.due_at <= since
    )
    clocked = exists().where(t.handoff.c.connection_id == own, t.handoff.c.due_at <= now)
    ripe = exists().where(t.handoff.c.connection_id == own, t.handoff.c.state == "ripe")
    of_crm = [writes, reads, begun, aged, unlike, clocked, ripe, *([~later] if polls else [])]
    is_crm = t.connection.c.system.in_(CRMS)
    reasons = [told, *(and_(is_crm, why) for why in of_crm)]
    query = union(*(select(own).where(*awake, why) for why in reasons))
    return [("deliver", row.id) for row in tx.execute(query)]
