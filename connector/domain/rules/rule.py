"""An escalation rule: what sets it off, what must be true then, and where it moves somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NewType, TypeAlias

from connector.domain.journeys import JourneyEvent
from connector.domain.rules.urls import UrlMatch
from connector.domain.slots import Pipeline, Slot

RuleId = NewType("RuleId", str)
DEFAULT_COOLDOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Act:
    """Something a visitor does; None fits anything. `form` is a form's id or its name."""

    event: str
    code: str | None = None
    url: UrlMatch | None = None
    form: str | None = None

    def fits(self, event: JourneyEvent) -> bool:
        """Say whether an event is such an act."""
        return (
            event.type == self.event
            and (self.code is None or event.code == self.code)
            and (self.form is None or self.form in {event.form_id, event.form_name})
            and (self.url is None or self.url.fits(event.url))
        )


@dataclass(frozen=True, slots=True)
class ScoreCrosses:
    """The score comes to a value from below."""

    value: int


@dataclass(frozen=True, slots=True)
class FieldBecomes:
    """A CRM field of a person's record takes a value."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class InSlotFor:
    """Somebody has stood in one slot for so long."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class InactiveFor:
    """Somebody has done nothing for so long."""

    span: timedelta


Trigger: TypeAlias = Act | ScoreCrosses | FieldBecomes | InSlotFor | InactiveFor


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; none does too."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Count:
    """An act was done at least so often in the time up to now."""

    act: Act
    within: timedelta
    at_least: int


@dataclass(frozen=True, slots=True)
class SlotAtLeast:
    """The slot is this one or further down the funnel."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class ScoreAtLeast:
    """There is a score, and it is so high."""

    score: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The first visit came from there."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class About:
    """What is known of the person."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Disposed:
    """Sales gave this answer."""

    disposition: str


Fact: TypeAlias = Count | SlotAtLeast | ScoreAtLeast | Origin | About | Disposed
Condition: TypeAlias = Every | Some | Not | Fact


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of an escalation rule; `since` is when this version began to count."""

    id: RuleId
    name: str
    trigger: Trigger
    to: Slot
    condition: Condition = Every()
    actions: tuple[str, ...] = ()
    cooldown: timedelta = DEFAULT_COOLDOWN
    once: bool = False
    daily_cap: int | None = None
    enabled: bool = True
    version: int = 1
    since: datetime | None = None


def span_of(rule: Rule) -> timedelta:
    """Return how long a rule of the clock waits, no time at all for any other."""
    own = rule.trigger
    return own.span if isinstance(own, InSlotFor | InactiveFor) else timedelta()


def leaves(condition: Condition) -> list[Fact]:
    """Return every fact that a condition asks for."""
    if isinstance(condition, Every | Some):
        return [leaf for part in condition.parts for leaf in leaves(part)]
    return leaves(condition.part) if isinstance(condition, Not) else [condition]


def window(rule: Rule) -> timedelta | None:
    """Return how far back a rule looks, None where it counts nothing."""
    spans = [leaf.within for leaf in leaves(rule.condition) if isinstance(leaf, Count)]
    return max(spans, default=None)


def follow(rule: Rule, before: Pipeline, after: Pipeline) -> Rule:
    """Return a rule that means the same roles under another layout."""
    ways = {slot: after.slot_of(role) for slot, role in before.roles.items()}
    return replace(rule, to=ways[rule.to], condition=_follow(rule.condition, ways))


def _follow(condition: Condition, ways: Mapping[Slot, Slot]) -> Condition:
    if isinstance(condition, Every | Some):
        return type(condition)(tuple(_follow(part, ways) for part in condition.parts))
    if isinstance(condition, Not):
        return Not(_follow(condition.part, ways))
    return SlotAtLeast(ways[condition.slot]) if isinstance(condition, SlotAtLeast) else condition
