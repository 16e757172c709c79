"""Queries on models and trainings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Table, delete, exists, func, or_, select, update
from sqlalchemy import Connection as Tx

from connector.domain.errors import NotFound
from connector.domain.facts import AccountId
from connector.store import config
from connector.store import tables as t
from connector.store.secrets import SecretBox
from connector.store.sql import add, put
from connector.store.tables_journeys import visitor
from connector.store.tables_scores import model, training

_MOST = 100_000
KEPT = 5  # of the models that have served, and as many of those that were refused
SERVING, SPARE, REFUSED = "serving", "kept", "refused"
_SHOWN = tuple(column for column in model.c if column.name != "artefact")


@dataclass(frozen=True, slots=True)
class Training:
    """What is known of an account's trainings."""

    wanted_at: datetime | None = None
    why: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: str = ""
    aged_on: int = 0


class Ages(NamedTuple):
    """The oldest wish for a training, the oldest model that serves, and who is to be scored."""

    wanted_at: datetime | None
    made_at: datetime | None
    due: int


class Models:
    """What models there are, and what is to be learned."""

    def __init__(self, tx: Tx, box: SecretBox) -> None:
        self.tx = tx
        self._box = box

    def key(self, account_id: AccountId) -> bytes:
        """Return the key that an account's models are sealed with."""
        return b"model:" + config.seal_key(self.tx, account_id, self._box).encode()

    def serving(self, account_id: AccountId) -> Row[Any] | None:
        """Return the model that scores an account's people, without its bytes."""
        own = (model.c.account_id == account_id, model.c.state == SERVING)
        query = select(*_SHOWN).where(*own).order_by(model.c.made_at.desc())
        return self.tx.execute(query).first()

    def in_line(self, account_id: AccountId) -> Iterator[Row[Any]]:
        """Yield the model that serves, and then those that have served, the last first."""
        row = self.serving(account_id)
        if row is not None:
            yield row
            yield from (one for one in self.all(account_id) if one.state == SPARE)

    def artefact(self, model_id: str) -> bytes:
        """Return a model's sealed bytes."""
        query = select(model.c.artefact).where(model.c.id == model_id)
        return bytes(self.tx.execute(query).scalar_one())

    def all(self, account_id: AccountId) -> list[Row[Any]]:
        """Return an account's models, newest first, without their bytes."""
        query = select(*_SHOWN).where(model.c.account_id == account_id)
        return list(self.tx.execute(query.order_by(model.c.made_at.desc(), model.c.id)))

    def one(self, account_id: AccountId, model_id: str) -> Row[Any]:
        """Return a model; raise NotFound."""
        own = (model.c.account_id == account_id, model.c.id == model_id)
        row = self.tx.execute(select(*_SHOWN).where(*own)).first()
        if row is None:
            raise NotFound(f"there is no model {model_id}")
        return row

    def add(self, row: dict[str, Any]) -> None:
        """Store a model; of those that have served, and of those refused, the last few stay."""
        if row["state"] == SERVING:
            self._stand_down(row["account_id"])
        add(self.tx, model, [row])
        for state in (SPARE, REFUSED):
            own = (model.c.account_id == row["account_id"], model.c.state == state)
            those = select(model.c.id).where(*own).order_by(model.c.made_at.desc(), model.c.id)
            old = list(self.tx.execute(those.offset(KEPT)).scalars())
            self.tx.execute(delete(model).where(model.c.id.in_(old)))

    def promote(self, account_id: AccountId, model_id: str) -> None:
        """Have a model serve, and its scores told; alarms that held it hold it no more."""
        row = self.one(account_id, model_id)
        moved = self.all(account_id)[0].report.get("moved", ()) if row.held else ()
        report, accepted = row.report, sorted({*row.report.get("accepted", ()), *moved})
        self._stand_down(account_id)
        own = update(model).where(model.c.id == model_id)
        self.tx.execute(own.values(state=SERVING, held="", report={**report, "accepted": accepted}))

    def hold(self, model_id: str, why: str) -> None:
        """Have a model's scores no longer told."""
        self.tx.execute(update(model).where(model.c.id == model_id).values(held=why))

    def _stand_down(self, account_id: AccountId) -> None:
        own = (model.c.account_id == account_id, model.c.state == SERVING)
        self.tx.execute(update(model).where(*own).values(state=SPARE))

    def training(self, account_id: AccountId) -> Training:
        """Return how an account's training stands."""
        query = select(training).where(training.c.account_id == account_id)
        row = self.tx.execute(query).first()
        return Training(*row[1:]) if row else Training()

    def want(self, account_id: AccountId, why: str, now: datetime) -> None:
        """Have a model trained; what is wanted already stays wanted since then."""
        want(self.tx, account_id, why, now)

    def begin(self, account_id: AccountId, now: datetime) -> None:
        """Note that a training begins; marks that come from now on want another."""
        own = update(training).where(training.c.account_id == account_id)
        self.tx.execute(own.values(started_at=now))

    def end(self, account_id: AccountId, now: datetime, failure: str = "") -> None:
        """Note that a training has ended, and how; until then it is wanted, whoever dies."""
        own = update(training).where(training.c.account_id == account_id)
        self.tx.execute(own.values(ended_at=now, failure=failure))
        self.tx.execute(own.where(_IS_TAKEN_UP).values(wanted_at=None))

    def grow_older(self, account_id: AccountId, day: int) -> None:
        """Note that everybody is scored anew today."""
        put(self.tx, training, [{"account_id": account_id, "aged_on": day}])

    def ages(self, account_id: AccountId | None) -> Ages:
        """Return what is old about models and scores, of an account or of all."""

        def own(table: Table) -> list[ColumnElement[bool]]:
            return [table.c.account_id == account_id] if account_id else []

        wanted = select(func.min(training.c.wanted_at)).where(*own(training))
        made = select(func.min(model.c.made_at)).where(model.c.state == SERVING, *own(model))
        waits = select(visitor.c.profile_id).where(visitor.c.score_at.is_not(None), *own(visitor))
        due = select(func.count()).select_from(waits.limit(_MOST).subquery())
        wanted_at, made_at, waiting = (
            self.tx.execute(query).scalar() for query in (wanted, made, due)
        )
        return Ages(wanted_at, made_at, waiting or 0)

    def aged(self) -> list[tuple[str, int]]:
        """Return accounts, and the day on which everybody there was last scored anew."""
        query = select(t.account.c.id, training.c.aged_on).select_from(
            t.account.outerjoin(training, training.c.account_id == t.account.c.id)
        )
        return [(row.id, row.aged_on or 0) for row in self.tx.execute(query)]


# A training of what is wanted has begun.
_IS_TAKEN_UP = training.c.wanted_at <= training.c.started_at


def want(tx: Tx, account_id: AccountId, why: str, now: datetime) -> None:
    """Have a model trained; what is wanted already, and not begun, stays wanted since then."""
    add(tx, training, [{"account_id": account_id}])
    own = update(training).where(training.c.account_id == account_id)
    tx.execute(
        own.where(or_(training.c.wanted_at.is_(None), _IS_TAKEN_UP)).values(wanted_at=now, why=why)
    )


def is_serving(tx: Tx, account_id: AccountId) -> bool:
    """Say whether an account has a model that scores its people."""
    own = (model.c.account_id == account_id, model.c.state == SERVING)
    return bool(tx.execute(select(exists().where(*own))).scalar_one())


def waiting(tx: Tx, now: datetime) -> list[str]:
    """Return the accounts whose training is due: rested for as long as the last one took."""
    query = select(training).where(training.c.wanted_at.is_not(None))
    return [row.account_id for row in tx.execute(query) if _is_rested(row, now)]


def _is_rested(row: Row[Any], now: datetime) -> bool:
    if row.ended_at is None or row.started_at is None:
        return True
    return bool(now >= row.ended_at + max(timedelta(), row.ended_at - row.started_at))
