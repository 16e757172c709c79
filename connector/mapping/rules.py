"""A rule as a plain document: what YAML files, the API and the database hold."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from connector.domain.rules.regular import BadPattern
from connector.domain.rules.rule import (
    DEFAULT_COOLDOWN,
    About,
    Act,
    Condition,
    Count,
    Disposed,
    Every,
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
    leaves,
)
from connector.domain.rules.urls import UrlMatch, Way, compiled
from connector.domain.slots import OPEN_TO_RULES, SETTLED, Pipeline, Slot, target_faults
from connector.mapping.places import Place, load_yaml, shown
from connector.mapping.table import Disposition

Document = dict[str, object]

# What a rule may know of a person; `known` is anonymous, identified or verified.
ABOUT = ("first_name", "last_name", "company", "provider", "known")
_PARTS = (
    *("id", "name", "enabled", "trigger", "conditions", "to"),
    *("actions", "cooldown", "once", "daily_cap"),
)
_SPAN = re.compile(r"(\d{1,5})([mhd])", re.ASCII)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_LONGEST_SPAN = timedelta(days=3650)
_MOST_FACTS = 50
_DEEPEST = 6
# Whatever may be saved may be exported, and comes in again: each group stands two levels deep.
_LONGEST_FILE = 2_000_000
_DEEPEST_FILE = 24
_MOST = 1_000_000
_BEFORE_A_WIN = frozenset(Slot) - SETTLED - {Slot.DO_NOT_CONTACT}


def parse_rule(document: object, pipeline: Pipeline) -> Rule:
    """Read a rule; what it leaves out has its default. Raises ConfigurationRefused."""
    root = Place(document, "rule", [])
    rule = read_rule(root, pipeline)
    root.conclude()
    assert rule is not None  # noqa: S101 - no fault, so there is a rule
    return rule


def load_rules(text: str) -> object:
    """Read a file of rules as YAML. Raises ConfigurationRefused."""
    return load_yaml(text, _LONGEST_FILE, _DEEPEST_FILE)


def parse_rules(document: object, pipeline: Pipeline) -> list[Rule]:
    """Read a file of rules; `id` is "" where none is given. Raises ConfigurationRefused.

    A list of rules, or a rule alone, is as good as `{rules: [...]}`.
    """
    if isinstance(document, dict) and "trigger" in document:
        document = [document]
    root = Place({"rules": document} if isinstance(document, list) else document, "rules", [])
    parts = root.entries(("rules",), needed=("rules",))
    places = parts["rules"].items() if "rules" in parts else []
    found = [read_rule(place, pipeline) for place in places]
    root.faults.extend(
        f"rules: {count} rules are called {shown(name)}"
        for name, count in Tally(rule.name for rule in found if rule).items()
        if count > 1
    )
    root.conclude()
    return [rule for rule in found if rule is not None]


def read_rule(root: Place, pipeline: Pipeline) -> Rule | None:
    """Read a rule, noting its faults; None where it has one that leaves no rule."""
    parts = root.entries(_PARTS, needed=("name", "trigger", "to"))
    name = parts["name"].text() if "name" in parts else ""
    trigger = _trigger(parts["trigger"]) if "trigger" in parts else None
    to = parts["to"].number(OPEN_TO_RULES) if "to" in parts else None
    for fault in target_faults(pipeline, [to] if to else []):
        parts["to"].refuse(fault)
    condition = _whole(parts["conditions"]) if "conditions" in parts else Every()
    for action in parts["actions"].items() if "actions" in parts else []:
        action.refuse("no action is known: what a hand-off does is switched on per connection")
    own_id = parts["id"].text() if "id" in parts else ""
    cooldown = _span(parts["cooldown"], zero=True) if "cooldown" in parts else DEFAULT_COOLDOWN
    once = "once" in parts and parts["once"].flag()
    enabled = "enabled" not in parts or parts["enabled"].flag()
    cap = parts.get("daily_cap")
    daily_cap = _whole_number(cap, 1, _MOST) if cap and cap.value is not None else None
    if trigger is None or to is None or condition is None or cooldown is None:
        return None
    return Rule(
        RuleId(own_id),
        name,
        trigger,
        to,
        condition,
        cooldown=cooldown,
        once=once,
        daily_cap=daily_cap,
        enabled=enabled,
    )


def _whole(place: Place) -> Condition | None:
    condition = _condition(place, 0)
    if condition is not None and len(leaves(condition)) > _MOST_FACTS:
        place.refuse(f"at most {_MOST_FACTS} conditions")
    return condition


def _kind(place: Place, kinds: Mapping[str, object]) -> str | None:
    """Return which of some kinds an object is: the one whose key it has."""
    if not isinstance(place.value, dict):
        place.refuse("must be an object")
        return None
    found = [kind for kind in kinds if kind in place.value]
    if len(found) != 1:
        place.refuse(f"must have exactly one of {', '.join(kinds)}")
        return None
    return found[0]


def _trigger(place: Place) -> Trigger | None:
    kind = _kind(place, _TRIGGERS)
    return _TRIGGERS[kind](place) if kind else None


def _condition(place: Place, depth: int) -> Condition | None:
    if depth > _DEEPEST:
        place.refuse(f"conditions stand at most {_DEEPEST} deep")
        return None
    kind = _kind(place, {**_GROUPS, **_FACTS})
    if kind is None:
        return None
    if kind in _FACTS:
        return _FACTS[kind](place)
    inside = place.entries((kind,))[kind]
    if kind == "not":
        part = _condition(inside, depth + 1)
        return None if part is None else Not(part)
    parts = [_condition(item, depth + 1) for item in inside.items()]
    if kind == "any" and inside.value == []:
        inside.refuse("must not be empty: nothing could ever be true")
    known = tuple(part for part in parts if part is not None)
    return Every(known) if kind == "all" else Some(known)


def _act(place: Place) -> Act | None:
    parts = place.entries(("event", "code", "url", "form"), needed=("event",))
    texts = {name: parts[name].text() for name in ("event", "code", "form") if name in parts}
    url = _url(parts["url"]) if "url" in parts else None
    if "event" not in parts or ("url" in parts and url is None):
        return None
    return Act(texts["event"], texts.get("code"), url, texts.get("form"))


def _url(place: Place) -> UrlMatch | None:
    kind = _kind(place, dict.fromkeys(Way))
    if kind is None:
        return None
    own = place.entries((kind,))[kind]
    pattern = own.text()
    way = Way(kind)
    try:
        if way in {Way.GLOB, Way.REGEX}:
            compiled(way, pattern)
    except BadPattern as error:
        own.refuse(str(error))
        return None
    return UrlMatch(way, pattern)


def _count(place: Place) -> Condition | None:
    parts = place.entries(("count", "at_least"), needed=("at_least",))
    what = parts["count"]
    inside = what.entries(("event", "code", "url", "form", "within"), needed=("within",))
    kept = {key: value for key, value in inside.items() if key != "within"}
    act = _act(Place({key: own.value for key, own in kept.items()}, what.name, what.faults))
    within = _span(inside["within"]) if "within" in inside else None
    least = _whole_number(parts["at_least"], 1, 10_000) if "at_least" in parts else None
    return Count(act, within, least) if act and within and least else None


def _named(place: Place, kind: str, known: Collection[str] = ()) -> tuple[str, str] | None:
    """Read `{kind: name, other: value}`, the name one of those known."""
    other = "becomes" if kind == "field" else "is"
    parts = place.entries((kind, other), needed=(kind, other))
    texts = {key: own.text() for key, own in parts.items()}
    name = texts.get(kind)
    if known and name and name not in known:
        parts[kind].refuse(f"{shown(name)} is unknown: choose from {', '.join(known)}")
    return (texts[kind], texts[other]) if kind in texts and other in texts else None


def _alone(place: Place, kind: str) -> Place:
    """Return the only entry of an object."""
    return place.entries((kind,))[kind]


def _origin(place: Place) -> Condition | None:
    told = _named(place, "origin")
    return Origin(*told) if told else None


def _about(place: Place) -> Condition | None:
    told = _named(place, "profile", ABOUT)
    return About(*told) if told else None


def _disposed(place: Place) -> Condition | None:
    word = _alone(place, "disposition").choice(Disposition)
    return Disposed(word.value) if word else None


def _slot_at_least(place: Place) -> Condition | None:
    slot = _alone(place, "slot_at_least").number(_BEFORE_A_WIN)
    return SlotAtLeast(slot) if slot else None


def _score(place: Place, kind: str) -> int | None:
    return _whole_number(_alone(place, kind), 1 if kind == "score_at_least" else 2, 10)


def _score_at_least(place: Place) -> Condition | None:
    score = _score(place, "score_at_least")
    return ScoreAtLeast(score) if score else None


def _score_crosses(place: Place) -> Trigger | None:
    score = _score(place, "score_crosses")
    return ScoreCrosses(score) if score else None


def _field(place: Place) -> Trigger | None:
    told = _named(place, "field")
    return FieldBecomes(*told) if told else None


def _in_slot_for(place: Place) -> Trigger | None:
    span = _span(_alone(place, "in_slot_for"))
    return InSlotFor(span) if span else None


def _inactive_for(place: Place) -> Trigger | None:
    span = _span(_alone(place, "inactive_for"))
    return InactiveFor(span) if span else None


_TRIGGERS: Mapping[str, Callable[[Place], Trigger | None]] = {
    "event": _act,
    "score_crosses": _score_crosses,
    "field": _field,
    "in_slot_for": _in_slot_for,
    "inactive_for": _inactive_for,
}
_GROUPS = {"all": None, "any": None, "not": None}
_FACTS: Mapping[str, Callable[[Place], Condition | None]] = {
    "count": _count,
    "slot_at_least": _slot_at_least,
    "score_at_least": _score_at_least,
    "origin": _origin,
    "profile": _about,
    "disposition": _disposed,
}


def _whole_number(place: Place, least: int, most: int) -> int | None:
    value = place.value
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    place.refuse(f"must be a whole number from {least} to {most}")
    return None


def _span(place: Place, *, zero: bool = False) -> timedelta | None:
    found = _SPAN.fullmatch(place.value) if isinstance(place.value, str) else None
    span = int(found[1]) * _UNITS[found[2]] if found else None
    if span is None or span > _LONGEST_SPAN or not (span or zero):
        place.refuse("must be a duration like 90m, 12h or 7d, of ten years at most")
        return None
    return span


# And back


def dump_rule(rule: Rule) -> Document:
    """Return a rule as a document, whole, without its id and version."""
    return {
        "name": rule.name,
        "enabled": rule.enabled,
        "trigger": _DUMP[type(rule.trigger)](rule.trigger),
        "conditions": _DUMP[type(rule.condition)](rule.condition),
        "to": rule.to.value,
        "actions": list(rule.actions),
        "cooldown": dump_span(rule.cooldown),
        "once": rule.once,
        "daily_cap": rule.daily_cap,
    }


def dump_span(span: timedelta) -> str:
    """Return a duration in the biggest unit that holds it whole."""
    letter = next((key for key, unit in _UNITS.items() if span % unit == timedelta()), "m")
    return f"{span // _UNITS[letter]}{letter}" if span else "0m"


def as_rule(document: object, rule_id: str, version: int, since: datetime) -> Rule:
    """Return a stored rule, whatever became of the labels meanwhile."""
    named = Pipeline(labels={Slot.SEVENTH: "7", Slot.POST_SALE: "9"})
    rule = parse_rule(document, named)
    return Rule(
        RuleId(rule_id),
        *(rule.name, rule.trigger, rule.to, rule.condition, rule.actions, rule.cooldown),
        *(rule.once, rule.daily_cap, rule.enabled, version, since),
    )


def _dump_act(act: Act) -> Document:
    url = {act.url.way.value: act.url.pattern} if act.url else None
    told: Document = {"event": act.event, "code": act.code, "url": url, "form": act.form}
    return {key: value for key, value in told.items() if value is not None}


def _dump(condition: Condition) -> Document:
    return _DUMP[type(condition)](condition)


_DUMP: Mapping[type, Callable[..., Document]] = {
    Act: _dump_act,
    ScoreCrosses: lambda own: {"score_crosses": own.value},
    FieldBecomes: lambda own: {"field": own.field, "becomes": own.value},
    InSlotFor: lambda own: {"in_slot_for": dump_span(own.span)},
    InactiveFor: lambda own: {"inactive_for": dump_span(own.span)},
    Every: lambda own: {"all": [_dump(part) for part in own.parts]},
    Some: lambda own: {"any": [_dump(part) for part in own.parts]},
    Not: lambda own: {"not": _dump(own.part)},
    Count: lambda own: {
        "count": {**_dump_act(own.act), "within": dump_span(own.within)},
        "at_least": own.at_least,
    },
    SlotAtLeast: lambda own: {"slot_at_least": own.slot.value},
    ScoreAtLeast: lambda own: {"score_at_least": own.score},
    Origin: lambda own: {"origin": own.name, "is": own.value},
    About: lambda own: {"profile": own.name, "is": own.value},
    Disposed: lambda own: {"disposition": own.disposition},
}
