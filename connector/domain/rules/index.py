"""Rules by what sets them off, so that an event meets those only that it may set off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from connector.domain.journeys import JourneyEvent
from connector.domain.rules.rule import (
    Act,
    FieldBecomes,
    InactiveFor,
    InSlotFor,
    Rule,
    RuleId,
    ScoreCrosses,
)

# Kinds of events remembered. An address is any sender's; long ones are rarely met again.
MOST_MET = 2_000
LONGEST_MET = 300


class Index:
    """An account's rules that are switched on, found by their triggers."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: dict[RuleId, Rule] = {rule.id: rule for rule in rules if rule.enabled}
        self._acts: dict[tuple[str, str | None], list[Rule]] = defaultdict(list)
        self._fields: dict[tuple[str, str], list[Rule]] = defaultdict(list)
        self._met: dict[tuple[str, ...], list[Rule]] = {}
        self.scores: list[Rule] = []
        self.clocks: list[Rule] = []
        for rule in self.rules.values():
            self._place(rule)

    def _place(self, rule: Rule) -> None:
        trigger = rule.trigger
        if isinstance(trigger, Act):
            self._acts[trigger.event, trigger.code].append(rule)
        elif isinstance(trigger, FieldBecomes):
            self._fields[trigger.field, trigger.value].append(rule)
        elif isinstance(trigger, ScoreCrosses):
            self.scores.append(rule)
        elif isinstance(trigger, InSlotFor | InactiveFor):
            self.clocks.append(rule)

    def by_event(self, event: JourneyEvent) -> Sequence[Rule]:
        """Return the rules that an event sets off; of events alike it is found out once."""
        alike = (event.type, event.code, event.url, event.form_id, event.form_name)
        found = self._met.get(alike)
        if found is None:
            found = self._set_off(event)
            if len(event.url) <= LONGEST_MET:
                if len(self._met) == MOST_MET:
                    self._met.clear()
                self._met[alike] = found
        return found

    def _set_off(self, event: JourneyEvent) -> list[Rule]:
        near = [
            *self._acts.get((event.type, None), ()),
            *(self._acts.get((event.type, event.code), ()) if event.code else ()),
        ]
        return [rule for rule in near if isinstance(rule.trigger, Act) and rule.trigger.fits(event)]

    def by_field(self, field: str, value: str) -> list[Rule]:
        """Return the rules that a field sets off by taking a value."""
        return self._fields.get((field, value), [])
