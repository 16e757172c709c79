"""A rule is replayed over what people did: who would have been moved when, and what they became.

Nobody is moved. People stand where the ledger says they stood then, without what the rule itself
did; what it would have done counts until the ledger's next move. Silent and imported events count
too: it is history. Scores are not kept over time, so that no score is ever high enough here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId, ProfileId
from connector.domain.journeys import Happened, Visitor
from connector.domain.moves import is_sent_back
from connector.domain.rules.judging import Facts, Past, Setting, Yes, day_of, judge
from connector.domain.rules.rule import (
    Act,
    FieldBecomes,
    InactiveFor,
    InSlotFor,
    Rule,
    ScoreCrosses,
    window,
)
from connector.domain.slots import Pipeline, Slot
from connector.pipeline.services import Services
from connector.stored import Crowd, LedgerMove, Profile

if TYPE_CHECKING:
    from connector.store.unit import Unit

AT_ONCE = 200
MOST_SHOWN = 1_000
Answers = list[tuple[datetime, str]]


@dataclass(frozen=True, slots=True)
class Would:
    """A move that a rule would have made; `became` is where the person stands today."""

    profile_id: ProfileId
    at: datetime
    start: Slot
    to: Slot
    became: Slot


@dataclass(slots=True)
class _Tally:
    """How many people the rule would have moved on each day, and the first of the moves."""

    setting: Setting
    number: int = 0
    days: Counter[date] = field(default_factory=Counter)
    shown: list[Would] = field(default_factory=list)

    def add(self, would: Would) -> None:
        """Count a move; beyond the first ones no more than as many again are held."""
        self.number += 1
        self.days[day_of(would.at)] += 1
        self.shown.append(would)
        if len(self.shown) >= 2 * MOST_SHOWN:
            self.shown = self.first()

    def first(self) -> list[Would]:
        """Return the first moves, in order of time."""
        return sorted(self.shown, key=lambda one: (one.at, one.profile_id))[:MOST_SHOWN]


def backtest(
    services: Services, account_id: AccountId, rule_id: str, days: int
) -> tuple[int, list[Would]]:
    """Return how many moves a rule would have made in the last days, and the first of them.

    Raises NotFound, and ConfigurationRefused for a rule that waits for scores.
    """
    now = services.now()
    with services.store.reading() as unit:
        rule = unit.rules.rule(account_id, rule_id)
        pipeline = unit.account(account_id).pipeline
    if isinstance(rule.trigger, ScoreCrosses):
        raise ConfigurationRefused(["trigger: scores are not kept over time: nothing to replay"])
    past = _Past(services, account_id, rule, (now - timedelta(days=days), now), without_own=True)
    tally = _Tally(Setting(pipeline, services.rules_rest))
    if rule.daily_cap is None:
        _one_by_one(past, tally)
    else:
        _day_by_day(past, tally)
    return tally.number, tally.first()


def _one_by_one(past: _Past, tally: _Tally) -> None:
    """Meet each page of people at once: without a cap nobody's moves bear on anybody else's."""
    for some in past.pages():
        for one in some:
            for at in one.moments:
                one.meet(past.rule, at, tally)


def _day_by_day(past: _Past, tally: _Tally) -> None:
    """Meet people in order of time, so that each day's cap is used up as it would have been.

    Of all only the moments are held meanwhile, and what the rule would have done.
    """
    moments = sorted(
        (at, one.profile.id) for some in past.pages() for one in some for at in one.moments
    )
    fired: dict[ProfileId, list[datetime]] = {}
    for start in range(0, len(moments), AT_ONCE):
        some = moments[start : start + AT_ONCE]
        people = {one.profile.id: one for one in past.people(sorted({one for _, one in some}))}
        for at, profile_id in some:
            person = people[profile_id]
            person.fired = fired.get(profile_id, [])
            if person.meet(past.rule, at, tally):
                fired[profile_id] = person.fired


@dataclass(frozen=True, slots=True)
class _Past:
    """What happened to an account's people in a span of time, a page of them at a time."""

    services: Services
    account_id: AccountId
    rule: Rule
    span: tuple[datetime, datetime]
    without_own: bool = False

    def pages(self) -> Iterator[list[Replayed]]:
        """Yield everybody."""
        after, ids = "", [ProfileId("")]
        while ids:
            with self.services.store.reading() as unit:
                ids = unit.rules.people(self.account_id, after, AT_ONCE)
            yield self.people(ids)
            after = ids[-1] if ids else after

    def people(self, ids: Sequence[ProfileId]) -> list[Replayed]:
        """Return some people with all that the rule asks of them."""
        with self.services.store.reading() as unit:
            crowd = unit.crowd(self.account_id, (), (), ids)
            if self.without_own:
                crowd = replace(crowd, moves=_moves_of_others(crowd, self.rule))
            return _people(unit, self.account_id, ids, crowd, self.rule, self.span)


def _moves_of_others(crowd: Crowd, rule: Rule) -> dict[ProfileId, list[LedgerMove]]:
    """Return people's moves but for those that a rule made."""
    own = {
        step.id
        for steps in crowd.steps.values()
        for step in steps
        if step.cause == f"rule:{rule.id}"
    }
    return {
        profile_id: [one for one in moves if one.step_key not in own]
        for profile_id, moves in crowd.moves.items()
    }


def replayed(
    services: Services, account_id: AccountId, rule: Rule, span: tuple[datetime, datetime]
) -> Iterator[Replayed]:
    """Yield everybody with when the rule was set off by them, a page of people at a time."""
    for some in _Past(services, account_id, rule, span).pages():
        yield from some


class Replayed:
    """Somebody as the ledger has them, and what the rule would have done to them so far."""

    def __init__(self, profile: Profile, moves: Sequence[LedgerMove]) -> None:
        self.profile = profile
        self.moves = moves
        self.events: Sequence[Happened] = ()
        self.visitor = Visitor(profile.id)
        self.answers: list[Answers] = []
        self.moments: list[datetime] = []
        self.fired: list[datetime] = []

    def meet(self, rule: Rule, at: datetime, tally: _Tally) -> bool:
        """Judge the rule at a moment, and count the move that it would have made."""
        facts = self.facts(at, rule, tally.setting)
        slot = facts.slot
        setting = tally.setting
        verdict = judge(rule, facts, Past(self.fired, tally.days[day_of(at)]), at, setting)
        if not isinstance(verdict, Yes) or slot is None:
            return False
        self.fired.append(at)
        tally.add(Would(self.profile.id, at, slot, rule.to, self.profile.slot or slot))
        return True

    def _said(self, at: datetime) -> Answers:
        """Return what sales said last on each record by then."""
        past = ([one for one in own if one[0] <= at] for own in self.answers)
        return [own[-1] for own in past if own and own[-1][1]]

    def facts(self, at: datetime, rule: Rule, setting: Setting) -> Facts:
        """Return what the ledger says of somebody at a moment."""
        slot, said = self._slot(at, rule), self._said(at)
        return Facts(
            slot,
            slot,
            self.events,
            max(said, default=(at, ""))[1],
            sent_back=self._sent_back(at, setting.pipeline),
            origin=self.visitor.origin,
            about={**self.visitor.person, "known": self.visitor.known.value},
            said=frozenset(word for _, word in said),
        )

    def _slot(self, at: datetime, rule: Rule) -> Slot | None:
        before = [move for move in self.moves if move.occurred_at <= at]
        if self.fired and (not before or before[-1].occurred_at <= self.fired[-1]):
            return rule.to
        return before[-1].goal if before else None

    def _sent_back(self, at: datetime, pipeline: Pipeline) -> datetime | None:
        times = [
            move.occurred_at
            for move in self.moves
            if move.occurred_at <= at
            and is_sent_back(move.start, move.goal, move.actor, pipeline.funnel)
        ]
        return max(times, default=None)


def _people(
    unit: Unit,
    account_id: AccountId,
    ids: Sequence[ProfileId],
    crowd: Crowd,
    rule: Rule,
    span: tuple[datetime, datetime],
) -> list[Replayed]:
    """Load all that the rule asks of some people, and when it was set off by them."""
    since = span[0] - (window(rule) or timedelta())
    if isinstance(rule.trigger, InactiveFor):
        since = min(since, span[0] - rule.trigger.span)
    journeys = unit.journeys.of(account_id, ids, since)
    visitors = unit.journeys.visitors(account_id, ids)
    found = []
    for profile_id in ids:
        moves = sorted(crowd.moves.get(profile_id, ()), key=lambda one: one.position)
        one = Replayed(crowd.profiles[profile_id], moves)
        one.events = journeys.get(profile_id, ())
        one.visitor = visitors.get(profile_id, one.visitor)
        one.answers = _answers(crowd, profile_id)
        times = _set_off(rule, one, crowd)
        one.moments = sorted({at for at in times if span[0] <= at <= span[1]})
        found.append(one)
    return found


def _answers(crowd: Crowd, profile_id: ProfileId) -> list[Answers]:
    """Return what sales said on each of somebody's records, oldest first."""
    own = [key for key, record in crowd.records.items() if record.profile_id == profile_id]
    told = [crowd.answers.get(key, ()) for key in own]
    return [[(one.occurred_at, str(one.disposition or "")) for one in some] for some in told]


def _set_off(rule: Rule, one: Replayed, crowd: Crowd) -> Iterator[datetime]:
    """Yield when a rule was set off by somebody."""
    trigger: Any = rule.trigger
    if isinstance(trigger, Act):
        yield from (own.event.occurred_at for own in one.events if trigger.fits(own.event))
    if isinstance(trigger, InSlotFor):
        yield from _lasting([move.occurred_at for move in one.moves], trigger.span)
    if isinstance(trigger, InactiveFor):
        yield from _lasting([own.event.occurred_at for own in one.events], trigger.span)
    if isinstance(trigger, FieldBecomes):
        own = [key for key, record in crowd.records.items() if record.profile_id == one.profile.id]
        facts = [fact for key in own for fact in crowd.facts.get(key, ()) if not fact.ours]
        wanted = (trigger.field, trigger.value)
        yield from (fact.when for fact in facts if (fact.field, fact.value) == wanted)


def _lasting(times: Sequence[datetime], span: timedelta) -> Iterator[datetime]:
    """Yield when nothing had happened for so long."""
    for number, at in enumerate(times):
        if number + 1 == len(times) or times[number + 1] > at + span:
            yield at + span
