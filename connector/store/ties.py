"""Who is tied to what now: of all that was said about a tie, the newest word counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select, tuple_
from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.mapping.table import COMPANIES, PEOPLE
from connector.store import tables as t
from connector.store.crowd import Load, as_record
from connector.stored import Record

_AT_ONCE = 500


class Ties:
    """Queries on the ties between records."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def companies(
        self, account_id: AccountId, people: Collection[RecordKey]
    ) -> dict[RecordKey, list[Record]]:
        """Return the companies that people's records are tied to."""
        load = Load(self.tx, account_id)
        pairs = [pair for pair in load.ties(people) if pair[1].object in COMPANIES]
        known = load.records({company for _, company in pairs})
        found: dict[RecordKey, list[Record]] = defaultdict(list)
        for person, company in sorted(pairs):
            if company in known and known[company].alive:
                found[person].append(known[company])
        return dict(found)

    def shared_wins(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[ProfileId, str]:
        """Return what joins the wins of several people: a deal of theirs, or else a company."""
        load = Load(self.tx, account_id)
        owners = {record.key: record.profile_id for record in load.records_of(profiles)}
        found: dict[ProfileId, tuple[bool, str]] = {}
        for person, other in load.ties(list(owners)):
            if other.object == "deal" or other.object in COMPANIES:
                named = (other.object != "deal", "/".join(other))
                owner = owners[person] or ProfileId("")
                found[owner] = min(named, found.get(owner, named))
        return {one: name for one, (_, name) in found.items()}

    def without_person(
        self, connection: tuple[AccountId, ConnectionId], stages: Collection[str], after: str
    ) -> tuple[list[Record], str | None]:
        """Return deals in one of these stages that nobody is on, from behind `after`.

        Looks at a few hundred deals at a time; the second value is where to go on.
        """
        account_id, connection_id = connection
        query = (
            select(t.record)
            .where(
                t.record.c.connection_id == connection_id,
                t.record.c.object == "deal",
                t.record.c.record_id > after,
                t.record.c.lifecycle.in_(stages),
                t.record.c.alive,
            )
            .order_by(t.record.c.record_id)
            .limit(_AT_ONCE)
        )
        deals = [as_record(row) for row in self.tx.execute(query)]
        pairs = Load(self.tx, account_id).ties([deal.key for deal in deals])
        claimed = {deal for deal, person in pairs if person.object in PEOPLE}
        more = deals[-1].key.record_id if len(deals) == _AT_ONCE else None
        return [deal for deal in deals if deal.key not in claimed], more


def works_at(company_id: str | None, kind: str) -> ColumnElement[bool]:
    """Say that a person's record, of the enclosing query, is tied to a company now."""
    link, later = t.link.alias(), t.link.alias()
    same = [later.c[name] == link.c[name] for name in _ENDS]
    place: tuple[Any, Any] = (tuple_(*_clock(later)), tuple_(*_clock(link)))
    undone = exists().where(*same, ~later.c.present, place[0] > place[1])
    ends = [
        link.c.connection_id == t.record.c.connection_id,
        link.c.from_object == t.record.c.object,
        link.c.from_id == t.record.c.record_id,
        link.c.to_object == kind,
    ]
    if company_id is not None:
        ends.append(link.c.to_id == company_id)
    return exists().where(and_(*ends), link.c.present, ~undone)


_ENDS = ("connection_id", "from_object", "from_id", "to_object", "to_id")


def _clock(link: Any) -> tuple[Any, Any]:
    return link.c.happened_at, link.c.event_id
