"""What rules are judged on, loaded once for a batch and kept up to date as they move people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from connector.domain.facts import AccountId, ProfileId
from connector.domain.journeys import Happened, Known, Visitor
from connector.domain.moves import PERSONS
from connector.domain.rules.decisions import Firing
from connector.domain.rules.judging import (
    Facts,
    Past,
    Setting,
    Yes,
    day_of,
    in_order,
    judge,
)
from connector.domain.rules.rule import Rule, RuleId, window
from connector.domain.slots import OPEN_TO_RULES, Slot, is_forward
from connector.domain.steps import Actor, Kind, Move, Story
from connector.pipeline.people import Sayings
from connector.pipeline.refold import Retold, tell
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.stored import OwnStep

if TYPE_CHECKING:
    from connector.store.unit import Unit

_TICK = timedelta(microseconds=1)
_CLIMBS_FROM = OPEN_TO_RULES | {Slot.QUALIFIED}
_GROWING = tuple(Known)


@dataclass(frozen=True, slots=True)
class Aside:
    """What neither journeys nor the CRM tell: people's scores, and when a bad timing ends."""

    scores: Mapping[ProfileId, int] = field(default_factory=dict)
    again: Mapping[ProfileId, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that set rules off; `order` breaks ties."""

    at: datetime
    order: int
    profile_id: ProfileId
    rules: tuple[Rule, ...]


class Bench:
    """Where rules are judged, and take their steps."""

    def __init__(
        self,
        services: Services,
        unit: Unit,
        scene: Scene,
        aside: Aside | None = None,
        sayings: Sayings | None = None,
    ) -> None:
        self.unit = unit
        self.scene = scene
        self.account_id = account_of(scene)
        self.setting = Setting(scene.pipeline, services.rules_rest)
        self.aside = aside or Aside()
        self.sayings = sayings
        self.moved: set[ProfileId] = set()
        self.events: dict[ProfileId, list[Happened]] = {}
        self.visitors: dict[ProfileId, Visitor] = {}
        self._told: dict[ProfileId, Retold] = {}
        self._fired: dict[tuple[RuleId, ProfileId], list[datetime]] = defaultdict(list)
        self._days: Counter[tuple[RuleId, date]] = Counter()
        self._with_steps = {step.profile_id for step in scene.changes.steps}

    def may_move(self, profile_id: ProfileId) -> bool:
        """Say, without looking closer, whether a rule might move somebody."""
        profile = self.scene.profiles.get(profile_id)
        if profile is None or profile.merged_into:
            return False
        return profile.slot in _CLIMBS_FROM or profile_id in self._with_steps

    # Loading: as many queries for many people as for one

    def load_visitors(self, people: Collection[ProfileId]) -> None:
        """Load what is known of people's journeys so far."""
        stored = self.unit.journeys.visitors(self.account_id, self._with_joined(people))
        for profile_id, known in sorted(stored.items()):
            survivor = survivor_of(self.scene, profile_id)
            self.visitors[survivor] = _joined(self.visitors.get(survivor), known)

    def load(
        self,
        people: Collection[ProfileId],
        rules: Collection[Rule],
        times: Collection[datetime],
        own: Iterable[Happened] = (),
    ) -> None:
        """Load all that rules may ask about people at some times; `own` may be stored already."""
        if not people or not times:
            return
        ids = self._with_joined(people)
        spans = [span for rule in rules if (span := window(rule)) is not None]
        if spans:
            found = self.unit.journeys.of(self.account_id, ids, min(times) - max(spans))
            self._keep([*(one for events in found.values() for one in events), *own], people)
        for (rule_id, profile_id), fired in self.unit.rules.fired(self.account_id, ids).items():
            self._fired[rule_id, survivor_of(self.scene, profile_id)] += fired
        capped = [rule.id for rule in rules if rule.daily_cap is not None]
        self._days = self.unit.rules.per_day(self.account_id, capped, set(map(day_of, times)))

    def _keep(self, events: Iterable[Happened], people: Collection[ProfileId]) -> None:
        """Keep events in order of time, each once."""
        grouped: dict[ProfileId, dict[int, Happened]] = defaultdict(dict)
        for one in events:
            grouped[survivor_of(self.scene, one.profile_id)][one.id] = one
        for profile_id in people:
            own = sorted(grouped.get(profile_id, {}).values(), key=in_time)
            self.events[profile_id] = own

    def learn(self, happened: Iterable[Happened]) -> None:
        """Have what this batch tells of visitors count too."""
        for one in sorted(happened, key=in_time):
            known = self.visitors.get(one.profile_id, Visitor(one.profile_id))
            self.visitors[one.profile_id] = _after(known, one)

    def _with_joined(self, people: Collection[ProfileId]) -> list[ProfileId]:
        """Return people with all who were joined to them in this unit of work."""
        joined = [a for a in self.scene.changes.rehomed if survivor_of(self.scene, a) in people]
        return sorted({*people, *joined})

    # Judging

    def judge_alone(self, moments: Sequence[Moment]) -> set[ProfileId]:
        """Load what moments need, and judge them."""
        people = {one.profile_id for one in moments if self.may_move(one.profile_id)}
        rules = {rule.id: rule for one in moments for rule in one.rules}
        if people:
            self.load_visitors(people)
            self.load(people, rules.values(), [one.at for one in moments])
        return self.judge(moments)

    def judge(self, moments: Iterable[Moment]) -> set[ProfileId]:
        """Judge moments in order of time, the furthest target first; return who was moved."""
        for moment in sorted(moments, key=lambda one: (one.at, one.order, one.profile_id)):
            for rule in in_order(moment.rules, self.setting.pipeline):
                self._judge(rule, moment)
        return self.moved

    def _judge(self, rule: Rule, moment: Moment) -> None:
        past = Past(self._fired[rule.id, moment.profile_id], self._days[rule.id, day_of(moment.at)])
        verdict = judge(rule, self._facts(moment), past, moment.at, self.setting)
        if isinstance(verdict, Yes):
            self._fire(rule, moment, verdict)
        elif moment.profile_id in self.scene.profiles:
            self.scene.changes.decisions.refuse(rule, moment.profile_id, moment.at, verdict)

    def _facts(self, moment: Moment) -> Facts:
        profile_id = moment.profile_id
        if not self.may_move(profile_id):
            profile = self.scene.profiles.get(profile_id)
            slot = profile.slot if profile else None
            return Facts(slot, slot)
        told = self._tell(profile_id)
        visitor = self.visitors.get(profile_id) or Visitor(profile_id)
        return Facts(
            told.after.slot,
            _slot_at(told.story, moment.at),
            self.events.get(profile_id, ()),
            told.after.disposition or "",
            self.aside.again.get(profile_id),
            self._sent_back(profile_id, told.story),
            self._score(profile_id),
            visitor.origin,
            {**visitor.person, "known": visitor.known.value},
        )

    def _score(self, profile_id: ProfileId) -> int | None:
        known = self.scene.scores.get(profile_id)
        return self.aside.scores.get(profile_id, known.value if known else None)

    def _tell(self, profile_id: ProfileId) -> Retold:
        if profile_id not in self._told:
            self._told[profile_id] = tell(self.scene, profile_id, self.sayings)
        return self._told[profile_id]

    def _sent_back(self, profile_id: ProfileId, story: Story) -> datetime | None:
        """Return when a person or the CRM last moved somebody back; an undo is no such word."""
        undone = {own.id for own in self.scene.steps.get(profile_id, ()) if own.unmuting}
        times = [
            move.when for move in story.moves if _is_back(move) and move.step.key not in undone
        ]
        return max(times, default=None)

    def _fire(self, rule: Rule, moment: Moment, verdict: Yes) -> None:
        """Take a rule's step: where it happened in time, but behind the last move."""
        scene, profile_id = self.scene, moment.profile_id
        since = self._tell(profile_id).after.slot_since
        when = moment.at if since is None else max(moment.at, since + _TICK)
        step = OwnStep(
            scene.new_id("stp"),
            profile_id,
            *(Kind.RAISE, Actor.RULE, when, scene.now, scene.pipeline.funnel),
            slot=rule.to,
            reason=rule.name,
            cause=f"rule:{rule.id}",
            batch_id=scene.batch(("rule", rule.id), f"rule:{rule.id}", Actor.RULE, rule.name),
        )
        scene.take(step)
        self._told.pop(profile_id, None)
        self._fired[rule.id, profile_id].append(moment.at)
        self._days[rule.id, day_of(moment.at)] += 1
        self.moved.add(profile_id)
        scene.changes.decisions.firings.append(
            Firing(
                *(step.id, rule.id, rule.version, profile_id),
                *(moment.at, scene.now, dict(verdict.seen)),
            )
        )


def account_of(scene: Scene) -> AccountId:
    """Return whose scene it is: an account's connections are all in it."""
    return next(iter(scene.connections.values())).account_id


def survivor_of(scene: Scene, profile_id: ProfileId) -> ProfileId:
    """Return the profile that one was joined into in this unit of work, or itself."""
    while profile_id in scene.changes.rehomed:
        profile_id = scene.changes.rehomed[profile_id]
    return profile_id


def in_time(one: Happened) -> tuple[datetime, int]:
    """Return an event's place in order of time."""
    return one.event.occurred_at, one.id


def _slot_at(story: Story, at: datetime) -> Slot | None:
    moves = [move.goal for move in story.moves if move.when <= at]
    return moves[-1] if moves else None


def _is_back(move: Move) -> bool:
    start, goal = move.start, move.goal
    if start is None or Slot.DO_NOT_CONTACT in {start, goal} or move.step.actor not in PERSONS:
        return False
    return not is_forward(move.step.funnel, start, goal)


def _joined(one: Visitor | None, other: Visitor) -> Visitor:
    """Return what two visitors that are one person add up to; the first visit's origin stays."""
    if one is None:
        return other
    first, last = sorted((one, other), key=lambda own: (own.first_at is None, own.first_at))
    times = [own.last_at for own in (one, other) if own.last_at is not None]
    return replace(
        first,
        known=max(one.known, other.known, key=_GROWING.index),
        person={**first.person, **last.person},
        origin=first.origin or last.origin,
        last_at=max(times, default=None),
    )


def _after(known: Visitor, one: Happened) -> Visitor:
    event = one.event
    return replace(
        known,
        known=max(known.known, event.known, key=_GROWING.index),
        origin=known.origin or event.origin,
        person={**known.person, **event.person},
    )
