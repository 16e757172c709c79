"""Stores what a unit of work changed, in the transaction that it is given."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, delete, or_, select, type_coerce, update

from connector.domain.facts import AccountId, Fact, Link, ProfileId, RecordKey
from connector.domain.steps import Actor
from connector.store import (
    answers,
    creations,
    entries,
    handoffs,
    models,
    notices,
    pushed,
    rulebook,
    scores,
    visits,
)
from connector.store import tables as t
from connector.store.ledgers import notice
from connector.store.records import of_record
from connector.store.sql import add, put, slices, within
from connector.stored import (
    Batch,
    Changes,
    LedgerMove,
    OwnStep,
    Pending,
    Profile,
    Record,
    State,
)


def save(tx: Connection, account_id: AccountId, changes: Changes, now: datetime) -> None:
    """Store everything that changed."""
    own = {"account_id": account_id}
    put(tx, t.profile, [own | _profile(p, now) for p in _ordered(changes.profiles)], ["created_at"])
    _records(tx, account_id, changes, now)
    add(tx, t.fact, [own | _fact(fact, now) for fact in changes.facts])
    add(tx, t.link, [own | _link(link) for link in changes.links])
    add(tx, t.batch, [own | _batch(batch) for batch in changes.batches.values()])
    for ids in slices(changes.withdrawn):
        tx.execute(delete(t.step).where(t.step.c.id.in_(ids)))
    add(tx, t.step, [own | _step(step) for step in changes.steps])
    add(tx, t.effect, [own | columns(effect) for effect in changes.effects])
    _rehome(tx, account_id, changes.rehomed.items(), now)
    rulebook.keep_decisions(tx, account_id, changes.decisions)
    _moves(tx, account_id, changes, now)
    answers.keep(tx, account_id, changes.answers, changes.unanswered, now)
    entries.keep(tx, account_id, changes.entries, changes.unentered, now)
    notices.keep(tx, account_id, changes.notices, now)
    _outbox(tx, account_id, changes, now)
    pushed.rewrite(tx, sorted(changes.doubted), now)
    add(tx, t.audit, [own | columns(note) for note in changes.notes])
    creations.join(tx, changes.joined, now)
    _finish(tx, changes)
    scores.mark(tx, changes.rescore, now)
    if changes.marked:
        models.want(tx, account_id, "customers", now)
    bury(tx, account_id, changes)
    forget(tx, account_id, changes.erased)


def _records(tx: Connection, account_id: AccountId, changes: Changes, now: datetime) -> None:
    """Store records, but what the senders and readers keep in their rows meanwhile."""
    own = {"account_id": account_id}
    theirs = ["created_at", "pushed"]
    asked = [r for r in _ordered(changes.records) if r.key in changes.asked]
    others = [r for r in _ordered(changes.records) if r.key not in changes.asked]
    put(tx, t.record, [own | _record(r, now) for r in asked], theirs)
    put(tx, t.record, [own | _record(r, now) for r in others], [*theirs, *_ASKING])


_ASKING = ("ask_at", "ask_lane", "ask_trace", "asked")


def columns(row: Any) -> dict[str, Any]:
    """Return a flat row's values by name; unlike `asdict` nothing is copied."""
    return {own.name: getattr(row, own.name) for own in fields(row)}


def _ordered(rows: dict[Any, Any]) -> list[Any]:
    """Sort by key, so that two writers never wait for each other crosswise."""
    return [rows[key] for key in sorted(rows)]


def _rehome(
    tx: Connection,
    account_id: AccountId,
    pairs: Iterable[tuple[ProfileId, ProfileId]],
    now: datetime,
) -> None:
    for loser, survivor in pairs:
        visits.rehome(tx, account_id, loser, survivor)
        scores.rehome(tx, loser, survivor, now)
        for table in (t.step, t.outbox, notice):
            tx.execute(update(table).where(table.c.profile_id == loser).values(profile_id=survivor))
        rulebook.rehome(tx, account_id, loser, survivor)
        creations.rehome(tx, loser, survivor)
        tx.execute(
            update(t.profile).where(t.profile.c.merged_into == loser).values(merged_into=survivor)
        )


def _moves(tx: Connection, account_id: AccountId, changes: Changes, now: datetime) -> None:
    for ids in slices(changes.superseded):
        tx.execute(update(t.move).where(t.move.c.id.in_(ids)).values(superseded_at=now))
    for move in changes.moves:
        if move.id:
            tx.execute(update(t.move).where(t.move.c.id == move.id).values(position=move.position))
    fresh = [{"account_id": account_id} | _move(move) for move in changes.moves if not move.id]
    add(tx, t.move, fresh)


def _outbox(tx: Connection, account_id: AccountId, changes: Changes, now: datetime) -> None:
    for ids in slices(changes.unwanted):
        # What is under way is let through: whoever sends it looks again afterwards.
        under_way = t.outbox.c.state == State.SENDING
        tx.execute(delete(t.outbox).where(t.outbox.c.id.in_(ids), ~under_way))
    for cause, hold_id in changes.held.items():
        row = {"id": hold_id, "account_id": account_id, "cause": cause, "opened_at": now}
        row["reason"] = "more writes of one cause within the hour than the brake allows"
        add(tx, t.hold, [row])
    fresh = handoffs.enter(tx, account_id, changes.intents, now)
    wanted = [one for one in changes.pending if not one.intent or one.intent in fresh]
    rows = [_pending(one, account_id, changes.held, now) for one in wanted]
    add(tx, t.outbox, [row for row in rows if "id" not in row])
    put(tx, t.outbox, [row for row in rows if "id" in row], ["created_at"])
    for cause, hold_id in changes.held.items():
        waiting = (t.outbox.c.account_id == account_id, t.outbox.c.cause == cause)
        tx.execute(
            update(t.outbox)
            .where(*waiting, t.outbox.c.state == State.PENDING, t.outbox.c.hold_id.is_(None))
            .values(state=State.HELD, hold_id=hold_id)
        )


def _finish(tx: Connection, changes: Changes) -> None:
    for ids in slices(changes.done):
        tx.execute(update(t.event).where(t.event.c.id.in_(ids)).values(state=State.DONE))
    for ids in slices(changes.burned):
        tx.execute(delete(t.event).where(t.event.c.id.in_(ids)))
    for event_id, reason in changes.parked.items():
        tx.execute(
            update(t.event)
            .where(t.event.c.id == event_id)
            .values(state=State.PARKED, reason=reason)
        )
    for ids in slices(changes.restored):
        tx.execute(update(t.written).where(t.written.c.id.in_(ids)).values(restored=True))


def bury(tx: Connection, account_id: AccountId, changes: Changes) -> None:
    """Set tombstones for what was erased."""
    rows = [
        {"account_id": account_id, "kind": kind, "key": key, "erased_at": erased_at}
        for (kind, key), erased_at in changes.buried.items()
    ]
    put(tx, t.tombstone, rows)


def forget(tx: Connection, account_id: AccountId, profiles: Collection[ProfileId]) -> None:
    """Delete everything that hangs on erased profiles but the writes that blank our fields."""
    for profile_id in profiles:
        own = within(t.profile, account_id)
        joined = select(t.profile.c.id).where(own, t.profile.c.merged_into == profile_id)
        ids = [*tx.execute(joined).scalars(), profile_id]
        held = t.record.select().where(t.record.c.profile_id.in_(ids))
        for row in tx.execute(held).all():
            _forget_record(tx, RecordKey(row.connection_id, row.object, row.record_id))
            _forget_parts(tx, row.connection_id, [row.record_id, row.email])
        _forget_reasons(tx, ids)
        visits.forget(tx, account_id, ids)
        scores.forget(tx, ids)
        rulebook.forget(tx, account_id, ids)
        creations.forget(tx, ids)
        for table in (t.step, t.move, t.effect, t.record, t.entry, notice):
            tx.execute(delete(table).where(table.c.profile_id.in_(ids)))
        noted = (t.audit.c.account_id == account_id, t.audit.c.profile_id.in_(ids))
        tx.execute(delete(t.audit).where(*noted))
        tx.execute(delete(t.profile).where(own, t.profile.c.id.in_(ids)))


def _forget_reasons(tx: Connection, ids: Collection[ProfileId]) -> None:
    """Blank what a person typed about an erased one; the batch itself stays."""
    theirs = select(t.step.c.batch_id).where(t.step.c.profile_id.in_(ids))
    typed = (t.batch.c.actor == Actor.PERSON, t.batch.c.cause.in_(_TYPED))
    tx.execute(update(t.batch).where(t.batch.c.id.in_(theirs), *typed).values(reason=""))


# Causes whose reason somebody wrote; a rule's batch is called by the rule's name.
_TYPED = ("move", "reconsent")


def _forget_record(tx: Connection, key: RecordKey) -> None:
    for table in (t.fact, t.event, t.written, t.journal, t.answer, t.handoff):
        tx.execute(delete(table).where(*of_record(table, key)))
    tx.execute(delete(t.outbox).where(*of_record(t.outbox, key), t.outbox.c.purpose != "erase"))
    ends = (
        (t.link.c.from_object == key.object) & (t.link.c.from_id == key.record_id),
        (t.link.c.to_object == key.object) & (t.link.c.to_id == key.record_id),
    )
    tx.execute(delete(t.link).where(t.link.c.connection_id == key.connection_id, or_(*ends)))


def _forget_parts(tx: Connection, connection_id: str, words: Collection[str]) -> None:
    """Delete what could not be read, and so belongs to no record, where it names the person."""
    text = type_coerce(t.event.c.data, Text)
    named = or_(*(text.icontains(word, autoescape=True) for word in words if word))
    own = (
        t.event.c.connection_id == connection_id,
        # Of no record, which is where the index finds them.
        *(t.event.c[name] == "" for name in ("object", "record_id", "happening")),
    )
    tx.execute(delete(t.event).where(*own, named))


def _at(key: RecordKey) -> dict[str, Any]:
    return key._asdict()


def _profile(profile: Profile, now: datetime) -> dict[str, Any]:
    return columns(profile) | {"created_at": profile.created_at or now}


def _record(record: Record, now: datetime) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in _RECORD} | _at(record.key)
    return row | {"pushed": dict(record.pushed), "created_at": record.created_at or now}


_RECORD = (
    "profile_id",
    "email",
    "lifecycle",
    "lead_status",
    "owner",
    "alive",
    "merged_into",
    "ask_at",
    "ask_lane",
    "ask_trace",
    "asked",
    "read_at",
    "claim",
)


def _fact(fact: Fact, now: datetime) -> dict[str, Any]:
    return _at(fact.record) | {
        "field": fact.field,
        "happened_at": fact.when,
        "event_id": fact.event_id,
        "value": fact.value,
        "version": fact.version,
        "ours": fact.ours,
        "silent": fact.silent,
        "learned_at": now,
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "connection_id": link.start.connection_id,
        "from_object": link.start.object,
        "from_id": link.start.record_id,
        "to_object": link.goal.object,
        "to_id": link.goal.record_id,
        "happened_at": link.when,
        "event_id": link.event_id,
        "present": link.present,
        "silent": link.silent,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return columns(batch)


def _step(step: OwnStep) -> dict[str, Any]:
    return columns(step) | {"funnel": [int(slot) for slot in step.funnel]}


def _move(move: LedgerMove) -> dict[str, Any]:
    return {name: value for name, value in columns(move).items() if name != "id"}


def _pending(
    one: Pending, account_id: AccountId, held: dict[str, str], now: datetime
) -> dict[str, Any]:
    row: dict[str, Any] = {"account_id": account_id, **one.record._asdict()}
    row |= {
        "profile_id": one.profile_id,
        "purpose": one.purpose,
        "fields": dict(one.fields),
        "seen": dict(one.seen),
        "slot": one.slot,
        "cause": one.cause,
        "lane": one.lane,
        "state": State.HELD if one.cause in held else one.state,
        "hold_id": held.get(one.cause, one.hold_id),
        "reason": one.reason,
        "attempts": one.attempts,
        "due_at": one.due_at or now,
        "wanted_at": one.wanted_at,
        "created_at": one.created_at or now,
        "trace": one.trace,
    }
    return row | ({"id": one.id} if one.id else {})
