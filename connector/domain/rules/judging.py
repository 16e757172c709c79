"""Whether a rule moves somebody: the guards that hold for every rule, then its own conditions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from connector.domain.journeys import Happened
from connector.domain.moves import Stay
from connector.domain.moves import judge as judge_move
from connector.domain.rules.rule import (
    About,
    Act,
    Condition,
    Count,
    Disposed,
    Every,
    Not,
    Origin,
    Rule,
    ScoreAtLeast,
    SlotAtLeast,
    Some,
    leaves,
)
from connector.domain.slots import UNKNOWN, Pipeline, Slot, rank
from connector.domain.steps import Actor

# What sales said that no rule goes against.
NOES = frozenset({"unqualified", "bad_number", "existing_opportunity"})
BAD_TIMING = "bad_timing"
REST = timedelta(days=30)


class Why(StrEnum):
    """Why a rule moves somebody not."""

    UNKNOWN = "unknown_person"
    NO_WAY = "no_way"  # not forward, not into or out of 8, 9 and 10, no label
    SAID_NO = "said_no"
    BAD_TIMING = "bad_timing"
    SENT_BACK = "sent_back"
    ONCE = "once"
    COOLDOWN = "cooldown"
    CONDITION = "condition"
    DAILY_CAP = "daily_cap"


@dataclass(frozen=True, slots=True)
class Yes:
    """The rule moves somebody; `seen` are the facts that it did so on."""

    seen: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class No:
    """The rule moves nobody, and why."""

    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a person at a moment.

    `then` is where they stood when it happened, `slot` where they stand now. `events` are in
    order of time. `sent_back` is when a person or the CRM last moved them back. `again_at` is
    when a bad timing ends, None where nobody said. `disposition` is the newest answer of sales,
    `said` what they say on any record that lives.
    """

    slot: Slot | None
    then: Slot | None
    events: Sequence[Happened] = ()
    disposition: str = ""
    again_at: datetime | None = None
    sent_back: datetime | None = None
    score: int | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    said: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Past:
    """When a rule moved this person, and how many people it moved on the day at hand."""

    fired: Sequence[datetime] = ()
    today: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for every rule of an account; `rest` follows a move back by hand."""

    pipeline: Pipeline
    rest: timedelta = REST


def judge(rule: Rule, facts: Facts, past: Past, at: datetime, setting: Setting) -> Yes | No:
    """Decide whether a rule moves somebody for what happened at a time."""
    return _refusal(rule, facts, past, at, setting) or Yes(seen(rule, facts, at))


def in_order(rules: Sequence[Rule], pipeline: Pipeline) -> list[Rule]:
    """Return rules in the order in which they are judged: furthest target first, then by id."""
    return sorted(rules, key=lambda rule: (-rank(pipeline.funnel, rule.to), rule.id))


def day_of(at: datetime) -> date:
    """Return the day, in UTC, under which a move counts."""
    return at.astimezone(UTC).date()


def _refusal(rule: Rule, facts: Facts, past: Past, at: datetime, setting: Setting) -> No | None:
    """Return the first thing that speaks against a move."""
    return (
        _standing(rule, facts, setting)
        or _a_no(facts, at, setting)
        or _again(rule, past, at)
        or _unmet(rule, facts, at, setting.pipeline)
        or _capped(rule, past)
    )


def _standing(rule: Rule, facts: Facts, setting: Setting) -> No | None:
    if facts.then is None or facts.then in UNKNOWN:
        return No(Why.UNKNOWN, "nobody known did that")
    verdict = judge_move(facts.slot, rule.to, Actor.RULE, setting.pipeline)
    return No(Why.NO_WAY, verdict.reason) if isinstance(verdict, Stay) else None


def _a_no(facts: Facts, at: datetime, setting: Setting) -> No | None:
    """Respect what people said: sales' answer, a bad timing, a move back by hand."""
    said = facts.said | {facts.disposition}
    if noes := said & NOES:
        return No(Why.SAID_NO, min(noes))
    if BAD_TIMING in said and (facts.again_at is None or at < facts.again_at):
        return No(Why.BAD_TIMING)
    if facts.sent_back is not None and at < facts.sent_back + setting.rest:
        return No(Why.SENT_BACK, facts.sent_back.isoformat())
    return None


def _again(rule: Rule, past: Past, at: datetime) -> No | None:
    """Hold the cool-down on either side: what came late is no way around it."""
    if rule.once and past.fired:
        return No(Why.ONCE)
    near = [fired for fired in past.fired if abs(at - fired) < rule.cooldown]
    return No(Why.COOLDOWN, max(near).isoformat()) if near else None


def _capped(rule: Rule, past: Past) -> No | None:
    full = rule.daily_cap is not None and past.today >= rule.daily_cap
    return No(Why.DAILY_CAP, str(rule.daily_cap)) if full else None


def _unmet(rule: Rule, facts: Facts, at: datetime, pipeline: Pipeline) -> No | None:
    parts = rule.condition.parts if isinstance(rule.condition, Every) else (rule.condition,)
    for number, part in enumerate(parts, 1):
        if not holds(part, facts, at, pipeline):
            return No(Why.CONDITION, f"condition {number} of {len(parts)}")
    return None


def holds(condition: Condition, facts: Facts, at: datetime, pipeline: Pipeline) -> bool:
    """Say whether a condition is true of somebody at a time."""
    return _HOLDS[type(condition)](condition, facts, at, pipeline)


def _slot_holds(condition: SlotAtLeast, facts: Facts, _at: datetime, pipeline: Pipeline) -> bool:
    if facts.slot is None or facts.slot is Slot.DO_NOT_CONTACT:
        return False
    return rank(pipeline.funnel, facts.slot) >= rank(pipeline.funnel, condition.slot)


_Holds = Callable[[Any, Facts, datetime, Pipeline], bool]
_HOLDS: Mapping[type, _Holds] = {
    Every: lambda own, *case: all(holds(part, *case) for part in own.parts),
    Some: lambda own, *case: any(holds(part, *case) for part in own.parts),
    Not: lambda own, *case: not holds(own.part, *case),
    Count: lambda own, facts, at, _: number(own.act, own.within, facts, at) >= own.at_least,
    SlotAtLeast: _slot_holds,
    ScoreAtLeast: lambda own, facts, *_: facts.score is not None and facts.score >= own.score,
    Origin: lambda own, facts, *_: facts.origin.get(own.name) == own.value,
    About: lambda own, facts, *_: facts.about.get(own.name) == own.value,
    Disposed: lambda own, facts, *_: facts.disposition == own.disposition,
}


def number(act: Act, within: timedelta, facts: Facts, at: datetime) -> int:
    """Count how often an act was done in the time up to a moment, the moment included."""
    first = bisect_right(facts.events, at - within, key=_when)
    last = bisect_right(facts.events, at, key=_when)
    return sum(act.fits(one.event) for one in facts.events[first:last])


def _when(one: Happened) -> datetime:
    return one.event.occurred_at


def seen(rule: Rule, facts: Facts, at: datetime) -> dict[str, Any]:
    """Return the facts that a rule saw, as they are kept with its decision."""
    told: dict[str, Any] = {"slot": facts.slot, "to": rule.to}
    for leaf in leaves(rule.condition):
        name, value = _told(leaf, facts, at)
        told.setdefault(name, []).append(value) if name == "counts" else told.update({name: value})
    return told


def _told(leaf: Condition, facts: Facts, at: datetime) -> tuple[str, Any]:
    if isinstance(leaf, Count):
        return "counts", number(leaf.act, leaf.within, facts, at)
    if isinstance(leaf, Origin):
        return f"origin.{leaf.name}", facts.origin.get(leaf.name)
    if isinstance(leaf, About):
        return f"profile.{leaf.name}", facts.about.get(leaf.name)
    return _PLAIN[type(leaf)], getattr(facts, _PLAIN[type(leaf)])


_PLAIN: Mapping[type, str] = {
    SlotAtLeast: "slot",
    ScoreAtLeast: "score",
    Disposed: "disposition",
}


def crosses(value: int, before: int | None, after: int | None) -> bool:
    """Say whether a score came to a value from below; where there was none it came from below."""
    return after is not None and after >= value and (before is None or before < value)


def rearms(value: int, after: int | None) -> bool:
    """Say whether a score fell far enough for its crossing to count again."""
    return after is None or after < value - 1
