"""What DESIGN 3 and 4 say should come of visitors' events, worked out naively from all of them.

It shares nothing with the product. The system's moves do not depend on the order of arrival. Rules
are judged once, as events are processed, and nobody outside knows what was processed together: so a
rule's move is sure where events one by one make it, and possible where all of them at once do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]
FUNNEL = (1, 2, 3, 6, 5, 4, 7, 8, 9)
SIGN_INS = {"verified_conversion", "authentication"}
REWARD_ENDS = {"incentive_expired", "incentive_dismissed"}


@dataclass(frozen=True)
class Law:
    """A rule of the campaign, as the API takes it and as the oracle reads it."""

    name: str
    type: str
    to: int
    url: str = ""
    form: str = ""
    code: str = ""
    at_least: int = 1
    verified: bool = False
    once: bool = False
    cooldown: str = "30d"

    def document(self) -> Json:
        """Return the rule as the API takes it."""
        url = {"url": {"glob": f"*{self.url}*"}} if self.url else {}
        form = {"form": self.form} if self.form else {}
        act = {"event": self.type, **url, **form, **({"code": self.code} if self.code else {})}
        parts: list[Json] = [{"slot_at_least": 3}]
        if self.at_least > 1:
            parts.append({"count": {**act, "within": "7d"}, "at_least": self.at_least})
        if self.verified:
            parts.append({"profile": "known", "is": "verified"})
        limits = {"cooldown": self.cooldown, "once": self.once}
        return {
            "name": self.name,
            "trigger": act,
            "conditions": {"all": parts},
            "to": self.to,
            **limits,
        }

    def fits(self, event: Json) -> bool:
        """Say whether an event sets it off, and counts for it."""
        return (
            event["type"] == self.type
            and self.url in event.get("page", {}).get("url", "")
            and (not self.form or self.form == event.get("form", {}).get("id"))
            and (not self.code or self.code == event.get("code"))
        )


LAWS = (
    Law("soak prices", "page_view", 6, url="/pricing", at_least=3),
    Law("soak trial", "custom", 5, code="trial_click", verified=True, cooldown="12h"),
    Law("soak contact", "contact_us", 4, form="contact", once=True),
)


@dataclass(frozen=True)
class Person:
    """Everything that one person did, in order of arrival."""

    events: tuple[Json, ...]

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """By what the person is found: devices, users, addresses."""
        return frozenset(name for event in self.events for name in names(event))

    @property
    def erased(self) -> bool:
        """Say whether the person asked to be forgotten."""
        return any(event["type"] == "deidentified" for event in self.events)

    @property
    def out(self) -> bool:
        """Say whether the person opted out."""
        return any(map(self.speaks, self.events))

    def speaks(self, event: Json) -> bool:
        """Say whether an opt-out counts: for who signs in, not from one who only names them."""
        proven = any(map(is_verified, self.events))
        return event["type"] == "opt_out" and (is_verified(event) or not proven)


@dataclass(frozen=True)
class Foretold:
    """Where a person may stand; `goals` are the moves that no rule made, in order of time."""

    slots: frozenset[int]
    goals: tuple[int, ...]
    possible: frozenset[str]


def people(events: Iterable[Json]) -> list[Person]:
    """Return who did what: whoever shares a device, a user or an address is one."""
    groups: dict[tuple[str, str], list[tuple[int, Json]]] = {}
    for place, event in enumerate(events):
        mine = [(place, event)]
        held = {id(groups[name]): groups[name] for name in names(event) if name in groups}
        for group in held.values():
            mine += group
        for name in {name for _, one in mine for name in names(one)}:
            groups[name] = mine
    found = {id(group): group for group in groups.values()}
    ordered = [sorted(group, key=lambda row: row[0]) for group in found.values()]
    return [Person(tuple(event for _, event in group)) for group in ordered]


def foretell(person: Person, laws: Sequence[Law] = LAWS) -> Foretold:
    """Tell where a person must stand, or may."""
    goals = tuple(_goals(person))
    possible = [law for law in laws if not person.out and may_fire(law, person)]
    if person.out:
        return Foretold(frozenset({10}), goals, frozenset(law.name for law in laws))
    base = goals[-1] if goals else 1
    sure = [law.to for law in possible if must_fire(law, person)]
    least = max([base, *sure], key=FUNNEL.index)
    more = {law.to for law in possible if FUNNEL.index(law.to) > FUNNEL.index(least)}
    return Foretold(frozenset({least, *more}), goals, frozenset(law.name for law in possible))


# The system's moves, and a person's


def _goals(person: Person) -> Iterator[int]:
    """Yield the slots that a person comes to without any rule, in order of time."""
    slot, known = 0, False
    for event in sorted(person.events, key=when):
        for goal in _leads(event, known=known or is_known(event), first=not known, slot=slot):
            if slot not in {goal, 10}:
                slot = goal
                yield goal
        if person.speaks(event) and slot != 10:
            slot = 10
            yield 10
        known = known or is_known(event)


def _leads(event: Json, *, known: bool, first: bool, slot: int) -> Iterator[int]:
    """Yield where an event leads whoever stands in a slot, 0 being none yet."""
    kind = event["type"]
    if known and first:
        yield 3
    elif not known and slot == 0:
        yield 1
    if not known and kind == "incentive_offered":
        yield 2
    elif not known and kind in REWARD_ENDS:
        yield 1
    elif kind == "stage_changed":
        yield event["visitor"]["lead_stage"]


def is_known(event: Json) -> bool:
    """Say whether an event tells who its visitor is."""
    return event["visitor"]["state"] != "anonymous" or event["type"] in SIGN_INS


def is_verified(event: Json) -> bool:
    """Say whether an event proves who its visitor is."""
    return bool(event["visitor"]["state"] == "verified")


# Rules


def may_fire(law: Law, person: Person) -> bool:
    """Say whether a rule could move a person if all came in at once."""
    return any(_holds(law, event, person.events) for event in person.events)


def must_fire(law: Law, person: Person) -> bool:
    """Say whether a rule moves a person if events come in one by one.

    What comes late has those judged again that count it and happened later.
    """
    for number, event in enumerate(person.events):
        if not law.fits(event):
            continue
        there = _with(person.events[: number + 1], event)
        again = [one for one in there if when(one) > when(event)]
        if any(_holds(law, one, there) for one in (event, *again)):
            return True
    return False


def _with(events: Sequence[Json], event: Json) -> tuple[Json, ...]:
    """Return what had come in of the person that an event's visitor was by then."""
    return next(one.events for one in people(events) if event in one.events)


def _holds(law: Law, event: Json, there: Sequence[Json]) -> bool:
    """Judge a rule for an event with nothing but these events there."""
    until = [one for one in there if when(one) <= when(event)]
    known = any(map(is_known, until))
    verified = any(map(is_verified, there))
    enough = sum(map(law.fits, until)) >= law.at_least
    return law.fits(event) and known and enough and (verified or not law.verified)


def names(event: Json) -> list[tuple[str, str]]:
    """Return the names that an event bears."""
    visitor = event["visitor"]
    kinds = ("device_id", "user_id", "email")
    return [(kind, visitor[kind]) for kind in kinds if visitor.get(kind)]


def when(event: Json) -> datetime:
    """Return when an event happened."""
    return datetime.fromisoformat(event["occurred_at"])


def is_forward(start: int | None, goal: int) -> bool:
    """Say whether a rule may lead from one slot to another."""
    return start in FUNNEL[2:7] and goal in FUNNEL[2:7] and _rank(goal) > _rank(start)


def _rank(slot: int | None) -> int:
    return FUNNEL.index(slot or 1)
