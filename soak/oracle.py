"""What DESIGN 3 and 4 say should come of a CRM's story, worked out naively, once, in order.

It shares nothing with the product: its own tables, its own order, its own fold.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

FUNNEL = (1, 2, 3, 6, 5, 4, 7, 8, 9)
STATUS_SLOTS = {"": 6, "NEW": 6, "OPEN": 5, "IN_PROGRESS": 5, "CONNECTED": 4}
STAGE_SLOTS = {
    "subscriber": 3,
    "lead": 3,
    "salesqualifiedlead": 4,
    "opportunity": 4,
    "customer": 8,
    "evangelist": 8,
}
DISPOSITIONS = {"UNQUALIFIED": "unqualified", "BAD_TIMING": "bad_timing"}
LEVER = {"4", "5", "6", "7", "8", "9"}
OUTCOMES = {"closedwon": "won", "closedlost": "lost"}


@dataclass(frozen=True)
class Happened:
    """One thing that happened in the CRM, or that a person moved by API (`put`)."""

    when: datetime
    what: str  # set, gone, back, merged, stage, tied, untied, put
    record: str  # a contact; of stage the deal
    name: str = ""
    value: str = ""
    ours: bool = False  # we wrote it ourselves: it is known and moves nobody


@dataclass(frozen=True)
class Expected:
    """Where a person ends, and how they got there."""

    slot: int | None
    success_at: datetime | None
    disposition: str | None
    moves: tuple[tuple[int | None, int, datetime], ...]


@dataclass
class _Record:
    stage: str = ""
    status: str = ""  # as it stands
    counting: str = ""  # the one that counts for the slot
    email: str = ""
    result: int | None = None
    matched: bool = False
    disposition: str | None = None
    disposed_at: datetime | None = None
    alive: bool = True
    deals: set[str] = field(default_factory=set)


@dataclass
class _Person:
    under: int | None = None
    suppressed: bool = False
    success_at: datetime | None = None
    moves: list[tuple[int | None, int, datetime]] = field(default_factory=list)

    @property
    def slot(self) -> int | None:
        return 10 if self.suppressed else self.under

    def put(self, slot: int, when: datetime, *, won: bool) -> None:
        before, self.under = self.under, slot
        if won or slot == 8:
            self.success_at = self.success_at or when
        elif before == 8 and FUNNEL.index(slot) < FUNNEL.index(8):
            self.success_at = None


def people(story: list[Happened]) -> dict[str, frozenset[str]]:
    """Return who is one person: by addresses held in the end, and by merges."""
    email = {one.record: one.value for one in story if one.name == "email"}
    groups = {record: {record} for record in email}
    holder = {address: record for record, address in email.items()}
    pairs = [(record, holder[address]) for record, address in email.items()]
    pairs += [(one.record, one.value) for one in story if one.what == "merged"]
    for a, b in pairs:
        both = groups[a] | groups[b]
        for record in both:
            groups[record] = both
    return {record: frozenset(group) for record, group in groups.items()}


def expect(story: list[Happened], group: frozenset[str]) -> Expected:
    """Tell one person's story."""
    records: dict[str, _Record] = defaultdict(_Record)
    stages: dict[str, str] = {}
    person = _Person()
    for one in sorted(_inherited(story), key=lambda one: one.when):
        before = person.slot
        if one.what == "stage":
            stages[one.record] = one.value
            for name in sorted(group):
                if one.record in records[name].deals:
                    _judge(one, name, records, stages, person)
        elif one.record in group:
            _apply(one, records[one.record])
            _judge(one, one.record, records, stages, person)
        if person.slot != before and person.slot is not None:
            person.moves.append((before, person.slot, one.when))
    disposed = [r for name, r in records.items() if r.alive and r.disposition and name in group]
    newest = max(disposed, key=lambda r: r.disposed_at or one.when, default=None)
    return Expected(
        person.slot,
        person.success_at,
        newest.disposition if newest else None,
        tuple(person.moves),
    )


def _inherited(story: list[Happened]) -> list[Happened]:
    """Tell of the ties of what was merged for the survivors too: deals go with their people."""
    into = {one.record: one.value for one in story if one.what == "merged"}
    told = []
    for one in story:
        told.append(one)
        while one.what in {"tied", "untied"} and one.record in into:
            one = replace(one, record=into[one.record])  # noqa: PLW2901 - up the chain
            told.append(one)
    return told


def _apply(one: Happened, record: _Record) -> None:
    if one.what in {"gone", "merged", "back"}:
        record.alive = one.what == "back"
    elif one.what == "tied":
        record.deals.add(one.value)
    elif one.what == "untied":
        record.deals.discard(one.value)
    elif one.name == "email":
        record.email = one.value
    elif one.name == "lifecyclestage" and record.stage != one.value:
        record.stage = one.value
        record.counting = record.status if record.status in STATUS_SLOTS else ""
    elif one.name == "hs_lead_status":
        record.status = one.value
        record.counting = one.value if one.value in STATUS_SLOTS else record.counting


def _judge(
    one: Happened,
    name: str,
    records: dict[str, _Record],
    stages: dict[str, str],
    person: _Person,
) -> None:
    record = records[name]
    outcomes = {OUTCOMES.get(stages[deal], "open") for deal in record.deals if deal in stages}
    _dispose(one, record, outcomes)
    slot = _lookup(record, outcomes)
    record.matched = record.matched or slot is not None
    if slot is None and not record.matched and one.name == "email":
        slot = 3
    if slot is not None and slot != record.result:
        if one.ours:
            record.result = slot
        else:
            _step(slot, one.when, record, records, person)
    if not one.ours:
        _by_hand(one, person)


def _by_hand(one: Happened, person: _Person) -> None:
    out = one.name == "hs_email_optout" and one.value == "true"
    if out or (one.what, one.value) == ("put", "10"):
        person.suppressed = True
    elif one.what == "put":
        person.put(int(one.value), one.when, won=False)
    elif one.name == "bnb_set_slot" and one.value in LEVER and not person.suppressed:
        # As a move by API would be refused: the lever leads nobody out of slot 10, nor behind it.
        person.put(int(one.value), one.when, won=False)


def _dispose(one: Happened, record: _Record, outcomes: set[str]) -> None:
    lost = "lost" in outcomes and not {"won", "open"} & outcomes
    disposition = DISPOSITIONS.get(record.status) or ("lost" if lost else None)
    if disposition != record.disposition:
        record.disposition, record.disposed_at = disposition, one.when


def _lookup(record: _Record, outcomes: set[str]) -> int | None:
    if "won" in outcomes:
        return 8
    if record.stage == "marketingqualifiedlead":
        return STATUS_SLOTS[record.counting]
    return STAGE_SLOTS.get(record.stage)


def _step(
    slot: int, when: datetime, record: _Record, records: dict[str, _Record], person: _Person
) -> None:
    rank = FUNNEL.index
    is_back = record.result is not None and rank(slot) < rank(record.result)
    record.result = slot
    if is_back:
        others = [r.result for r in records.values() if r.alive and r.result is not None]
        person.put(max([slot, *others], key=rank), when, won=slot == 8)
    elif person.under is None:
        person.put(slot, when, won=slot == 8)
    else:
        person.put(max([slot, person.under], key=rank), when, won=slot == 8)
