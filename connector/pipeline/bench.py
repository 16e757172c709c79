"""What rules are judged on, loaded once for a batch and kept up to date as they move people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from connector.domain.facts import AccountId, ProfileId, clock
from connector.domain.journeys import Happened, Visitor
from connector.domain.moves import is_sent_back
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
from connector.domain.slots import OPEN_TO_RULES, Slot
from connector.domain.steps import Actor, Kind, Story
from connector.domain.visits import joined, seen
from connector.mapping.replay import Saying
from connector.pipeline.people import Sayings
from connector.pipeline.refold import Retold, tell
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.stored import OwnStep

if TYPE_CHECKING:
    from connector.store.unit import Unit

_TICK = timedelta(microseconds=1)
_CLIMBS_FROM = OPEN_TO_RULES | {Slot.QUALIFIED}


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
        joined = {survivor_of(scene, one) for one in scene.changes.rehomed}
        self._with_news = (
            joined
            | {step.profile_id for step in scene.changes.steps}
            | {
                survivor_of(scene, owner)
                for key in sayings or ()
                if (owner := scene.records[key].profile_id)
            }
        )

    def may_move(self, profile_id: ProfileId) -> bool:
        """Say, without looking closer, whether a rule might move somebody.

        Whose slot is being worked out just now might: only the fold tells where they stand.
        """
        profile = self.scene.profiles.get(profile_id)
        if profile is None or profile.merged_into:
            return False
        return profile.slot in _CLIMBS_FROM or profile_id in self._with_news

    # Loading: as many queries for many people as for one

    def load_visitors(self, people: Collection[ProfileId]) -> None:
        """Load what is known of people's journeys so far."""
        stored = self.unit.journeys.visitors(self.account_id, self._with_joined(people))
        for profile_id, known in sorted(stored.items()):
            survivor = survivor_of(self.scene, profile_id)
            one = self.visitors.get(survivor, Visitor(survivor))
            self.visitors[survivor] = joined(one, known)

    def load_events(
        self,
        times: Mapping[ProfileId, datetime],
        rules: Iterable[Rule],
        own: Iterable[Happened] = (),
    ) -> None:
        """Load what people did in the windows that rules look back through.

        `times` is when the first thing to be judged of each happened; `own` may be stored already.
        One late event has nobody else's past read: people are asked for by how far back they go.
        """
        spans = [span for rule in rules if (span := window(rule)) is not None]
        if not spans or not times:
            return
        groups: dict[int, list[ProfileId]] = defaultdict(list)
        for profile_id, first in times.items():
            groups[max(0, (self.scene.now - first).days).bit_length()].append(profile_id)
        found: list[Happened] = []
        for people in groups.values():
            since = min(times[one] for one in people) - max(spans)
            stored = self.unit.journeys.of(self.account_id, self._with_joined(people), since)
            found += [one for events in stored.values() for one in events]
        self._keep([*found, *own], times)

    def load_past(self, moments: Collection[Moment]) -> None:
        """Load when rules moved people, and how many on the days of all that is to be judged."""
        ids = self._with_joined({one.profile_id for one in moments})
        for (rule_id, profile_id), fired in self.unit.rules.fired(self.account_id, ids).items():
            self._fired[rule_id, survivor_of(self.scene, profile_id)] += fired
        rules = {rule.id: rule for one in moments for rule in one.rules}
        capped = [rule.id for rule in rules.values() if rule.daily_cap is not None]
        days = {day_of(one.at) for one in moments}
        self._days = self.unit.rules.per_day(self.account_id, capped, days)

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
            when = clock(one.event.occurred_at, one.received_at)
            self.visitors[one.profile_id] = seen(known, one.event, when)

    def _with_joined(self, people: Collection[ProfileId]) -> list[ProfileId]:
        """Return people with all who were joined to them in this unit of work."""
        joined = [a for a in self.scene.changes.rehomed if survivor_of(self.scene, a) in people]
        return sorted({*people, *joined})

    # Judging

    def judge_alone(self, moments: Sequence[Moment]) -> set[ProfileId]:
        """Load what moments need, and judge them."""
        people = {one.profile_id for one in moments if self.may_move(one.profile_id)}
        rules = {rule.id: rule for one in moments for rule in one.rules}
        open_to = [one for one in moments if one.profile_id in people]
        self.load_visitors(people)
        self.load_events(earliest((one.profile_id, one.at) for one in open_to), rules.values())
        self.load_past(open_to)
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
        else:
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
            frozenset(str(own.disposition) for own in told.sayings.values() if _bars(own)),
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
            move.when
            for move in story.moves
            if is_sent_back(move.start, move.goal, move.step.actor, move.step.funnel)
            and move.step.key not in undone
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


def earliest(times: Iterable[tuple[ProfileId, datetime]]) -> dict[ProfileId, datetime]:
    """Return the first time of each person."""
    first: dict[ProfileId, datetime] = {}
    for profile_id, at in times:
        first[profile_id] = min(at, first.get(profile_id, at))
    return first


def in_time(one: Happened) -> tuple[datetime, int]:
    """Return an event's place in order of time."""
    return one.event.occurred_at, one.id


def _bars(saying: Saying) -> bool:
    return saying.alive and saying.disposition is not None


def _slot_at(story: Story, at: datetime) -> Slot | None:
    moves = [move.goal for move in story.moves if move.when <= at]
    return moves[-1] if moves else None
