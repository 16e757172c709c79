"""What has served its time is found without the writer, and deleted a small piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from connector.domain.keeping import Keeping
from connector.store import tables as t
from connector.store.ledgers import notice
from connector.stored import CLOSED, State

# Rows looked at in one read, and deleted in one transaction: the writer is busy for milliseconds.
LOOK_AT = 2000
AT_ONCE = 50

Lives = Mapping[str, timedelta]  # a state -> how long its rows are kept


@dataclass(frozen=True, slots=True)
class _Rule:
    """Of one table: what dates a row, its state, and how long which state is kept."""

    table: Table
    dated: Column[Any]
    state: Column[str] | None
    kept: Callable[[Keeping], Lives]


_ANY = ""
_FINISHED = (State.DONE, State.SENT, State.DROPPED)


def _box(name: str) -> Callable[[Keeping], Lives]:
    def kept(keeping: Keeping) -> Lives:
        done: timedelta = getattr(keeping, name)
        lives = {str(state): done for state in _FINISHED}
        return lives | {str(State.PARKED): keeping.parked}

    return kept


RULES: Mapping[str, _Rule] = {
    rule.table.name: rule
    for rule in (
        _Rule(t.delivery, t.delivery.c.received_at, t.delivery.c.state, _box("inbox")),
        _Rule(t.event, t.event.c.received_at, t.event.c.state, _box("inbox")),
        _Rule(t.outbox, t.outbox.c.created_at, t.outbox.c.state, _box("outbox")),
        _Rule(notice, notice.c.created_at, notice.c.state, _box("outbox")),
        _Rule(t.written, t.written.c.intent_at, None, lambda keeping: {_ANY: keeping.written}),
        _Rule(t.journal, t.journal.c.opened_at, t.journal.c.state, lambda k: {CLOSED: k.written}),
        _Rule(t.journey, t.journey.c.received_at, None, lambda k: {_ANY: k.journeys}),
        _Rule(t.audit, t.audit.c.at, None, lambda keeping: {_ANY: keeping.audit}),
    )
}


def past(tx: Connection, name: str, after: int, keeping: Keeping, now: datetime) -> Piece:
    """Look at the next rows of a table, oldest first, for what is past its time."""
    rule = RULES[name]
    kept = rule.kept(keeping)
    own: Column[int] = rule.table.c.id
    columns = [own.label("id"), rule.dated.label("dated")]
    columns += [rule.state.label("state")] if rule.state is not None else []
    query = select(*columns).where(own > after).order_by(own).limit(LOOK_AT)
    youngest = now - min(kept.values())
    ids: list[int] = []
    last = after
    for row in tx.execute(query):
        if row.dated >= youngest:  # rows come in the order of their numbers, nearly that of time
            return Piece(ids, None)
        last = row.id
        life = kept.get(row.state if rule.state is not None else _ANY)
        if life is not None and row.dated < now - life:
            ids.append(row.id)
    return Piece(ids, last if last != after else None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that may go, and behind which number to look next, None at the end."""

    ids: list[int]
    last: int | None

    def parts(self) -> Iterator[list[int]]:
        """Cut them into what one transaction deletes."""
        for start in range(0, len(self.ids), AT_ONCE):
            yield self.ids[start : start + AT_ONCE]


def remove(tx: Connection, name: str, ids: list[int]) -> int:
    """Delete rows."""
    own: Column[int] = RULES[name].table.c.id
    return tx.execute(delete(RULES[name].table).where(own.in_(ids))).rowcount
