"""What rules decided, as it is kept: every yes, the last no of each person, the noes of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from connector.domain.facts import ProfileId
from connector.domain.rules.judging import No, Why, day_of
from connector.domain.rules.rule import Rule, RuleId, span_of


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule moved somebody; `id` is that of the step it took, `seen` what it saw."""

    id: str
    rule_id: RuleId
    version: int
    profile_id: ProfileId
    at: datetime
    recorded_at: datetime
    seen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last time that a rule was set off by somebody and did not move them."""

    rule_id: RuleId
    version: int
    profile_id: ProfileId
    at: datetime
    why: Why
    detail: str = ""


class Day(NamedTuple):
    """The noes of one rule, of one kind, on one day in UTC (an ISO date)."""

    rule_id: RuleId
    day: str
    why: Why


class Place(NamedTuple):
    """How far a rule of the clock has looked in one pass: times up to `at`, people to `after`."""

    at: datetime
    after: str = ""


@dataclass(slots=True)
class Decisions:
    """What one unit of work decided; `tripped` holds None where a score crossing counts again."""

    firings: list[Firing] = field(default_factory=list)
    refusals: dict[tuple[RuleId, ProfileId], Refusal] = field(default_factory=dict)
    days: Counter[Day] = field(default_factory=Counter)
    tripped: dict[tuple[RuleId, ProfileId], datetime | None] = field(default_factory=dict)

    def refuse(self, rule: Rule, profile_id: ProfileId, at: datetime, no: No) -> None:
        """Keep a no; of the many who are nobody we know only how many they were.

        The clock meets those only who are somebody by now, and by their noes each of them once.
        """
        self.days[Day(rule.id, day_of(at).isoformat(), no.why)] += 1
        key = (rule.id, profile_id)
        known = self.refusals.get(key)
        is_somebody = no.why is not Why.UNKNOWN or bool(span_of(rule))
        if is_somebody and (known is None or known.at <= at):
            self.refusals[key] = Refusal(rule.id, rule.version, profile_id, at, no.why, no.detail)
