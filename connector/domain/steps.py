"""Steps: what each source of truth says, in order of time, and the fold that makes a slot of them.

A record's facts, replayed, give its mapped results; each change of the result is a step. People,
rules and the system take steps of their own. Sorted by time and folded, the same steps give the
same slot in whatever order we learned of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from connector.domain.facts import RecordKey, Stamp
from connector.domain.slots import OPEN_TO_RULES, SETTLED, UNKNOWN, Funnel, Slot, is_forward
from connector.domain.slots import furthest as furthest_of


class Actor(StrEnum):
    """Who moved a profile."""

    CRM = "crm"
    PERSON = "person"
    RULE = "rule"
    SYSTEM = "system"
    PLATFORM = "platform"
    IMPORT = "import"


class Kind(StrEnum):
    """What a step does to the slot."""

    RESULT = "result"  # a record's mapped result changed
    KNOWN = "known"  # a record's result changed by our own write: no step
    ALIVE = "alive"  # a record exists (again)
    GONE = "gone"  # a record was deleted or merged away
    PUT = "put"  # a person put the profile somewhere
    RAISE = "raise"  # a rule
    SHIFT = "shift"  # the system, if the slot is still the one it starts from
    OPT_OUT = "opt_out"
    RECONSENT = "reconsent"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing one source said at one time; `key` names it for good."""

    kind: Kind
    stamp: Stamp
    key: str
    actor: Actor
    funnel: Funnel
    slot: Slot | None = None
    start: Slot | None = None
    record: RecordKey | None = None
    reason: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A change of slot; `start` is None for a profile's first."""

    start: Slot | None
    goal: Slot
    when: datetime
    step: Step


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a profile stands after its steps.

    `under` is the slot it would hold were it not suppressed, so that a win counts meanwhile.
    """

    under: Slot | None = None
    suppressed: bool = False
    success_at: datetime | None = None
    results: Mapping[RecordKey, Slot] = field(default_factory=dict)
    gone: frozenset[RecordKey] = frozenset()

    @property
    def slot(self) -> Slot | None:
        """The slot the profile is in."""
        return Slot.DO_NOT_CONTACT if self.suppressed else self.under


@dataclass(frozen=True, slots=True)
class Story:
    """The outcome of a fold: where the profile stands and how it got there."""

    standing: Standing
    moves: tuple[Move, ...]

    @property
    def slot_since(self) -> datetime | None:
        """When the profile came to the slot it is in."""
        return self.moves[-1].when if self.moves else None


def fold(steps: Iterable[Step]) -> Story:
    """Fold steps, in order of time, into a slot and the moves that led there."""
    standing = Standing()
    moves: list[Move] = []
    for step in sorted(steps, key=_place):
        after = _TAKE[step.kind](standing, step)
        if after is not standing:
            after = replace(after, success_at=_success(standing, after, step))
        if after.slot is not None and after.slot is not standing.slot:
            moves.append(Move(standing.slot, after.slot, step.stamp.when, step))
        standing = after
    return Story(standing, tuple(moves))


def _place(step: Step) -> tuple[object, ...]:
    """Return a step's place in order of time: what is gone at an instant says no more at it.

    A merge ends one record and has the other speak anew, in the same millisecond.
    """
    return step.stamp.when, step.kind is not Kind.GONE, step.stamp, step.key


def _take_result(now: Standing, step: Step) -> Standing:
    """Apply a record's step: forward never drags back, back goes no further than its peers."""
    assert step.record is not None, step  # noqa: S101 - a result belongs to a record
    assert step.slot is not None, step  # noqa: S101
    before = now.results.get(step.record)
    if before is step.slot:
        return now
    results = {**now.results, step.record: step.slot}
    if before is not None and not is_forward(step.funnel, before, step.slot):
        live = [slot for record, slot in results.items() if record not in now.gone]
        return replace(now, under=furthest_of(step.funnel, [step.slot, *live]), results=results)
    reached = [step.slot] if now.under is None else [now.under, step.slot]
    return replace(now, under=furthest_of(step.funnel, reached), results=results)


def _take_known(now: Standing, step: Step) -> Standing:
    assert step.record is not None, step  # noqa: S101
    assert step.slot is not None, step  # noqa: S101
    return replace(now, results={**now.results, step.record: step.slot})


def _take_alive(now: Standing, step: Step) -> Standing:
    return replace(now, gone=now.gone - {step.record})


def _take_gone(now: Standing, step: Step) -> Standing:
    assert step.record is not None, step  # noqa: S101
    return replace(now, gone=now.gone | {step.record})


def _take_put(now: Standing, step: Step) -> Standing:
    """Apply a person's step; the rep's lever on a record moves nobody who has opted out."""
    if step.slot is Slot.DO_NOT_CONTACT:
        return replace(now, suppressed=True)
    if now.suppressed and step.record is not None:
        return now
    return replace(now, under=step.slot)


def _take_raise(now: Standing, step: Step) -> Standing:
    """Apply a rule's step: known people only, forward only, never out of 8 or 9."""
    fits = step.slot in OPEN_TO_RULES and now.under not in {None, *UNKNOWN, *SETTLED}
    if not fits or now.under is None or step.slot is None:
        return now
    return replace(now, under=step.slot) if is_forward(step.funnel, now.under, step.slot) else now


def _take_shift(now: Standing, step: Step) -> Standing:
    return replace(now, under=step.slot) if now.under is step.start else now


def _take_opt_out(now: Standing, _step: Step) -> Standing:
    return replace(now, suppressed=True)


def _take_reconsent(now: Standing, _step: Step) -> Standing:
    if not now.suppressed:
        return now
    under = now.under if now.under is not None else Slot.QUALIFIED
    return replace(now, suppressed=False, under=under)


_TAKE = {
    Kind.RESULT: _take_result,
    Kind.KNOWN: _take_known,
    Kind.ALIVE: _take_alive,
    Kind.GONE: _take_gone,
    Kind.PUT: _take_put,
    Kind.RAISE: _take_raise,
    Kind.SHIFT: _take_shift,
    Kind.OPT_OUT: _take_opt_out,
    Kind.RECONSENT: _take_reconsent,
}


def _success(before: Standing, after: Standing, step: Step) -> datetime | None:
    """Date the success: a win counts in 9 and 10 too; leaving 8 backwards undoes it."""
    won = step.kind is Kind.RESULT and step.slot is Slot.CUSTOMER
    if won or after.under is Slot.CUSTOMER:
        return before.success_at or step.stamp.when
    left = before.under is Slot.CUSTOMER and after.under is not None
    if left and not is_forward(step.funnel, Slot.CUSTOMER, after.under or Slot.CUSTOMER):
        return None
    return before.success_at
