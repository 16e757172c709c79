"""Whom a connection makes a record for; nobody, until an admin says from which slot on."""

from __future__ import annotations

from dataclasses import dataclass

from connector.domain.slots import OPEN_TO_PEOPLE, Funnel, Slot, rank
from connector.mapping.places import Place

MOST_A_DAY = 10_000


@dataclass(frozen=True, slots=True)
class Creation:
    """People from this slot on, in funnel order, get a record; at most so many a day (UTC)."""

    from_slot: Slot
    daily_cap: int

    def slots(self, funnel: Funnel) -> list[Slot]:
        """Return the slots whose people get a record."""
        return slots_from(self.from_slot, funnel)


def slots_from(first: Slot, funnel: Funnel) -> list[Slot]:
    """Return a slot and all that are further; slot 10 stands outside."""
    return [slot for slot in funnel if rank(funnel, slot) >= rank(funnel, first)]


def parse_creation(place: Place) -> Creation | None:
    """Read the switch; a fault is named in its place."""
    keys = ("from_slot", "daily_cap")
    parts = place.entries(keys, needed=keys)
    first = parts["from_slot"].number(OPEN_TO_PEOPLE) if "from_slot" in parts else None
    cap = _cap(parts["daily_cap"]) if "daily_cap" in parts else None
    return Creation(first, cap) if first and cap else None


def dump_creation(creation: Creation) -> dict[str, object]:
    """Return the switch as a document."""
    return {"from_slot": creation.from_slot.value, "daily_cap": creation.daily_cap}


def _cap(place: Place) -> int | None:
    value = place.value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_A_DAY:
        return value
    place.refuse(f"must be a whole number from 1 to {MOST_A_DAY}")
    return None
