"""What the API and the command line ask of profiles, moves and batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, or_, select, tuple_, update
from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId, Fact, ProfileId, RecordKey
from connector.domain.scores import UNSCORED
from connector.mapping.table import COMPANIES
from connector.store import tables as t
from connector.store.crowd import Load
from connector.store.rows import as_fact, as_profile, as_record
from connector.store.sql import slices, within
from connector.store.tables_journeys import alias
from connector.store.tables_scores import score
from connector.store.ties import works_at
from connector.stored import LedgerAnswer, Profile, Record


class People:
    """Queries on one account's profiles; every one names the account."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def profile(self, account_id: AccountId, profile_id: str) -> Profile | None:
        """Return a profile; one that was joined into another answers with that one."""
        for _ in range(20):
            query = select(t.profile).where(
                t.profile.c.account_id == account_id, t.profile.c.id == profile_id
            )
            row = self.tx.execute(query).first()
            if row is None or row.merged_into is None:
                return as_profile(row) if row else None
            profile_id = row.merged_into
        return None

    def found(
        self, account_id: AccountId, wanted: Mapping[str, Any], after: str, most: int
    ) -> list[Profile]:
        """Return profiles that fit `wanted`: a name, a slot, or what a record of theirs is.

        Of a company, the people who work there.
        """
        query = select(t.profile).where(
            t.profile.c.account_id == account_id,
            t.profile.c.merged_into.is_(None),
            t.profile.c.slot.is_not(None),
            t.profile.c.id > after,
        )
        if "slot" in wanted:
            query = query.where(t.profile.c.slot == wanted["slot"])
        if "min_score" in wanted:
            high = (score.c.profile_id == t.profile.c.id, score.c.value >= wanted["min_score"])
            query = query.where(exists().where(*high), t.profile.c.slot.not_in(_UNSCORED))
        for name in _NAMES.keys() & wanted.keys():
            query = query.where(_goes_by(account_id, name, wanted[name]))
        own = _own(wanted)
        if own:
            tied = (t.record.c.account_id == account_id, t.record.c.profile_id == t.profile.c.id)
            query = query.where(exists().where(*tied, *own))
        rows = self.tx.execute(query.order_by(t.profile.c.id).limit(most))
        return [as_profile(row) for row in rows]

    def records(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[ProfileId, list[Record]]:
        """Return the records behind profiles."""
        found: dict[ProfileId, list[Record]] = {}
        for some in slices(profiles):
            query = (
                select(t.record)
                .where(within(t.record, account_id), t.record.c.profile_id.in_(some))
                .order_by(t.record.c.connection_id, t.record.c.object, t.record.c.record_id)
            )
            for row in self.tx.execute(query):
                found.setdefault(ProfileId(row.profile_id), []).append(as_record(row))
        return found

    def moves(self, account_id: AccountId, profile_id: ProfileId) -> list[Row[Any]]:
        """Return a profile's moves, oldest first by when they happened."""
        query = (
            select(t.move)
            .where(
                t.move.c.account_id == account_id,
                t.move.c.profile_id == profile_id,
                t.move.c.superseded_at.is_(None),
            )
            .order_by(t.move.c.position)
        )
        return list(self.tx.execute(query))

    def answers(self, account_id: AccountId, profile_id: ProfileId) -> list[LedgerAnswer]:
        """Return what sales answered about a profile, oldest first."""
        records = self.records(account_id, [profile_id]).get(profile_id, [])
        told = Load(self.tx, account_id).answers([record.key for record in records])
        return sorted((a for own in told.values() for a in own), key=lambda a: a.occurred_at)

    def batches(self, account_id: AccountId | None, after: str, most: int) -> list[Row[Any]]:
        """Return batches, newest first, from behind `after`, with how many moves each made."""
        moves = (
            select(func.count())
            .where(t.move.c.batch_id == t.batch.c.id, t.move.c.superseded_at.is_(None))
            .scalar_subquery()
        )
        place = (t.batch.c.created_at, t.batch.c.id)
        query = select(t.batch, moves.label("moves")).order_by(*(one.desc() for one in place))
        if account_id is not None:
            query = query.where(t.batch.c.account_id == account_id)
        if after:
            last = select(*place).where(t.batch.c.id == after).scalar_subquery()
            query = query.where(tuple_(*place) < last)
        return list(self.tx.execute(query.limit(most)))

    def batch(self, batch_id: str) -> Row[Any] | None:
        """Return a batch."""
        return self.tx.execute(select(t.batch).where(t.batch.c.id == batch_id)).first()

    def batch_moves(self, account_id: AccountId, batch_id: str) -> list[Row[Any]]:
        """Return the moves that a batch made."""
        query = (
            select(t.move)
            .where(
                t.move.c.account_id == account_id,
                t.move.c.batch_id == batch_id,
                t.move.c.superseded_at.is_(None),
            )
            .order_by(t.move.c.id)
        )
        return list(self.tx.execute(query))

    def effects(self, account_id: AccountId, batch_id: str) -> list[Row[Any]]:
        """Return what a re-evaluation did to each profile that it moved."""
        own = (t.effect.c.account_id == account_id, t.effect.c.batch_id == batch_id)
        return list(self.tx.execute(select(t.effect).where(*own).order_by(t.effect.c.profile_id)))

    def undone(self, batch_id: str, now: datetime) -> None:
        """Mark a batch as undone."""
        self.tx.execute(update(t.batch).where(t.batch.c.id == batch_id).values(undone_at=now))

    def funnel(self, account_id: AccountId) -> dict[int, int]:
        """Count profiles per slot."""
        query = (
            select(t.profile.c.slot, func.count())
            .where(
                t.profile.c.account_id == account_id,
                t.profile.c.merged_into.is_(None),
                t.profile.c.slot.is_not(None),
            )
            .group_by(t.profile.c.slot)
        )
        return {int(slot): number for slot, number in self.tx.execute(query)}

    def words(
        self, account_id: AccountId, connection_id: str, column: str
    ) -> list[tuple[str, int]]:
        """Count the values that people's records hold: `lifecycle` or `lead_status`."""
        held = t.record.c[column]
        query = (
            select(held, func.count())
            .where(
                t.record.c.account_id == account_id,
                t.record.c.connection_id == connection_id,
                t.record.c.object.in_(("contact", "lead")),
                held != "",
            )
            .group_by(held)
            .order_by(func.count().desc(), held)
        )
        return [(value, number) for value, number in self.tx.execute(query)]

    def buried(self, account_id: AccountId, keys: Collection[str]) -> dict[str, datetime]:
        """Return when which of these records or sealed addresses were erased."""
        found: dict[str, datetime] = {}
        for some in slices(keys):
            query = select(t.tombstone.c.key, t.tombstone.c.erased_at).where(
                t.tombstone.c.account_id == account_id,
                t.tombstone.c.kind.in_(_BURIED),
                t.tombstone.c.key.in_(some),
            )
            found |= {row.key: row.erased_at for row in self.tx.execute(query)}
        return found

    def has_graves(self, account_id: AccountId) -> bool:
        """Say whether anybody was erased."""
        own = (t.tombstone.c.account_id == account_id, t.tombstone.c.kind.in_(_BURIED))
        return self.tx.execute(select(t.tombstone.c.key).where(*own).limit(1)).first() is not None

    def lift(self, account_id: AccountId, sealed: Collection[str]) -> None:
        """Lift the tombstones of sealed addresses."""
        for some in slices(sealed):
            own = (t.tombstone.c.account_id == account_id, t.tombstone.c.kind == "email")
            self.tx.execute(delete(t.tombstone).where(*own, t.tombstone.c.key.in_(some)))

    def relearn(self, connection_id: ConnectionId, keys: Sequence[RecordKey], version: int) -> None:
        """Have facts of records, of their deals and companies count under another version."""
        within = t.fact.c.connection_id == connection_id
        for kind, some in _by_object(keys):
            link = t.link.c
            from_them = (link.from_object == kind, link.from_id.in_(some))
            to_them = (link.to_object == kind, link.to_id.in_(some))
            here = link.connection_id == connection_id
            which = (
                (t.fact.c.object == kind) & t.fact.c.record_id.in_(some),
                tuple_(t.fact.c.object, t.fact.c.record_id).in_(
                    select(link.to_object, link.to_id).where(here, *from_them)
                ),
                tuple_(t.fact.c.object, t.fact.c.record_id).in_(
                    select(link.from_object, link.from_id).where(here, *to_them)
                ),
            )
            for own in which:
                self.tx.execute(update(t.fact).where(within, own).values(version=version))

    def clock(self, key: RecordKey, field: str, value: str) -> datetime | None:
        """Return since when we know a field to hold a value."""
        query = select(func.max(t.fact.c.happened_at)).where(
            t.fact.c.connection_id == key.connection_id,
            t.fact.c.object == key.object,
            t.fact.c.record_id == key.record_id,
            t.fact.c.field == field,
            t.fact.c.value == value,
        )
        when: datetime | None = self.tx.execute(query).scalar()
        return when

    def newest(self, key: RecordKey, field: str) -> Fact | None:
        """Return the last change of a field, as far as we know."""
        own = t.fact.c
        query = (
            select(t.fact)
            .where(
                own.connection_id == key.connection_id,
                own.object == key.object,
                own.record_id == key.record_id,
                own.field == field,
            )
            .order_by(own.happened_at.desc(), own.event_id.desc(), own.value.desc())
            .limit(1)
        )
        row = self.tx.execute(query).first()
        return as_fact(row) if row else None

    def audit(self, account_id: AccountId, profile_id: ProfileId) -> list[Row[Any]]:
        """Return what was noted about a profile."""
        query = (
            select(t.audit)
            .where(t.audit.c.account_id == account_id, t.audit.c.profile_id == profile_id)
            .order_by(t.audit.c.id)
        )
        return list(self.tx.execute(query))


_UNSCORED = sorted(int(slot) for slot in UNSCORED)
# What visitors and contacts are asked for by -> the kind of name.
_NAMES = {"email": "email", "device_id": "device", "user_id": "user"}
# What tombstones are of; the key's index begins with it.
_BURIED = ("record", *_NAMES.values())


def _goes_by(account_id: AccountId, name: str, value: str) -> ColumnElement[bool]:
    """Say that a profile goes by a name: as a visitor, or by a record's address."""
    own = alias.c
    named = exists().where(
        own.account_id == account_id,
        own.kind == _NAMES[name],
        own.value == value,
        own.profile_id == t.profile.c.id,
    )
    if name != "email":
        return named
    held = exists().where(
        t.record.c.account_id == account_id,
        t.record.c.email == value,
        t.record.c.profile_id == t.profile.c.id,
    )
    return or_(held, named)


def _own(wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Say what one record behind a profile must be like."""
    kind = wanted.get("object", "")
    names = {"connection_id"} | (set() if kind in COMPANIES else {"record_id", "object"})
    own: list[ColumnElement[bool]] = [
        t.record.c[name] == wanted[name] for name in names & wanted.keys()
    ]
    return [*own, works_at(wanted.get("record_id"), kind)] if kind in COMPANIES else own


def _by_object(keys: Iterable[RecordKey]) -> Iterator[tuple[str, list[str]]]:
    """Group the ids of records by object, cut to what fits one statement."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(key.object, []).append(key.record_id)
    for kind, ids in groups.items():
        for some in slices(ids):
            yield kind, some
