"""Rules are judged as things happen, and take their steps; every decision is kept with them.

A rule is judged once for each thing that sets it off, at the time that it happened. What is silent
sets nothing off, nor does a CRM's field that changed longer than LATEST ago. An event that comes
late has those judged again that happened after it and count such events, so that the order of
arrival does not matter; the cool-down holds, whichever came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.facts import Fact, ProfileId, is_fresh
from connector.domain.journeys import Happened
from connector.domain.rules.index import Index
from connector.domain.rules.judging import crosses, rearms
from connector.domain.rules.rule import Count, Rule, RuleId, ScoreCrosses, leaves
from connector.mapping.table import PEOPLE
from connector.pipeline.bench import (
    Aside,
    Bench,
    Moment,
    account_of,
    earliest,
    in_time,
    survivor_of,
)
from connector.pipeline.people import Sayings
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services

if TYPE_CHECKING:
    from connector.store.unit import Unit


def escalate(
    services: Services,
    unit: Unit,
    scene: Scene,
    happened: Sequence[Happened],
    aside: Aside | None = None,
) -> set[ProfileId]:
    """Judge the rules that events set off, and take their steps; return who was moved.

    `happened` are a batch's events, each with its profile; they may be stored already.
    """
    index = unit.rules.index(account_of(scene))
    own = [_of_survivor(scene, one) for one in happened]
    live = [one for one in own if is_live(one)]
    if not index.rules or not live:
        return set()
    bench = Bench(services, unit, scene, aside)
    moments = [moment for one in live if (moment := _moment(one, index.by_event(one.event)))]
    people = {one.profile_id for one in live if bench.may_move(one.profile_id)}
    bench.load_visitors(people)
    late = [one for one in live if one.profile_id in people and _is_late(bench, one)]
    bench.learn(one for one in own if one.profile_id in people)
    open_to = [one for one in moments if one.profile_id in people]
    asked = {rule.id: rule for one in open_to for rule in one.rules} if not late else index.rules
    concerned = {one.profile_id for one in open_to} | {one.profile_id for one in late}
    first = [(one.profile_id, one.event.occurred_at) for one in live if one.profile_id in concerned]
    bench.load_events(earliest(first), asked.values(), own)
    again = [*_again(bench, index, late, {one.id for one in own})]
    # Only now: what is judged again may be of other days than what has come.
    bench.load_past([*open_to, *again])
    return bench.judge([*moments, *again])


def may_escalate(index: Index, one: Happened, last_at: datetime | None) -> bool:
    """Say whether an event may have rules judged; `last_at`: of its person's last one before it."""
    if not index.rules or not is_live(one):
        return False
    return bool(index.by_event(one.event)) or _comes_late(one, last_at)


def is_live(one: Happened) -> bool:
    """Say whether an event may set anything off."""
    return not one.silent


def _of_survivor(scene: Scene, one: Happened) -> Happened:
    survivor = survivor_of(scene, one.profile_id)
    return one if survivor == one.profile_id else one._replace(profile_id=survivor)


def _moment(one: Happened, rules: Iterable[Rule]) -> Moment | None:
    own = tuple(rule for rule in rules if _was_there(rule, one))
    return Moment(one.event.occurred_at, one.id, one.profile_id, own) if own else None


def _was_there(rule: Rule, one: Happened) -> bool:
    """Say whether a rule counted already when an event came in, whenever that happened."""
    return rule.since is None or rule.since <= one.received_at


def _is_late(bench: Bench, one: Happened) -> bool:
    """Say whether something later of the same person was there before."""
    visitor = bench.visitors.get(one.profile_id)
    return _comes_late(one, visitor.last_at if visitor else None)


def _comes_late(one: Happened, last_at: datetime | None) -> bool:
    return last_at is not None and one.event.occurred_at < last_at


def _again(
    bench: Bench, index: Index, late: Sequence[Happened], fresh: set[int]
) -> Iterator[Moment]:
    """Yield what happened after late events and counts them: it is to be judged again."""
    by_person: dict[ProfileId, list[Happened]] = defaultdict(list)
    for one in late:
        by_person[one.profile_id].append(one)
    for profile_id, own in sorted(by_person.items()):
        first = min(map(in_time, own))
        for one in bench.events.get(profile_id, ()):
            if in_time(one) > first and one.id not in fresh and is_live(one):
                rules = [rule for rule in index.by_event(one.event) if _counts(rule, own)]
                if moment := _moment(one._replace(profile_id=profile_id), rules):
                    yield moment


def _counts(rule: Rule, late: Iterable[Happened]) -> bool:
    """Say whether a rule counts any of the late events."""
    acts = [leaf.act for leaf in leaves(rule.condition) if isinstance(leaf, Count)]
    return any(act.fits(other.event) for act in acts for other in late)


def on_field(
    services: Services,
    unit: Unit,
    scene: Scene,
    told: Sayings | None = None,
) -> set[ProfileId]:
    """Judge the rules that CRM fields set off by what was learned; return who was moved.

    To be asked once the records have their profiles; `told` are records replayed already.
    """
    index = unit.rules.index(account_of(scene))
    moments = []
    for order, fact in enumerate(scene.changes.facts):
        rules = tuple(index.by_field(fact.field, fact.value))
        record = scene.records.get(fact.record)
        if rules and record and record.profile_id and _became(scene, fact):
            owner = survivor_of(scene, record.profile_id)
            moments.append(Moment(fact.when, order, owner, rules))
    return Bench(services, unit, scene, sayings=told).judge_alone(moments) if moments else set()


def _became(scene: Scene, fact: Fact) -> bool:
    """Say whether a person's field took this value just now, by somebody else's hand."""
    if fact.silent or fact.ours or fact.record.object not in PEOPLE:
        return False
    if not is_fresh(fact.when, scene.now):
        return False
    held = sorted(
        (one for one in scene.known(fact.record) if one.field == fact.field),
        key=lambda one: one.stamp,
    )
    before = [one for one in held if one.stamp < fact.stamp]
    return held[-1].stamp == fact.stamp and (not before or before[-1].value != fact.value)


def on_score(
    services: Services,
    unit: Unit,
    scene: Scene,
    scores: Mapping[ProfileId, tuple[int | None, int | None]],
) -> set[ProfileId]:
    """Judge the rules that scores set off by crossing a value, from before to after.

    A crossing counts again once the score has fallen below its value less one; a first score sets
    nothing off, and counts as having crossed. Returns who was moved.
    """
    account_id = account_of(scene)
    rules = unit.rules.index(account_id).scores
    if not rules or not scores:
        return set()
    tripped = unit.rules.tripped(account_id, scores)
    moments = []
    for order, (profile_id, (before, after)) in enumerate(sorted(scores.items())):
        crossed = [one for one in rules if _trips(scene, one, profile_id, (before, after), tripped)]
        if crossed:
            moments.append(Moment(scene.now, order, profile_id, tuple(crossed)))
    known = {one: after for one, (_, after) in scores.items() if after is not None}
    return Bench(services, unit, scene, Aside(known)).judge_alone(moments)


def _trips(
    scene: Scene,
    rule: Rule,
    profile_id: ProfileId,
    change: tuple[int | None, int | None],
    tripped: set[tuple[RuleId, ProfileId]],
) -> bool:
    """Say whether a score sets a rule off, and keep whether it may do so again."""
    assert isinstance(rule.trigger, ScoreCrosses), rule  # noqa: S101 - the index says so
    value, key = rule.trigger.value, (rule.id, profile_id)
    if key in tripped and rearms(value, change[1]):
        scene.changes.decisions.tripped[key] = None
    if key in tripped or not crosses(value, *change):
        return False
    scene.changes.decisions.tripped[key] = scene.now
    # A first score came from nowhere: a first training would set off for everybody at once.
    return change[0] is not None
