"""Does a CRM's stage order agree with the account's funnel? Pointed out, never followed."""

from __future__ import annotations

from itertools import pairwise

from connector.domain.slots import is_forward
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import PEOPLE, Meaning


def disagreements(lookup: Lookup) -> list[str]:
    """Name neighbouring stages that the CRM orders one way and the funnel the other."""
    return [fault for kind in sorted(PEOPLE) for fault in _of_object(kind, lookup)]


def _of_object(kind: str, lookup: Lookup) -> list[str]:
    name = lookup.mapping.name_of(kind, Meaning.LIFECYCLE)
    stages = lookup.vocabulary.order(kind, name)
    placed = [(stage, slot) for stage in stages if (slot := lookup.slot(Words(stage))) is not None]
    return [
        f"{kind}: the CRM orders {earlier!r} (slot {start.value}) before {later!r} "
        f"(slot {goal.value}), your funnel the other way round"
        for (earlier, start), (later, goal) in pairwise(placed)
        if goal is not start and not is_forward(lookup.funnel, start, goal)
    ]
