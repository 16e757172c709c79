"""Wins that make nobody a Customer, because no person is on the deal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connector.mapping.table import Meaning
from connector.pipeline.services import Services
from connector.stored import Connection


@dataclass(frozen=True, slots=True)
class Win:
    """A won deal that nobody is on."""

    object: str
    record_id: str
    stage: str
    won_at: datetime | None


def wins_without_person(
    services: Services, connection: Connection, after: str = "", most: int | None = None
) -> list[Win]:
    """Return the won deals without a person, by id from behind `after`, at most `most`."""
    with services.store.reading() as unit:
        unit.crm(connection.id)
        lookup = unit.lookups(connection.account_id)[connection.id][connection.version]
        field = lookup.mapping.name_of("deal", Meaning.DEAL_STAGE)
        found: list[Win] = []
        place: str | None = after
        while place is not None and (most is None or len(found) < most):
            deals, place = unit.ties.without_person(
                (connection.account_id, connection.id), lookup.won_stages(), place
            )
            found += [
                Win(
                    deal.key.object,
                    deal.key.record_id,
                    deal.lifecycle,
                    unit.people.clock(deal.key, field, deal.lifecycle),
                )
                for deal in deals
            ]
    return found if most is None else found[:most]
