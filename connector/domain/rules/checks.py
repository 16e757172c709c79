"""What can be said of rules without running them: those that never move anybody, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple

from connector.domain.rules.judging import NOES, Setting, in_order
from connector.domain.rules.rule import (
    About,
    Act,
    Condition,
    Count,
    Disposed,
    Every,
    Fact,
    FieldBecomes,
    InactiveFor,
    InSlotFor,
    Not,
    Origin,
    Rule,
    RuleId,
    ScoreAtLeast,
    ScoreCrosses,
    SlotAtLeast,
    Some,
    Trigger,
)
from connector.domain.slots import OPEN_TO_RULES, Pipeline, Slot, rank

_MOST_WAYS = 256


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that never moves anybody, why, and something that will set it off in vain."""

    rule_id: RuleId
    kind: str  # unreachable, shadowed
    text: str
    example: Mapping[str, Any]
    by: RuleId | None = None


class Claim(NamedTuple):
    """A fact that has to be so, or not so."""

    fact: Fact
    true: bool


Way = frozenset[Claim]


def findings(
    rules: Sequence[Rule], setting: Setting, fields: Collection[str] | None = None
) -> list[Finding]:
    """Return what is wrong with the rules that are switched on, in their order of judging.

    `fields` are those that any CRM tells of, None where nobody knows.
    """
    pipeline = setting.pipeline
    live = in_order([rule for rule in rules if rule.enabled], pipeline)
    found = []
    for rule in live:
        own = _untold(rule, fields) or _unreachable(rule, pipeline)
        own = own or _shadowed(rule, live, setting)
        found += [own] if own else []
    return found


def _untold(rule: Rule, fields: Collection[str] | None) -> Finding | None:
    """Name a rule that waits for a field of which no CRM tells us."""
    own = rule.trigger
    if fields is None or not isinstance(own, FieldBecomes) or own.field in fields:
        return None
    text = f"no mapping names the field {own.field!r}: choose from {', '.join(sorted(fields))}"
    return Finding(rule.id, "unreachable", text, example_of(own) or {})


def _unreachable(rule: Rule, pipeline: Pipeline) -> Finding | None:
    example = example_of(rule.trigger)
    if example is None:
        return Finding(rule.id, "unreachable", "no address fits the trigger's pattern", {})
    if pipeline.is_empty(rule.to):
        return Finding(rule.id, "unreachable", f"slot {rule.to.value} has no label", example)
    ways = _ways(rule.condition, true=True)
    if ways is not None and not any(_is_possible(way, rule, pipeline) for way in ways):
        text = "its conditions are never all true of anybody whom a rule may move there"
        return Finding(rule.id, "unreachable", text, example)
    return None


def _shadowed(rule: Rule, live: Sequence[Rule], setting: Setting) -> Finding | None:
    """Name a rule that always moves people first, to where this one would or further.

    One that rests for longer than whoever was moved back is left alone lets the next one in.
    """
    for other in live[: live.index(rule)]:
        if other.cooldown <= setting.rest and _always_first(other, rule, setting.pipeline):
            text = f"whatever sets it off, {other.name!r} moves people first, and no less far"
            return Finding(rule.id, "shadowed", text, example_of(rule.trigger) or {}, other.id)
    return None


def _always_first(other: Rule, rule: Rule, pipeline: Pipeline) -> bool:
    if other.once or other.daily_cap is not None or other.cooldown > rule.cooldown:
        return False
    if pipeline.is_empty(other.to) or not covers(other.trigger, rule.trigger):
        return False
    wide, narrow = _ways(other.condition, true=True), _ways(rule.condition, true=True)
    if wide is None or narrow is None:
        return False
    return all(any(_follows(way, own, pipeline) for own in wide) for way in narrow)


def covers(wide: Trigger, narrow: Trigger) -> bool:
    """Say whether whatever sets one off surely sets off the other."""
    if isinstance(wide, Act) and isinstance(narrow, Act):
        return _act_covers(wide, narrow)
    return wide == narrow


def _act_covers(wide: Act, narrow: Act) -> bool:
    same = wide.event == narrow.event
    code, form = wide.code in {None, narrow.code}, wide.form in {None, narrow.form}
    url = wide.url is None or (narrow.url is not None and wide.url.covers(narrow.url))
    return same and code and form and url


# Conditions as the ways in which they can be true


def _ways(condition: Condition, *, true: bool) -> list[Way] | None:
    """Return every way in which a condition is true (or false), None where they are too many."""
    if isinstance(condition, Not):
        return _ways(condition.part, true=not true)
    if not isinstance(condition, Every | Some):
        return [frozenset({Claim(condition, true)})]
    inside = [_ways(part, true=true) for part in condition.parts]
    known = [ways for ways in inside if ways is not None]
    if len(known) < len(inside):
        return None
    if isinstance(condition, Every) is not true:
        return [way for ways in known for way in ways]
    number = 1
    for ways in known:
        number *= len(ways)
    if number > _MOST_WAYS:
        return None
    return [frozenset[Claim]().union(*some) for some in product(*known)]


def _is_possible(way: Way, rule: Rule, pipeline: Pipeline) -> bool:
    """Say whether all claims can be true at once of somebody whom the rule may move."""
    said = [claim.fact for claim in way if claim.true]
    slots = [slot for slot in pipeline.funnel if _fits(slot, way, rule, pipeline)]
    answers = {fact.disposition for fact in said if isinstance(fact, Disposed)}
    if not slots or len(answers) > 1 or answers & NOES:
        return False
    return not _contradicts(said, [claim.fact for claim in way if not claim.true])


def _contradicts(said: Iterable[Fact], denied: Sequence[Fact]) -> bool:
    named: dict[tuple[type, str], str] = {}
    for fact in said:
        if any(_implies(fact, other) for other in denied):
            return True
        if isinstance(fact, Origin | About):
            key = (type(fact), fact.name)
            if named.setdefault(key, fact.value) != fact.value:
                return True
    return False


def _fits(slot: Slot, way: Way, rule: Rule, pipeline: Pipeline) -> bool:
    if slot not in OPEN_TO_RULES | {Slot.QUALIFIED}:
        return False
    place = rank(pipeline.funnel, slot)
    asked = [(claim.fact.slot, claim.true) for claim in way if isinstance(claim.fact, SlotAtLeast)]
    right = all((place >= rank(pipeline.funnel, least)) is true for least, true in asked)
    return right and place < rank(pipeline.funnel, rule.to)


def _follows(way: Way, wanted: Way, pipeline: Pipeline) -> bool:
    """Say whether all that is wanted is surely so where a way is."""
    return all(any(_proves(own, claim, pipeline) for own in way) for claim in wanted) or all(
        claim in way for claim in wanted
    )


def _proves(own: Claim, wanted: Claim, pipeline: Pipeline) -> bool:
    if own.true is not wanted.true:
        return False
    one, other = (own.fact, wanted.fact) if own.true else (wanted.fact, own.fact)
    if isinstance(one, SlotAtLeast) and isinstance(other, SlotAtLeast):
        return rank(pipeline.funnel, one.slot) >= rank(pipeline.funnel, other.slot)
    return _implies(one, other)


def _implies(fact: Fact, other: Fact) -> bool:
    """Say whether one fact makes another true; slots are held apart, by the funnel."""
    if isinstance(fact, Count) and isinstance(other, Count):
        more = fact.at_least >= other.at_least and fact.within <= other.within
        return more and _act_covers(other.act, fact.act)
    if isinstance(fact, ScoreAtLeast) and isinstance(other, ScoreAtLeast):
        return fact.score >= other.score
    return fact == other


# Examples


def example_of(trigger: Trigger) -> dict[str, Any] | None:
    """Return something that sets a trigger off, None where nothing can."""
    if isinstance(trigger, Act):
        return _event_of(trigger)
    return next(iter(_others(trigger)))


def _event_of(act: Act) -> dict[str, Any] | None:
    url = act.url.example() if act.url else None
    if act.url and not url:
        return None
    told = {"type": act.event, "code": act.code}
    parts = {"page": {"url": url} if url else None, "form": {"id": act.form} if act.form else None}
    return {key: value for key, value in {**told, **parts}.items() if value is not None}


def _others(trigger: Trigger) -> Iterator[dict[str, Any]]:
    if isinstance(trigger, ScoreCrosses):
        yield {"score": {"from": trigger.value - 1, "to": trigger.value}}
    if isinstance(trigger, FieldBecomes):
        yield {"field": trigger.field, "becomes": trigger.value}
    if isinstance(trigger, InSlotFor | InactiveFor):
        name = "in_slot_for" if isinstance(trigger, InSlotFor) else "inactive_for"
        yield {name: f"{trigger.span // timedelta(minutes=1)}m"}
