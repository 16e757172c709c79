"""The noes of a rule on one day, worked out once more from the stored journeys; nobody is moved.

Of the noes only the last of each person is kept, and how many there were on a day. What people did
is kept: judged again, by the rule as it is now, it says who was refused, when and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId, ProfileId
from connector.domain.rules.judging import No, Past, Setting, Why, judge
from connector.domain.rules.rule import Rule, RuleId, ScoreCrosses
from connector.pipeline.backtesting import MOST_SHOWN, Replayed, replayed
from connector.pipeline.services import Services

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """A moment at which the rule did not move somebody who set it off."""

    profile_id: ProfileId
    at: datetime
    why: Why
    detail: str


@dataclass(slots=True)
class Noes:
    """How many noes of each kind there were on a day, and the first of them in order of time.

    `yes` counts the moments that the rule refused or never saw then, and would not refuse now.
    """

    number: dict[Why, int] = field(default_factory=dict)
    shown: list[Refused] = field(default_factory=list)
    yes: int = 0


def noes(services: Services, account_id: AccountId, rule_id: str, day: date) -> Noes:
    """Judge a rule again for all that set it off on a day (UTC), where it moved nobody.

    Raises NotFound, and ConfigurationRefused for a rule that waits for scores.
    """
    with services.store.reading() as unit:
        rule = unit.rules.rule(account_id, rule_id)
        setting = Setting(unit.account(account_id).pipeline, services.rules_rest)
    if isinstance(rule.trigger, ScoreCrosses):
        raise ConfigurationRefused(["trigger: scores are not kept over time: nothing to judge"])
    start = datetime.combine(day, time(), UTC)
    span = (start, start + A_DAY - timedelta(microseconds=1))
    moments = [
        (at, one) for one in replayed(services, account_id, rule, span) for at in one.moments
    ]
    moments.sort(key=lambda own: (own[0], own[1].profile.id))
    fired = _fired(services, account_id, rule.id, {one.profile.id for _, one in moments})
    today = sorted(at for own in fired.values() for at in own if span[0] <= at <= span[1])
    found = Noes()
    for at, one in moments:
        own = fired.get(one.profile.id, [])
        if at not in own:
            # What the rule did later, it had not done when it was asked.
            past = Past([when for when in own if when < at], sum(when < at for when in today))
            _judge(found, rule, at, one, (past, setting))
    return found


def _fired(
    services: Services, account_id: AccountId, rule_id: RuleId, people: set[ProfileId]
) -> dict[ProfileId, list[datetime]]:
    with services.store.reading() as unit:
        told = unit.rules.fired(account_id, people)
    return {profile_id: at for (own, profile_id), at in told.items() if own == rule_id}


def _judge(found: Noes, rule: Rule, at: datetime, one: Replayed, by: tuple[Past, Setting]) -> None:
    past, setting = by
    verdict = judge(rule, one.facts(at, rule, setting), past, at, setting)
    if not isinstance(verdict, No):
        found.yes += 1
        return
    found.number[verdict.why] = found.number.get(verdict.why, 0) + 1
    if len(found.shown) < MOST_SHOWN:
        found.shown.append(Refused(one.profile.id, at, verdict.why, verdict.detail))
