"""Whether a profile may move there, and who may say so."""

from __future__ import annotations

from dataclasses import dataclass

from connector.domain.slots import (
    OPEN_TO_PEOPLE,
    OPEN_TO_RULES,
    SETTLED,
    UNKNOWN,
    Funnel,
    Pipeline,
    Slot,
    is_forward,
)
from connector.domain.steps import Actor


@dataclass(frozen=True, slots=True)
class Go:
    """The wish is allowed."""

    goal: Slot


@dataclass(frozen=True, slots=True)
class Stay:
    """The wish is refused (or changes nothing), and why."""

    reason: str
    allowed: bool = False


PERSONS = frozenset({Actor.PERSON, Actor.CRM, Actor.PLATFORM, Actor.IMPORT})


def is_sent_back(start: Slot | None, goal: Slot, actor: Actor, funnel: Funnel) -> bool:
    """Say whether a person or the CRM moved somebody back; into and out of 10 is no such move."""
    if start is None or Slot.DO_NOT_CONTACT in {start, goal} or actor not in PERSONS:
        return False
    return not is_forward(funnel, start, goal)


def judge(now: Slot | None, wish: Slot, actor: Actor, pipeline: Pipeline) -> Go | Stay:
    """Decide one wish: a suppressed profile never moves, a rule only climbs among 4 to 7."""
    if wish is now:
        return Stay("it is there already", allowed=True)
    if now is Slot.DO_NOT_CONTACT:
        return Stay("opted out: only a documented re-consent leads out of slot 10")
    if wish is Slot.DO_NOT_CONTACT:
        return _opt_out(wish, actor)
    if pipeline.is_empty(wish):
        return Stay(f"slot {wish.value} has no label: name it first")
    if actor in PERSONS:
        return _person(wish)
    return _rule(now, wish, pipeline) if actor is Actor.RULE else _system(now, wish)


def _opt_out(wish: Slot, actor: Actor) -> Go | Stay:
    if actor is Actor.RULE:
        return Stay("rules never move anyone into slot 10")
    return Go(wish)


def _person(wish: Slot) -> Go | Stay:
    if wish in OPEN_TO_PEOPLE:
        return Go(wish)
    return Stay(f"only the system puts a profile into slot {wish.value}")


def _rule(now: Slot | None, wish: Slot, pipeline: Pipeline) -> Go | Stay:
    if wish not in OPEN_TO_RULES:
        return Stay("rules move profiles into slots 4 to 7 only")
    if now is None or now in UNKNOWN:
        return Stay("rules act on known people only, from slot 3 on")
    if now in SETTLED:
        return Stay(f"rules never move anyone out of slot {now.value}")
    if not is_forward(pipeline.funnel, now, wish):
        return Stay("rules only climb")
    return Go(wish)


# What the system does by itself: identity captured, reward shown or expired, recycling.
_SYSTEM_WAYS: dict[Slot | None, frozenset[Slot]] = {
    None: frozenset({Slot.ANONYMOUS, Slot.INCENTIVIZED, Slot.QUALIFIED}),
    Slot.ANONYMOUS: frozenset({Slot.INCENTIVIZED, Slot.QUALIFIED}),
    Slot.INCENTIVIZED: frozenset({Slot.ANONYMOUS, Slot.QUALIFIED}),
    Slot.FOURTH: frozenset({Slot.QUALIFIED}),
    Slot.FIFTH: frozenset({Slot.QUALIFIED}),
    Slot.SIXTH: frozenset({Slot.QUALIFIED}),
}


def _system(now: Slot | None, wish: Slot) -> Go | Stay:
    if wish in _SYSTEM_WAYS.get(now, frozenset()):
        return Go(wish)
    return Stay("the system has no such way")
