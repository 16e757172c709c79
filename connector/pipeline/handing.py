"""What is handed to sales: on entering MQL, when a rep has connected, and on bad timing.

Only what happens live is handed over, each part once for what it answers. Nothing is called here:
writes go into the outbox, what the clock comes for is entered with its date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.facts import ConnectionId, Fact, is_fresh
from connector.domain.handoffs import Intent, Part
from connector.domain.steps import Actor, Move
from connector.mapping.handoff_document import sql_stage
from connector.mapping.lookup import Lookup
from connector.mapping.plan import is_backward
from connector.mapping.replay import Saying
from connector.mapping.table import Disposition, Meaning
from connector.pipeline.connected import OPEN, is_news, says_connected
from connector.pipeline.entries import entered
from connector.pipeline.refold import Retold
from connector.pipeline.scene import Scene
from connector.pipeline.wishes import cause_of
from connector.stored import Pending, Purpose, Record


@dataclass(frozen=True, slots=True)
class _Case:
    """One record of a profile that something is to be handed over with."""

    scene: Scene
    retold: Retold
    record: Record
    cause: str

    @property
    def saying(self) -> Saying:
        return self.retold.sayings[self.record.key]

    @property
    def lookup(self) -> Lookup:
        return self.scene.lookup(self.record.key.connection_id)

    def name(self, meaning: Meaning) -> str:
        return self.lookup.mapping.name_of(self.record.key.object, meaning)

    def enter(self, part: Part, answers: datetime, due_at: datetime | None = None) -> str:
        """Enter an intent, and return its key."""
        key = self.scene.new_id("hof")
        self.scene.changes.intents.append(Intent(key, self.record.key, part, answers, due_at))
        return key

    def want(
        self, purpose: Purpose, key: str, fields: dict[str, str], seen: dict[str, str]
    ) -> None:
        """Put a write into the outbox, if the intent is entered."""
        waiting = self.scene.waiting(self.record.key, purpose)
        self.scene.want(
            Pending(
                waiting.id if waiting else 0,
                self.record.key,
                purpose,
                fields,
                seen,
                self.retold.after.id,
                self.retold.after.slot,
                self.cause,
                due_at=self.scene.now,
                created_at=self.scene.now,
                wanted_at=self.scene.now,
                intent=key,
            )
        )


def hand_off(scene: Scene, told: Iterable[Retold]) -> None:
    """Enter what the retold profiles' records are handed over with."""
    for one in told:
        if one.after.slot in OPEN and not one.after.merged_into:
            _enter_mql(scene, one)
            _connected(scene, one)
            _bad_timing(scene, one)


def _enter_mql(scene: Scene, retold: Retold) -> None:
    """Hand over whoever came to MQL: as a new lead, to an owner, and looked after by the clock."""
    entry = _entry(scene, retold)
    if entry is None:
        return
    for connection_id in sorted({key.connection_id for key in retold.sayings}):
        record = _first(scene, retold, entry, connection_id)
        handoff = scene.lookup(connection_id).mapping.handoff
        if record is None or handoff.is_off:
            continue
        case = _Case(scene, retold, record, cause_of(entry, scene))
        if handoff.reset_status.enabled and retold.story.moves[-1] is entry:
            _reset_status(case, entry, handoff.reset_status.value)
        if handoff.assign_owner.enabled:
            _assign_owner(case, entry)
        if handoff.untouched_task.enabled:
            hours = timedelta(hours=handoff.untouched_task.hours)
            case.enter(Part.TASK, entry.when, entry.when + hours)


def _entry(scene: Scene, retold: Retold) -> Move | None:
    """Return the last entry to MQL if it is a live one that nobody knew of, or no record of it.

    An older one that turns up late was followed by one that was handed over. An undone batch
    brings people back to MQL; it is no new qualification.
    """
    own = retold.after.id
    last = next(reversed(entered(scene, own, retold.story)), None)
    if last is None or not _is_live(scene, last):
        return None
    joined = [one for one, into in scene.changes.rehomed.items() if into == own]
    known = [move for one in (own, *joined) for move in scene.crowd.moves.get(one, ())]
    newest = max((move.occurred_at for move in known if move.goal is last.goal), default=None)
    is_new = newest is None or last.when > newest or bool(scene.newcomers & retold.sayings.keys())
    return last if is_new else None


def _is_live(scene: Scene, move: Move) -> bool:
    """Say whether a move may be handed over; a rule's is made as it is judged, however dated."""
    if move.step.silent or move.step.actor in {Actor.IMPORT, Actor.SYSTEM}:
        return False
    return move.step.actor is Actor.RULE or is_fresh(move.when, scene.now)


def _first(scene: Scene, retold: Retold, entry: Move, connection_id: ConnectionId) -> Record | None:
    """Return the record that is handed over in a CRM: the one that moved, else the oldest."""
    own = [one for one in _living(scene, retold) if one.key.connection_id == connection_id]
    moved = [record for record in own if record.key == entry.step.record]
    return moved[0] if moved else oldest(own, scene.now)


def oldest(records: Iterable[Record], now: datetime) -> Record | None:
    """Return the record that a person is handed over with where none of them moved."""
    return min(records, key=lambda one: (one.created_at or now, one.key), default=None)


def _living(scene: Scene, retold: Retold) -> Iterator[Record]:
    for key in retold.sayings:
        record = scene.records[key]
        if record.alive and not record.merged_into:
            yield record


def _reset_status(case: _Case, entry: Move, value: str) -> None:
    """Want the status of a new lead, unless a rep has answered this very entry already."""
    name, now = case.name(Meaning.LEAD_STATUS), case.saying.value(Meaning.LEAD_STATUS)
    held = case.saying.held.get(Meaning.LEAD_STATUS)
    answered = held is not None and now and not held.ours and held.when > entry.when
    if name and now != value and not answered:
        case.want(Purpose.STATUS, case.enter(Part.STATUS, entry.when), {name: value}, {name: now})


def _assign_owner(case: _Case, entry: Move) -> None:
    """Want an owner; whose turn it is shows when the write is about to go."""
    name = case.name(Meaning.OWNER)
    if name and not case.saying.value(Meaning.OWNER):
        case.want(Purpose.OWNER, case.enter(Part.OWNER, entry.when), {name: ""}, {name: ""})


def _connected(scene: Scene, retold: Retold) -> None:
    """Want the SQL stage, then one deal, where a rep has just said that they are connected."""
    for record in _living(scene, retold):
        lookup = scene.lookup(record.key.connection_id)
        fact = retold.sayings[record.key].held.get(Meaning.LEAD_STATUS)
        if fact is None or not lookup.mapping.handoff.create_deal.enabled:
            continue
        if says_connected(lookup, fact) and is_news(scene, fact):
            case = _Case(scene, retold, record, f"{Actor.CRM}:{record.key.connection_id}")
            key = case.enter(Part.DEAL, _answered(scene, retold, fact))
            _want_sql(case, key)
            case.want(Purpose.DEAL, key, {"deal": key}, {})


def _answered(scene: Scene, retold: Retold, fact: Fact) -> datetime:
    """Return the MQL entry that an answer is about.

    Where there was none, when any record of the person in this CRM first said what it says.
    """
    entries = (move.when for move in entered(scene, retold.after.id, retold.story))
    lookup = scene.lookup(fact.record.connection_id)
    told = (retold.sayings[one.key].held.get(Meaning.LEAD_STATUS) for one in _living(scene, retold))
    alike = (one for one in told if one and one.record.connection_id == fact.record.connection_id)
    first = min(one.when for one in alike if says_connected(lookup, one))
    return max((when for when in entries if when <= fact.when), default=first)


def _want_sql(case: _Case, key: str) -> None:
    now = case.saying.value(Meaning.LIFECYCLE)
    fields = to_sql(case.lookup, case.record.key.object, now)
    if fields:
        case.want(Purpose.STAGE, key, fields, dict.fromkeys(fields, now))


def to_sql(lookup: Lookup, kind: str, held: str) -> dict[str, str]:
    """Return what takes a record to the SQL stage; nothing where it is there, or further."""
    name, stage = lookup.mapping.name_of(kind, Meaning.LIFECYCLE), sql_stage(lookup)
    if not name or not stage or stage == held or is_backward(held, stage, kind, lookup):
        return {}
    return {name: stage}


def _bad_timing(scene: Scene, retold: Retold) -> None:
    """Have the clock come for whoever said, live, that the time was bad."""
    heard = {(one.record, one.occurred_at) for one in scene.changes.answers}
    for record in _living(scene, retold):
        recycle = scene.lookup(record.key.connection_id).mapping.handoff.recycle
        saying = retold.sayings[record.key]
        status, since = saying.held.get(Meaning.LEAD_STATUS), saying.disposed_at
        if not recycle.enabled or saying.disposition is not Disposition.BAD_TIMING:
            continue
        if since is None or (record.key, since) not in heard or not is_fresh(since, scene.now):
            continue
        if status and not status.silent:
            _Case(scene, retold, record, "").enter(
                Part.RECYCLE, since, come_again(since, scene.now, recycle.after_days, recycle.field)
            )


def come_again(since: datetime, now: datetime, after_days: int | None, field: str) -> datetime:
    """Return when to look: at once for a date that the CRM holds, else so many days later."""
    return now if field or after_days is None else since + timedelta(days=after_days)
