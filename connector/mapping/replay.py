"""A record's facts, replayed in order of time, become its steps and what it says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from connector.domain.facts import Fact, Link, RecordKey, Stamp
from connector.domain.handoffs import DISPOSED
from connector.domain.slots import LEVER_SLOTS, Slot, is_forward
from connector.domain.steps import Actor, Kind, Step
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import PEOPLE, Deal, Disposition, Meaning

# A reserved field name: whether the record exists ("yes", "no").
ALIVE = "@alive"
_LEVER = {str(slot.value): slot for slot in LEVER_SLOTS}
_DECIDING = frozenset({Meaning.LIFECYCLE, Meaning.LEAD_STATUS, Meaning.DEAL_STAGE})

Lookups = Mapping[int, Lookup]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another record that this one is tied to: a deal, or its company."""

    record: RecordKey
    links: Sequence[Link]
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class History:
    """All we know of one contact or lead: its own facts and those of its deals and companies."""

    record: RecordKey
    facts: Sequence[Fact]
    peers: Sequence[Peer] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A change of a record's lead status or disposition: what sales said, and when.

    `restated` where the lead status is the one from before, as a deal changed the disposition.
    """

    when: datetime
    status: str
    disposition: Disposition | None
    ours: bool
    restated: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """What a record says now. `mapped` tells a row's result from the default (3 or 1).

    `claim` is the slot that a row names and another CRM is master of: shown, not applied.
    `status` is the lead status that counts for the slot: the last mapped one since the lifecycle
    stage changed, because a disposition or an unmapped status moves nobody. `versions` are the
    mappings that deals and companies were learned under, `others` the fields without a meaning.
    """

    held: Mapping[Meaning, Fact] = field(default_factory=dict)
    slot: Slot | None = None
    claim: Slot | None = None
    mapped: bool = False
    alive: bool = True
    status: str = ""
    disposition: Disposition | None = None
    disposed_at: datetime | None = None
    deals: Mapping[RecordKey, Deal] = field(default_factory=dict)
    companies: Mapping[RecordKey, str] = field(default_factory=dict)
    tied: frozenset[RecordKey] = frozenset()
    versions: Mapping[RecordKey, int] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    def value(self, meaning: Meaning) -> str:
        """Return the value a field holds, "" where empty or unknown."""
        return self.held[meaning].value if meaning in self.held else ""

    def tied_deals(self) -> frozenset[Deal]:
        """Return how the deals of this record stand."""
        return frozenset(deal for key, deal in self.deals.items() if key in self.tied)

    def words(self) -> Words:
        """Return what counts for the slot."""
        companies = frozenset(stage for key, stage in self.companies.items() if key in self.tied)
        return Words(self.value(Meaning.LIFECYCLE), self.status, self.tied_deals(), companies)


def replay(history: History, lookups: Lookups) -> tuple[Saying, list[Step]]:
    """Replay a record in order of time; what happened at one instant counts as one change."""
    now = Saying()
    steps: list[Step] = []
    for _, batch in groupby(_timeline(history, lookups), key=lambda item: item.when):
        before = now
        items = list(batch)
        changed: list[Fact | Link] = []
        for item in items:
            after = _apply(now, item, lookups)
            if after is not now:
                changed.append(item)
            now = after
        now, taken = _conclude(before, now, _Change(history.record, changed, lookups, now.versions))
        steps += taken
    return now, steps


def _timeline(history: History, lookups: Lookups) -> list[Fact | Link]:
    items: list[Fact | Link] = list(history.facts)
    for peer in history.peers:
        items += [*peer.links, *peer.facts]
    return sorted(items, key=lambda item: _place(item, lookups))


def _place(item: Fact | Link, lookups: Lookups) -> tuple[object, ...]:
    """Return an item's place in order of time; no two different items share one."""
    names = (*item.start, *item.goal) if isinstance(item, Link) else (*item.record, item.field)
    return item.when, _answers(item, lookups), *item.stamp[1:], names


def _answers(item: Fact | Link, lookups: Lookups) -> bool:
    """Sort a lead status behind the lifecycle stage of the same instant, which it answers."""
    return isinstance(item, Fact) and _meaning(item, lookups) is Meaning.LEAD_STATUS


def _meaning(fact: Fact, lookups: Lookups) -> Meaning | None:
    return lookups[fact.version].mapping.meaning_of(fact.record.object, fact.field)


def _apply(now: Saying, item: Fact | Link, lookups: Lookups) -> Saying:
    """Return what the record says after one item; the same object if nothing changed."""
    if isinstance(item, Link):
        return _tie(now, item)
    if item.field == ALIVE:
        if item.record.object not in PEOPLE:
            return now
        alive = item.value == "yes"
        return now if alive is now.alive else replace(now, alive=alive)
    meaning = _meaning(item, lookups)
    if item.record.object == "deal":
        return _deal(now, item, lookups) if meaning is Meaning.DEAL_STAGE else now
    if item.record.object in {"company", "account"}:
        return _company(now, item) if meaning is Meaning.LIFECYCLE else now
    return _own(now, item, meaning, lookups)


def _tie(now: Saying, link: Link) -> Saying:
    """Tie or untie; that a deal is read without somebody who is deleted undoes nothing."""
    if link.is_missed and not now.alive:
        return now
    other = _peer(link)
    tied = now.tied | {other} if link.present else now.tied - {other}
    return now if tied == now.tied else replace(now, tied=tied)


def _peer(link: Link) -> RecordKey:
    return link.goal if link.start.object in PEOPLE else link.start


def _deal(now: Saying, fact: Fact, lookups: Lookups) -> Saying:
    outcome = lookups[fact.version].deal(fact.value)
    if now.deals.get(fact.record) is outcome:
        return now
    versions = {**now.versions, fact.record: fact.version}
    return replace(now, deals={**now.deals, fact.record: outcome}, versions=versions)


def _company(now: Saying, fact: Fact) -> Saying:
    if now.companies.get(fact.record) == fact.value:
        return now
    versions = {**now.versions, fact.record: fact.version}
    return replace(now, companies={**now.companies, fact.record: fact.value}, versions=versions)


def _own(now: Saying, fact: Fact, meaning: Meaning | None, lookups: Lookups) -> Saying:
    if meaning is None:
        same = now.others.get(fact.field) == fact.value
        return now if same else replace(now, others={**now.others, fact.field: fact.value})
    if meaning in now.held and now.value(meaning) == fact.value:
        return now
    held = {**now.held, meaning: fact}
    lookup = lookups[fact.version]
    if meaning is Meaning.LIFECYCLE:
        status = now.value(Meaning.LEAD_STATUS)
        kept = status if lookup.is_mapped_status(status) else ""
        return replace(now, held=held, status=kept)
    if meaning is Meaning.LEAD_STATUS and _counts(fact.value, lookup):
        return replace(now, held=held, status=fact.value)
    if meaning is Meaning.LEAD_STATUS and _at_once(now, fact):
        return replace(now, held=held, status="")
    return replace(now, held=held)


def _counts(status: str, lookup: Lookup) -> bool:
    return not status or lookup.is_mapped_status(status)


def _at_once(now: Saying, status: Fact) -> bool:
    """Say whether the lifecycle stage changed at this instant: no older status answers to it."""
    stage = now.held.get(Meaning.LIFECYCLE)
    return stage is not None and stage.when == status.when


@dataclass(frozen=True, slots=True)
class _Change:
    """What changed on a record at one instant."""

    record: RecordKey
    items: Sequence[Fact | Link]
    lookups: Lookups
    versions: Mapping[RecordKey, int]

    @property
    def facts(self) -> list[Fact]:
        return [item for item in self.items if isinstance(item, Fact)]

    def deciding(self) -> list[Fact | Link]:
        """Return what a slot hangs on; e-mail, owner and the like do not count."""
        return [item for item in self.items if isinstance(item, Link) or self._decides(item)]

    def _decides(self, fact: Fact) -> bool:
        return _meaning(fact, self.lookups) in _DECIDING

    def lookup(self) -> Lookup:
        """Return the mapping that the last of the deciding facts was learned under.

        A link has the version of what its other end said: it says nothing by itself.
        """
        facts = [item for item in self.deciding() if isinstance(item, Fact)]
        versions = [fact.version for fact in facts or self.facts]
        peers = [_peer(item) for item in self.items if isinstance(item, Link)]
        versions = versions or [self.versions[peer] for peer in peers if peer in self.versions]
        return self.lookups[versions[-1] if versions else max(self.lookups)]

    def step(self, kind: Kind, item: Fact | Link, actor: Actor = Actor.CRM) -> Step:
        """Make a step of this record; its key names the instant and the kind."""
        place = "/".join(self.record)
        return Step(
            kind,
            Stamp(item.when, item.event_id, item.stamp.value),
            f"{place}@{item.when.isoformat()}:{kind}",
            actor,
            self.lookup().funnel,
            record=self.record,
            silent=all(item.silent for item in self.items),
        )


def _conclude(before: Saying, now: Saying, change: _Change) -> tuple[Saying, list[Step]]:
    """Work out the slot, the disposition and the steps of one instant."""
    if not change.items:
        return now, []
    steps = _existence(before, now, change) + _opt_outs(change)
    after = _disposed(before, _mapped(before, now, change), change)
    steps += _results(before, after, change) + _lever(change)
    return after, steps


def _mapped(before: Saying, now: Saying, change: _Change) -> Saying:
    """Look the slot up where what rows ask about changed; fall back to 3 with an e-mail, else 1."""
    lookup = change.lookup()
    slot = lookup.slot(now.words()) if _says_anew(before, now, change) else None
    if slot is not None and lookup.may_give(slot, change.record.connection_id):
        return replace(now, slot=slot, claim=None, mapped=True)
    if slot is not None:
        now = replace(now, claim=slot)
    if now.mapped or Meaning.EMAIL not in now.held:
        return now
    default = Slot.QUALIFIED if now.value(Meaning.EMAIL) else Slot.ANONYMOUS
    if now.slot is None or is_forward(lookup.funnel, now.slot, default):
        return replace(now, slot=default)
    return now


def _says_anew(before: Saying, now: Saying, change: _Change) -> bool:
    """Say whether the slot must be looked up; else an old fact would answer to a newer mapping."""
    if not _DECIDING & before.held.keys() and _DECIDING & now.held.keys():
        return True
    lookup = change.lookup()
    return lookup.asked(before.words()) != lookup.asked(now.words())


def _disposed(before: Saying, now: Saying, change: _Change) -> Saying:
    """Learn what sales answered: the lead status and the disposition that it or a deal means."""
    old, status = before.value(Meaning.LEAD_STATUS), now.value(Meaning.LEAD_STATUS)
    deals, found = now.tied_deals(), now.others.get(DISPOSED, "")
    same = before.others.get(DISPOSED, "") == found
    if (old, before.tied_deals()) == (status, deals) and same:
        return now
    when = change.items[-1].when
    disposition = change.lookup().disposition(status, deals, change.record.object)
    if status != old and found:
        now = replace(now, others={k: v for k, v in now.others.items() if k != DISPOSED})
    elif status == old and found and disposition is None:
        disposition = Disposition(found)
    if status != old or disposition is not now.disposition:
        ours = all(isinstance(item, Fact) and item.ours for item in change.items)
        answer = Answer(when, status, disposition, ours, restated=status == old)
        now = replace(now, answers=(*now.answers, answer))
    if disposition is now.disposition:
        return now
    return replace(now, disposition=disposition, disposed_at=when)


def _existence(before: Saying, now: Saying, change: _Change) -> list[Step]:
    if before.alive is now.alive:
        return []
    return [change.step(Kind.ALIVE if now.alive else Kind.GONE, change.items[-1])]


def _opt_outs(change: _Change) -> list[Step]:
    steps = {}
    for fact in change.facts:
        kind = fact.record.object
        channel = change.lookups[fact.version].channel(fact.field, fact.value, kind)
        if channel and not fact.ours and fact.record == change.record:
            step = change.step(Kind.OPT_OUT, fact)
            key = f"{step.key}:{channel}"
            steps[channel] = replace(step, key=key, reason=f"opt_out:{channel}")
    return list(steps.values())


def _results(before: Saying, now: Saying, change: _Change) -> list[Step]:
    if now.slot is None or now.slot is before.slot:
        return []
    cause = change.deciding() or change.items
    ours = all(isinstance(item, Fact) and item.ours for item in cause)
    step = change.step(Kind.KNOWN if ours else Kind.RESULT, cause[-1])
    return [replace(step, slot=now.slot, reason=_reason(cause[-1], change.lookups))]


def _reason(item: Fact | Link, lookups: Lookups) -> str:
    """Name in codes what a record's step came from; never a person's words."""
    if isinstance(item, Link):
        return f"crm:{item.start.object}_link"
    meaning = _meaning(item, lookups)
    if meaning in _DECIDING and len(item.value) <= _LONGEST_CODE:
        return f"crm:{meaning}={item.value}"
    return f"crm:{meaning}"


_LONGEST_CODE = 80


def _lever(change: _Change) -> list[Step]:
    steps = []
    for fact in change.facts:
        goal = _LEVER.get(fact.value)
        meaning = _meaning(fact, change.lookups)
        if meaning is not Meaning.LEVER or goal is None or fact.ours:
            continue
        if not change.lookups[fact.version].pipeline.is_empty(goal):
            put = change.step(Kind.PUT, fact, Actor.PERSON)
            steps.append(replace(put, slot=goal, reason="lever"))
    return steps[-1:]
