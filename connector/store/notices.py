"""Moves that are told to the platform: where to, what waits, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, exists, func, select, update

from connector.domain.facts import AccountId, ConnectionId, ProfileId
from connector.domain.notices import Names, Notice, Target, Told
from connector.store import tables_journeys as j
from connector.store.ledgers import notice, notice_target
from connector.store.secrets import SecretBox
from connector.store.sql import add, put, slices
from connector.stored import Connection, State


class Notices:
    """Queries on what the platform is told."""

    def __init__(self, tx: Tx, box: SecretBox) -> None:
        self.tx = tx
        self._box = box

    def target(self, connection_id: str) -> Target | None:
        """Return where a connection's moves are told, None where nowhere."""
        query = select(notice_target).where(notice_target.c.connection_id == connection_id)
        row = self.tx.execute(query).first()
        if row is None:
            return None
        secret = self._box.unlock(_owner(connection_id), row.secret)["secret"]
        return Target(ConnectionId(row.connection_id), row.url, secret, row.silent)

    def aim(self, account_id: AccountId, target: Target, now: datetime) -> None:
        """Set where a connection's moves are told; what was put aside is tried again there."""
        own = target.connection_id
        row = {
            "connection_id": own,
            "account_id": account_id,
            "url": target.url,
            "secret": self._box.lock(_owner(own), {"secret": target.secret}),
            "silent": target.silent,
            "created_at": now,
        }
        put(self.tx, notice_target, [row], ["created_at"])
        parked = (notice.c.connection_id == own, notice.c.state == State.PARKED)
        fresh = {"state": State.PENDING, "attempts": 0, "reason": "", "due_at": now}
        self.tx.execute(update(notice).where(*parked).values(**fresh))

    def drop(self, connection_id: str) -> None:
        """Tell a connection's moves nobody any more, nor what waits."""
        self.tx.execute(delete(notice_target).where(notice_target.c.connection_id == connection_id))
        self.tx.execute(delete(notice).where(notice.c.connection_id == connection_id))

    def counts(self, connection_id: str) -> dict[str, int]:
        """Count a connection's notices by state."""
        own = notice.c.connection_id == connection_id
        query = select(notice.c.state, func.count()).where(own).group_by(notice.c.state)
        return {row[0]: row[1] for row in self.tx.execute(query)}

    def waiting(self, connection: Connection, now: datetime, most: int) -> list[Notice]:
        """Return what is to be told next: of each profile its oldest, so that order is kept."""
        older = notice.alias()
        before = exists().where(
            older.c.profile_id == notice.c.profile_id,
            older.c.connection_id == notice.c.connection_id,
            older.c.state == State.PENDING,
            older.c.id < notice.c.id,
        )
        query = (
            select(notice)
            .where(
                notice.c.connection_id == connection.id,
                notice.c.state == State.PENDING,
                notice.c.due_at <= now,
                ~before,
            )
            .order_by(notice.c.id)
            .limit(most)
        )
        return [as_notice(row) for row in self.tx.execute(query)]

    def waits(self, one: Notice) -> bool:
        """Say whether a notice still waits: erasure deletes it, and so does a target's end."""
        own = (notice.c.id == one.id, notice.c.state == State.PENDING)
        return self.tx.execute(select(notice.c.id).where(*own)).first() is not None

    def is_overtaken(self, one: Notice) -> bool:
        """Say whether a later one of its kind was told: one put aside may come back."""
        is_score = notice.c.score_state != ""
        alike = is_score if one.score_state else ~is_score
        later = (notice.c.profile_id == one.profile_id, notice.c.id > one.id, alike)
        told = (notice.c.connection_id == one.connection_id, notice.c.state == State.SENT)
        return (
            self.tx.execute(select(notice.c.id).where(*told, *later).limit(1)).first() is not None
        )

    def names(self, account_id: AccountId, profile_id: ProfileId) -> Names:
        """Return the names by which the platform knows a profile."""
        own = (j.alias.c.account_id == account_id, j.alias.c.profile_id == profile_id)
        found: dict[str, list[str]] = defaultdict(list)
        order = (j.alias.c.since, j.alias.c.value)
        for row in self.tx.execute(select(j.alias).where(*own).order_by(*order)):
            found[row.kind].append(row.value)
        return Names(found["device"], found["user"], found["email"])

    def settle(self, one: Notice, state: State, now: datetime, reason: str = "") -> None:
        """Store what became of a notice for good."""
        values = {"state": state, "reason": reason, "attempts": one.attempts + 1}
        if state is State.SENT:
            values["sent_at"] = now
        self._set(one, values)

    def later(self, one: Notice, due_at: datetime, reason: str) -> None:
        """Have a notice told again later."""
        self._set(one, {"due_at": due_at, "reason": reason, "attempts": one.attempts + 1})

    def _set(self, one: Notice, values: dict[str, Any]) -> None:
        own = (notice.c.id == one.id, notice.c.state == State.PENDING)
        self.tx.execute(update(notice).where(*own).values(**values))


def keep(tx: Tx, account_id: AccountId, told: Sequence[Told], now: datetime) -> None:
    """Store what is to be told, once for each place that wants to know."""
    if not told:
        return
    query = select(notice_target).where(notice_target.c.account_id == account_id)
    targets = list(tx.execute(query))
    if not targets:
        return
    ids = _move_ids(tx, told)
    rows = [
        _row(one, ids.get((one.profile_id, one.step_key, one.occurred_at), 0), target, now)
        for one in told
        for target in targets
        if target.silent or not one.silent
    ]
    add(tx, notice, rows)


def _move_ids(tx: Tx, told: Sequence[Told]) -> dict[tuple[str, str, datetime], int]:
    """Return the numbers of the moves that the ledger has just been given."""
    move = notice.metadata.tables["move"].c
    found: dict[tuple[str, str, datetime], int] = {}
    for ids in slices(sorted({one.profile_id for one in told})):
        query = select(move.id, move.profile_id, move.step_key, move.occurred_at).where(
            move.profile_id.in_(ids), move.superseded_at.is_(None)
        )
        found |= {(r.profile_id, r.step_key, r.occurred_at): r.id for r in tx.execute(query)}
    return found


def _row(one: Told, move_id: int, target: Row[Any], now: datetime) -> dict[str, Any]:
    return {
        "account_id": target.account_id,
        "connection_id": target.connection_id,
        "profile_id": one.profile_id,
        "message": one.message,
        "move_id": move_id,
        "start": one.start,
        "goal": one.goal,
        "actor": one.actor,
        "occurred_at": one.occurred_at,
        "score": one.score,
        "score_state": one.score_state,
        "due_at": now,
        "created_at": now,
    }


def as_notice(row: Row[Any]) -> Notice:
    """Return a notice's row as a value."""
    return Notice(
        row.id,
        AccountId(row.account_id),
        ConnectionId(row.connection_id),
        ProfileId(row.profile_id),
        row.message,
        row.move_id,
        row.start,
        row.goal,
        row.actor,
        row.occurred_at,
        row.attempts,
        row.score,
        row.score_state,
    )


def _owner(connection_id: str) -> str:
    return f"target:{connection_id}"
