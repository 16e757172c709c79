"""How many would get a record in a CRM now, whether creation is switched on or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from connector.domain.errors import Refused
from connector.domain.facts import ProfileId
from connector.domain.slots import Role, Slot
from connector.domain.systems import CRMS
from connector.mapping.creation import Creation, slots_from
from connector.pipeline.services import Services
from connector.stored import Connection


@dataclass(frozen=True, slots=True)
class Lacking:
    """Who stands far enough and proven, and has no record; each gets one when they next do a thing.

    `waiting` are entered already, `made_today` are those for whom a call began.
    """

    creation: Creation | None
    from_slot: Slot
    would_create: int
    waiting: int
    made_today: int
    items: list[tuple[ProfileId, Slot]]
    after: str | None


def lacking(
    services: Services, connection: Connection, first: int | None, after: str, most: int
) -> Lacking:
    """Return who is to get a record from a slot on; left out it is the mapping's, else MQL."""
    if connection.system not in CRMS:
        raise Refused(f"{connection.id} is no CRM: nobody gets a record there")
    now = services.now().astimezone(UTC)
    with services.store.reading() as unit:
        lookup = unit.lookups(connection.account_id)[connection.id][connection.version]
        pipeline = unit.account(connection.account_id).pipeline
        creation = lookup.mapping.create
        known = creation.from_slot if creation else pipeline.slot_of(Role.MQL)
        start = Slot(first) if first else known
        slots = slots_from(start, pipeline.funnel)
        found = unit.creations.lacking_page(connection, slots, after, most + 1)
        day = datetime.combine(now.date(), time(), UTC)
        return Lacking(
            creation,
            start,
            unit.creations.number_lacking(connection, slots),
            unit.creations.number_waiting(connection.id),
            unit.creations.number_called(connection.id, day),
            found[:most],
            found[most - 1][0] if len(found) > most else None,
        )
