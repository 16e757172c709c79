"""Events become facts: one small function a kind of happening, order of arrival does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connector.domain.facts import READ, Fact, Link, RecordKey, clock
from connector.domain.handoffs import DISPOSED
from connector.mapping.replay import ALIVE
from connector.mapping.table import PEOPLE, Meaning
from connector.pipeline.reading import fields_of, parse_reading
from connector.pipeline.scene import Scene
from connector.ports import Happening, Reading
from connector.stored import Arrival, Pending, Purpose, Record, Writing

FOLLOWED = PEOPLE | {"deal", "company", "account"}
GUARDED = frozenset({Meaning.LIFECYCLE, Meaning.LEAD_STATUS, Meaning.OWNER})
# A read older than this is no ground for a write.
FRESH = timedelta(seconds=2)
# How far the CRM's clock and ours may be apart when an echo is recognised.
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(minutes=5)


def take_in(scene: Scene, arrivals: Iterable[Arrival]) -> None:
    """Apply events to a scene; what is about an erased record is left out."""
    for arrival in arrivals:
        scene.stained = _is_buried(scene, arrival.record)
        if arrival.event.object in FOLLOWED and not scene.stained:
            scene.traces[arrival.record] = arrival.trace
            known = scene.lanes.get(arrival.record, arrival.lane)
            scene.lanes[arrival.record] = min(known, arrival.lane)
            if arrival.silent:
                scene.bulk_batch = arrival.trace
            _TAKE.get(arrival.event.happening, _ignore)(scene, arrival)
        # What names an erased person is not kept, not even as a row that is done with.
        (scene.changes.burned if scene.stained else scene.changes.done).append(arrival.id)
    for fact in scene.heard:
        _put_back(scene, fact)


def _is_buried(scene: Scene, key: RecordKey) -> bool:
    return "/".join(key) in scene.graves


def _when(arrival: Arrival) -> datetime:
    return clock(arrival.event.occurred_at, arrival.received_at)


def _ignore(_scene: Scene, _arrival: Arrival) -> None:
    """Kinds that say nothing to us are kept in the inbox, without effect."""


def _meet(scene: Scene, arrival: Arrival, key: RecordKey) -> None:
    """Know a record; one that we have never read, or thought gone by then, is read soon."""
    ended = _ended(scene, key)
    if scene.record(key).read_at is None or (ended and _when(arrival) > ended):
        scene.ask(key, arrival.lane)
    scene.touched.add(key)


def _changed(scene: Scene, arrival: Arrival) -> None:
    _meet(scene, arrival, arrival.record)
    name, value = str(arrival.event.data["field"]), str(arrival.event.data["value"])
    lookup = scene.lookup(arrival.connection_id)
    found = name == DISPOSED and bool(arrival.event.data.get("ours"))
    if found or name in lookup.mapping.names(arrival.event.object):
        fact = Fact(
            arrival.record,
            name,
            _normal(lookup.mapping.meaning_of(arrival.event.object, name), value),
            _when(arrival),
            arrival.event.event_id,
            lookup.version,
            silent=arrival.silent,
        )
        event = arrival.event
        ours = bool(event.data.get("ours")) or is_ours(scene, fact, event.origin_id)
        hear(scene, replace(fact, ours=ours))


def _is_email(scene: Scene, fact: Fact) -> bool:
    mapping = scene.lookup(fact.record.connection_id).mapping
    return mapping.meaning_of(fact.record.object, fact.field) is Meaning.EMAIL


def _normal(meaning: Meaning | None, value: str) -> str:
    return value.strip().lower() if meaning is Meaning.EMAIL else value


def hear(scene: Scene, fact: Fact) -> None:
    """Learn a fact; a human's edit that one of our writes ran over is put back in the end.

    An address that an erased person held before the erasure is not learned; a record that holds
    no newer one is that person's, and refused.
    """
    erased_at = scene.graves.get(fact.value) if _is_email(scene, fact) else None
    if erased_at is not None and fact.when <= erased_at:
        own = [one for one in scene.known(fact.record) if one.field == fact.field]
        if all(one.stamp <= fact.stamp for one in own):
            scene.refused.add(fact.record)
        scene.stained = True
    elif scene.learn(fact) and not fact.ours:
        scene.heard.append(fact)


def is_ours(scene: Scene, fact: Fact, origin_id: str) -> bool:
    """Say whether a fact is the echo of our own write: source id and write ledger must match."""
    connection = scene.connections[fact.record.connection_id]
    if not connection.app or origin_id != connection.app:
        return False
    return any(
        row.field == fact.field
        and row.value == fact.value
        and row.intent_at - _BEFORE <= fact.when <= (row.written_at or row.intent_at) + _AFTER
        for row in scene.writings(fact.record)
    )


def _put_back(scene: Scene, fact: Fact) -> None:
    lookup = scene.lookup(fact.record.connection_id)
    if lookup.mapping.meaning_of(fact.record.object, fact.field) not in GUARDED:
        return
    for row in scene.writings(fact.record):
        if row.field != fact.field or not _was_overrun(row, fact):
            continue
        if _last_before(scene, row).value != fact.value:
            continue
        waiting = scene.waiting(fact.record, Purpose.RESTORE)
        if fact.value in {row.seen, row.value, ""}:
            scene.changes.unwanted += [waiting.id] if waiting else []
        elif not row.restored and row.id not in scene.changes.restored:
            _restore(scene, fact, row.value)
            scene.changes.restored.append(row.id)


def _was_overrun(row: Writing, fact: Fact) -> bool:
    """Say whether an edit was made after the read that our write was founded on, and before it."""
    read_at = row.intent_at - FRESH - _BEFORE
    return (
        row.written_at is not None
        and (row.seen_at is None or fact.when > row.seen_at)
        and read_at < fact.when <= row.written_at
    )


def _last_before(scene: Scene, row: Writing) -> Fact:
    """Return what people had set last when our write came."""
    made = [
        fact
        for fact in scene.known(row.record)
        if fact.field == row.field and not fact.ours and _was_overrun(row, fact)
    ]
    return max(made, key=lambda fact: fact.stamp)


def _restore(scene: Scene, fact: Fact, ours: str) -> None:
    profile_id = scene.record(fact.record).profile_id
    scene.want(
        Pending(
            0,
            fact.record,
            Purpose.RESTORE,
            {fact.field: fact.value},
            {fact.field: ours},
            profile_id,
            cause="restore",
            due_at=scene.now,
        )
    )
    scene.note("human_edit_put_back", fact.field, profile_id, fact.record.record_id)


def _exists(value: str) -> Callable[[Scene, Arrival], None]:
    def apply(scene: Scene, arrival: Arrival) -> None:
        version = scene.lookup(arrival.connection_id).version
        event = arrival.event
        fact = Fact(arrival.record, ALIVE, value, _when(arrival), event.event_id, version)
        scene.record(arrival.record)
        scene.learn(fact)
        if value == "yes":
            scene.ask(arrival.record, arrival.lane)
        else:
            _outlive(scene, fact)

    return apply


def _outlive(scene: Scene, deletion: Fact) -> None:
    """Note that a record was read after the deletion that we hear of only now."""
    read_at = scene.record(deletion.record).read_at
    told = any(one.field == ALIVE and one.when == read_at for one in scene.known(deletion.record))
    if read_at is not None and read_at > deletion.when and not told:
        scene.learn(replace(deletion, value="yes", when=read_at, event_id=READ))


def _merged(scene: Scene, arrival: Arrival) -> None:
    """Several records became one: the others are gone, their people are one person."""
    event = arrival.event
    into = RecordKey(arrival.connection_id, event.object, str(event.data["into"]))
    version = scene.lookup(arrival.connection_id).version
    merged = event.data["merged"]
    for record_id in merged if isinstance(merged, list) else []:
        key = RecordKey(arrival.connection_id, event.object, str(record_id))
        _doubt(scene, key, into)
        if _is_buried(scene, key):
            continue
        scene.learn(Fact(key, ALIVE, "no", _when(arrival), event.event_id, version))
        scene.put(replace(scene.record(key), merged_into=into.record_id, ask_at=None))
    scene.record(into)
    scene.touched.add(into)
    scene.ask(into, arrival.lane)


def _erased(scene: Scene, arrival: Arrival) -> None:
    scene.record(arrival.record)
    scene.touched.add(arrival.record)
    scene.forgotten.add(arrival.record)


def _linked(scene: Scene, arrival: Arrival) -> None:
    data = arrival.event.data
    goal = RecordKey(arrival.connection_id, str(data["to_object"]), str(data["to_id"]))
    if goal.object not in FOLLOWED or _is_buried(scene, goal):
        return
    for key in (arrival.record, goal):
        _meet(scene, arrival, key)
    present = bool(data["present"])
    when, event_id = _when(arrival), arrival.event.event_id
    scene.tie(Link(arrival.record, goal, present, when, event_id, arrival.silent))


def _read(scene: Scene, arrival: Arrival) -> None:
    """Apply a read of ours: dated history where the CRM tells it, else only what differs."""
    reading = parse_reading(arrival.event.data)
    _absorb(scene, arrival, reading)
    key = arrival.record
    record = scene.record(key)
    # What the archive shows of a record tells nothing of after its deletion.
    read_at = record.read_at if reading.archived else arrival.received_at
    scene.put(replace(record, ask_at=None, asked=0, read_at=read_at))
    if arrival.event.data.get("missing"):
        _missing(scene, arrival)
        return
    lookup = scene.lookup(arrival.connection_id)
    known = {fact.field: fact for fact in sorted(scene.known(key), key=lambda f: f.stamp)}
    for fact, origin_id in fields_of(reading, key, lookup, known, arrival.received_at):
        ours = is_ours(scene, fact, origin_id)
        hear(scene, replace(fact, silent=_is_silent(arrival, fact.when), ours=ours))
    if reading.archived:
        _archived(scene, arrival, reading)
        return
    _revive(scene, arrival, record)
    made_at = (reading.created_at or arrival.received_at) if record.read_at is None else None
    _tie_up(scene, arrival, made_at)


def reading_ties(arrival: Arrival) -> list[RecordKey]:
    """Return the records that a reading came with."""
    tied = arrival.event.data.get("tied")
    if not isinstance(tied, dict):
        return []
    return [RecordKey(arrival.connection_id, str(tied["kind"]), str(id_)) for id_ in tied["ids"]]


def _tie_up(scene: Scene, arrival: Arrival, made_at: datetime | None) -> None:
    """Learn what a read record is tied to, and what it is no longer.

    The CRM does not date ties: what the first read finds (`made_at`) counts since the record was
    made, whatever else we heard by then, so that the order of arrival does not matter.
    """
    tied = arrival.event.data.get("tied")
    if not isinstance(tied, dict):
        return
    asked_at = datetime.fromisoformat(str(tied["at"]))
    known = scene.tied(arrival.record, str(tied["kind"]))
    there = {other for other in reading_ties(arrival) if not _is_buried(scene, other)}
    for other in there:
        if not arrival.silent:
            _meet(scene, arrival, other)
        scene.record(other)
        if made_at is not None:
            scene.tie(Link(arrival.record, other, True, made_at, "", arrival.silent))
    for other in there | known.keys():
        last = known.get(other)
        present = other in there
        stale = last is None or (last.present is not present and last.when + _BEFORE < asked_at)
        if stale and not (last is None and made_at is not None):
            scene.tie(Link(arrival.record, other, present, asked_at, READ, arrival.silent))


def _is_silent(arrival: Arrival, when: datetime) -> bool:
    """Say whether a fact of a read sets state only; of what is read in bulk, the young are live."""
    live_since = arrival.event.data.get("live_since")
    young = live_since is not None and when >= datetime.fromisoformat(str(live_since))
    return arrival.silent and not young


def _absorb(scene: Scene, arrival: Arrival, reading: Reading) -> None:
    """Note which records became this one: the id that was asked for, and any that we know of."""
    for old, when in reading.merged.items():
        known = scene.records.get(arrival.record._replace(record_id=old))
        if known is not None and not known.merged_into:
            _moved_on(scene, arrival, old, when)
    asked = scene.records.get(arrival.record._replace(record_id=reading.asked_id))
    into = {reading.asked_id, asked.merged_into if asked else ""}
    if reading.record_id not in into:
        _moved_on(scene, arrival, reading.asked_id, None)


def _moved_on(scene: Scene, arrival: Arrival, old: str, when: datetime | None) -> None:
    """Note that the CRM answers under another id: the record was merged into it."""
    asked = RecordKey(arrival.connection_id, arrival.event.object, old)
    _doubt(scene, asked, arrival.record)
    if _is_buried(scene, asked):
        return
    version = scene.lookup(arrival.connection_id).version
    scene.learn(Fact(asked, ALIVE, "no", when or arrival.received_at, "merged", version))
    into = arrival.event.record_id
    scene.put(replace(scene.record(asked), merged_into=into, ask_at=None))


def _doubt(scene: Scene, loser: RecordKey, into: RecordKey) -> None:
    """Have our own fields written again: the CRM chose among two records', or took a late write."""
    known = scene.records.get(loser)
    if known is None or known.merged_into != into.record_id:
        scene.changes.doubted.add(into)


def _archived(scene: Scene, arrival: Arrival, reading: Reading) -> None:
    """Note that a record that we thought there was deleted, on the CRM's own date."""
    key = arrival.record
    if _ended(scene, key) or scene.record(key).merged_into:
        return
    when = reading.ended_at or arrival.received_at
    version = scene.lookup(arrival.connection_id).version
    scene.learn(Fact(key, ALIVE, "no", when, "archived", version))


def _missing(scene: Scene, arrival: Arrival) -> None:
    version = scene.lookup(arrival.connection_id).version
    scene.learn(Fact(arrival.record, ALIVE, "no", arrival.received_at, "missing", version))


def _ended(scene: Scene, key: RecordKey) -> datetime | None:
    """Return since when a record is gone, as far as we know; None while it is there or merged."""
    told = [fact for fact in scene.known(key) if fact.field == ALIVE]
    newest = max(told, key=lambda fact: fact.stamp, default=None)
    gone = newest is not None and newest.value != "yes" and not scene.record(key).merged_into
    return newest.when if newest is not None and gone else None


def _revive(scene: Scene, arrival: Arrival, record: Record) -> None:
    """Note that a record that we thought gone is there after all."""
    if _ended(scene, record.key):
        version = scene.lookup(arrival.connection_id).version
        scene.learn(Fact(record.key, ALIVE, "yes", arrival.received_at, READ, version))


_TAKE: Mapping[Happening, Callable[[Scene, Arrival], None]] = {
    Happening.CHANGED: _changed,
    Happening.CREATED: _exists("yes"),
    Happening.RESTORED: _exists("yes"),
    Happening.DELETED: _exists("no"),
    Happening.MERGED: _merged,
    Happening.ERASED: _erased,
    Happening.LINKED: _linked,
    Happening.READ: _read,
}
