"""A rule is replayed over what people did: who would have been moved when, and what they became.

Nobody is moved. People stand where the ledger says they stood then; what a rule would have done
counts until the ledger's next move. Silent and imported events count too: it is history. Scores
are not kept over time, so that no score is ever high enough here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId, ProfileId
from connector.domain.journeys import Happened, Visitor
from connector.domain.moves import PERSONS
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
from connector.domain.slots import Pipeline, Slot, is_forward
from connector.pipeline.services import Services
from connector.stored import Crowd, LedgerMove, Profile

if TYPE_CHECKING:
    from connector.store.unit import Unit

AT_ONCE = 200
MOST_SHOWN = 1_000


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
    """How many people the rule would have moved on each day, and the moves to be shown."""

    number: int = 0
    days: Counter[date] = field(default_factory=Counter)
    shown: list[Would] = field(default_factory=list)


def backtest(
    services: Services, account_id: AccountId, rule_id: str, days: int
) -> tuple[int, list[Would]]:
    """Return how many moves a rule would have made in the last days, and the first of them.

    Raises NotFound, and ConfigurationRefused for a rule that waits for scores.
    """
    now = services.now()
    tally = _Tally()
    with services.store.reading() as unit:
        rule = unit.rules.rule(account_id, rule_id)
        pipeline = unit.account(account_id).pipeline
    if isinstance(rule.trigger, ScoreCrosses):
        raise ConfigurationRefused(["trigger: scores are not kept over time: nothing to replay"])
    setting = Setting(pipeline, services.rules_rest)
    everyone = replayed(services, account_id, rule, (now - timedelta(days=days), now))
    moments = [(at, one) for one in everyone for at in one.moments]
    for at, one in sorted(moments, key=lambda own: (own[0], own[1].profile.id)):
        one.meet(rule, at, setting, tally)
    return tally.number, tally.shown


def replayed(
    services: Services, account_id: AccountId, rule: Rule, span: tuple[datetime, datetime]
) -> Iterator[Replayed]:
    """Yield everybody with when the rule was set off by them, a page of people at a time."""
    after = ""
    while True:
        with services.store.reading() as unit:
            ids = unit.rules.people(account_id, after, AT_ONCE)
            found = _people(unit, account_id, ids, rule, span)
        yield from found
        if len(ids) < AT_ONCE:
            return
        after = ids[-1]


class Replayed:
    """Somebody as the ledger has them, and what the rule would have done to them so far."""

    def __init__(self, profile: Profile, moves: Sequence[LedgerMove]) -> None:
        self.profile = profile
        self.moves = moves
        self.events: Sequence[Happened] = ()
        self.visitor = Visitor(profile.id)
        self.answers: list[tuple[datetime, str]] = []
        self.moments: list[datetime] = []
        self.fired: list[datetime] = []

    def meet(self, rule: Rule, at: datetime, setting: Setting, tally: _Tally) -> None:
        """Judge the rule at a moment, and count the move that it would have made."""
        facts = self.facts(at, rule, setting)
        slot = facts.slot
        verdict = judge(rule, facts, Past(self.fired, tally.days[day_of(at)]), at, setting)
        if isinstance(verdict, Yes) and slot is not None:
            self.fired.append(at)
            tally.days[day_of(at)] += 1
            tally.number += 1
            if len(tally.shown) < MOST_SHOWN:
                became = self.profile.slot or slot
                tally.shown.append(Would(self.profile.id, at, slot, rule.to, became))

    def facts(self, at: datetime, rule: Rule, setting: Setting) -> Facts:
        """Return what the ledger says of somebody at a moment."""
        slot = self._slot(at, rule)
        return Facts(
            slot,
            slot,
            self.events,
            next((word for when, word in reversed(self.answers) if when <= at), ""),
            sent_back=self._sent_back(at, setting.pipeline),
            origin=self.visitor.origin,
            about={**self.visitor.person, "known": self.visitor.known.value},
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
            if move.occurred_at <= at and _is_back(move, pipeline)
        ]
        return max(times, default=None)


def _is_back(move: LedgerMove, pipeline: Pipeline) -> bool:
    start, goal = move.start, move.goal
    if start is None or Slot.DO_NOT_CONTACT in {start, goal} or move.actor not in PERSONS:
        return False
    return not is_forward(pipeline.funnel, start, goal)


def _people(
    unit: Unit,
    account_id: AccountId,
    ids: Sequence[ProfileId],
    rule: Rule,
    span: tuple[datetime, datetime],
) -> list[Replayed]:
    """Load some people with all that the rule asks of them, and when it was set off."""
    crowd = unit.crowd(account_id, (), (), ids)
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


def _answers(crowd: Crowd, profile_id: ProfileId) -> list[tuple[datetime, str]]:
    own = [key for key, record in crowd.records.items() if record.profile_id == profile_id]
    told = [answer for key in own for answer in crowd.answers.get(key, ())]
    return sorted((one.occurred_at, str(one.disposition or "")) for one in told)


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
