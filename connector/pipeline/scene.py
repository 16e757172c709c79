"""A working copy of some records and the people behind them.

What is done to it is collected as `changes`, to be stored in one transaction.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from connector import trace
from connector.domain.facts import ConnectionId, Fact, Link, ProfileId, RecordKey
from connector.domain.scores import Score
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor
from connector.mapping.lookup import Lookup
from connector.mapping.replay import History, Peer
from connector.stored import (
    LIVE,
    Batch,
    Changes,
    Connection,
    Crowd,
    Lookups,
    Note,
    OwnStep,
    Pending,
    Profile,
    Purpose,
    Record,
    Writing,
)


class Scene:
    """One unit of work on one account; `now` and `new_id` come from outside."""

    def __init__(
        self,
        crowd: Crowd,
        lookups: Lookups,
        connections: Mapping[ConnectionId, Connection],
        *,
        pipeline: Pipeline,
        now: datetime,
        new_id: Callable[[str], str],
    ) -> None:
        self.crowd = crowd
        self.lookups = lookups
        self.connections = connections
        self.pipeline = pipeline
        self.now = now
        self.new_id = new_id
        self.changes = Changes()
        self.records: dict[RecordKey, Record] = dict(crowd.records)
        self.became: dict[RecordKey, RecordKey] = {}
        self.profiles: dict[ProfileId, Profile] = dict(crowd.profiles)
        self.facts: dict[RecordKey, dict[tuple[object, ...], Fact]] = defaultdict(dict)
        self.links: dict[tuple[object, ...], Link] = {_link_id(link): link for link in crowd.links}
        self.steps: dict[ProfileId, list[OwnStep]] = defaultdict(list)
        self.scores: dict[ProfileId, Score] = dict(crowd.scores)
        self.touched: set[RecordKey] = set()
        self.forgotten: set[RecordKey] = set()
        self.refused: set[RecordKey] = set()
        self.unnamed: dict[RecordKey, set[str]] = {}
        self.stained = False
        self.heard: list[Fact] = []
        self.graves: Mapping[str, datetime] = {}
        self.traces: dict[RecordKey, str] = {}
        self.lanes: dict[RecordKey, int] = {}
        self.bulk_batch = ""
        self.stirred: set[ProfileId] = set()
        self.newcomers: set[RecordKey] = set()
        self._batches: dict[tuple[object, ...], str] = {}
        for record in self.records.values():
            self._note_merge(record)
        for key, facts in crowd.facts.items():
            self.facts[key] = {_fact_id(fact): fact for fact in facts}
        for profile_id, steps in crowd.steps.items():
            self.steps[profile_id] = list(steps)

    def lookup(self, connection_id: ConnectionId) -> Lookup:
        """Return the newest mapping of a connection."""
        versions = self.lookups[connection_id]
        return versions[max(versions)]

    def record(self, key: RecordKey) -> Record:
        """Return a record, a new one if we have not met it."""
        if key not in self.records:
            self.put(Record(key, created_at=self.now))
        return self.records[key]

    def put(self, record: Record) -> None:
        """Keep a record's row."""
        known = self.records.get(record.key)
        if known != record:
            if known is None or known.ask_at != record.ask_at:
                self.changes.asked.add(record.key)
            self.records[record.key] = record
            self.changes.records[record.key] = record
            self._note_merge(record)

    def _note_merge(self, record: Record) -> None:
        if record.merged_into:
            self.became[record.key] = record.key._replace(record_id=record.merged_into)

    def put_profile(self, profile: Profile) -> None:
        """Keep a profile's row."""
        if self.profiles.get(profile.id) != profile:
            self.profiles[profile.id] = profile
            self.changes.profiles[profile.id] = profile

    def learn(self, fact: Fact) -> bool:
        """Keep a fact; say whether it was news."""
        self.touched.add(fact.record)
        own = self.facts[fact.record]
        if _fact_id(fact) in own:
            return False
        own[_fact_id(fact)] = fact
        self.changes.facts.append(fact)
        return True

    def tie(self, link: Link) -> None:
        """Keep a link between two records."""
        self.touched |= {link.start, link.goal}
        if _link_id(link) not in self.links:
            self.links[_link_id(link)] = link
            self.changes.links.append(link)

    def take(self, step: OwnStep) -> None:
        """Keep a step of a person, a rule or the system."""
        self.steps[step.profile_id].append(step)
        self.changes.steps.append(step)

    def withdraw(self, step: OwnStep) -> None:
        """Take back a step that has become untrue."""
        self.steps[step.profile_id].remove(step)
        self.changes.withdrawn.append(step.id)

    def ask(self, key: RecordKey, lane: int = LIVE) -> None:
        """Have a record read soon; not one whose person must not be contacted."""
        record = self.record(key)
        profile = self.profiles.get(record.profile_id) if record.profile_id else None
        if record.ask_at is None and (profile is None or profile.slot is not Slot.DO_NOT_CONTACT):
            own = self.traces.get(key, "")
            self.put(replace(record, ask_at=self.now, ask_lane=lane, ask_trace=own, asked=0))

    def lane(self, keys: Iterable[RecordKey]) -> int:
        """Return how urgent the events about some records were; people's word, where none were."""
        own = [self.lanes[key] for key in keys if key in self.lanes]
        return min(own or self.lanes.values(), default=LIVE)

    def leave_out(self, profile_id: ProfileId) -> None:
        """Work on without a profile's records: they are to be forgotten, not joined to anyone."""
        for record in self.records_of(profile_id):
            del self.records[record.key]
            self.touched.discard(record.key)

    def records_of(self, profile_id: ProfileId) -> list[Record]:
        """Return the records behind a profile."""
        return [record for record in self.records.values() if record.profile_id == profile_id]

    def history(self, key: RecordKey) -> History:
        """Return all facts of a record, its deals and its companies.

        What was merged into it has left it its ties: the CRM moves them without a word, so that
        a read no longer finds them with what is gone.
        """
        own = self._absorbed(key)
        ties: dict[RecordKey, list[Link]] = defaultdict(list)
        for link in self.links.values():
            if link.is_missed and key not in (link.start, link.goal):
                continue
            if link.start in own:
                ties[link.goal].append(replace(link, start=key))
            elif link.goal in own:
                ties[link.start].append(replace(link, goal=key))
        peers = [Peer(other, links, self.known(other)) for other, links in ties.items()]
        return History(key, self.known(key), peers)

    def _absorbed(self, key: RecordKey) -> set[RecordKey]:
        """Return a record with all that were merged into it."""
        own = {key}
        while more := {loser for loser, into in self.became.items() if into in own} - own:
            own |= more
        return own

    def known(self, key: RecordKey) -> list[Fact]:
        """Return the facts of a record."""
        return list(self.facts[key].values()) if key in self.facts else []

    def peers(self, key: RecordKey) -> set[RecordKey]:
        """Return the records that a record is or was tied to."""
        pairs = [(link.start, link.goal) for link in self.links.values()]
        return {b if a == key else a for a, b in pairs if key in (a, b)}

    def tied(self, key: RecordKey, kind: str) -> dict[RecordKey, Link]:
        """Return the newest word on each record of a kind that a record is or was tied to."""
        found: dict[RecordKey, Link] = {}
        for link in sorted(self.links.values(), key=lambda link: link.stamp):
            other = link.goal if link.start == key else link.start
            if key in (link.start, link.goal) and other.object == kind:
                found[other] = link
        return found

    def writings(self, key: RecordKey) -> Iterable[Writing]:
        """Return what we wrote to a record lately."""
        return self.crowd.writings.get(key, ())

    def waiting(self, key: RecordKey, purpose: Purpose) -> Pending | None:
        """Return the write of this purpose that waits for a record."""
        return self.crowd.pending.get((key, purpose))

    def is_sending(self, key: RecordKey, purpose: Purpose) -> bool:
        """Say whether a write of this purpose is under way."""
        return (key, purpose) in self.crowd.sending

    def want(self, pending: Pending) -> None:
        """Put a write into the outbox; the last value wins over one that waits."""
        self.changes.pending.append(replace(pending, trace=self._trace_of(pending)))

    def _trace_of(self, pending: Pending) -> str:
        """Return what a write goes back to: its record's event, its person's, its deal's."""
        own = self.traces.get(pending.record)
        if own or not self.traces:
            return own or pending.trace or trace.current()
        kin = [one.key for one in self.records_of(pending.profile_id)] if pending.profile_id else []
        near = [*kin, *(self.peers(pending.record) if kin else ())]
        return next((self.traces[one] for one in near if self.traces.get(one)), pending.trace)

    def note(
        self, what: str, detail: str, profile_id: ProfileId | None, record_id: str = ""
    ) -> None:
        """Write an audit entry."""
        self.changes.notes.append(Note(what, detail, self.now, profile_id, record_id))

    def name_batch(
        self, key: tuple[object, ...], batch_id: str, cause: str, actor: Actor, reason: str
    ) -> None:
        """Have a cause's moves go into a batch whose id is known already."""
        self._batches[key] = batch_id
        self.changes.batches[batch_id] = Batch(batch_id, cause, actor, reason, self.now)

    def bulk(self) -> str:
        """Return the batch of a bulk cause: the same one, however many units of work it takes."""
        cause = self.bulk_batch
        if (cause,) not in self._batches:
            made = f"bat_{hashlib.sha256(cause.encode()).hexdigest()[:32]}"
            self.name_batch((cause,), made, cause.rpartition("@")[0] or cause, Actor.IMPORT, "")
        return self._batches[cause,]

    def batch(self, key: tuple[object, ...], cause: str, actor: Actor, reason: str = "") -> str:
        """Return the batch of a cause, a new one the first time it is named."""
        if key not in self._batches:
            made = self.new_id("bat")
            self._batches[key] = made
            self.changes.batches[made] = Batch(made, cause, actor, reason, self.now)
        return self._batches[key]


def _fact_id(fact: Fact) -> tuple[object, ...]:
    return (fact.field, *fact.stamp)


def _link_id(link: Link) -> tuple[object, ...]:
    return (link.start, link.goal, *link.stamp)
