"""What each switch of the hand-off would write next; nothing is called, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.domain.facts import ProfileId
from connector.domain.handoffs import Part
from connector.domain.moves import Go, judge
from connector.domain.slots import Role, Slot
from connector.domain.steps import Actor
from connector.mapping.handoff import (
    AssignOwner,
    CreateDeal,
    Recycle,
    ResetStatus,
    UntouchedTask,
    next_owner,
)
from connector.mapping.lookup import Lookup
from connector.mapping.table import PEOPLE, Disposition, Meaning
from connector.pipeline.handing import oldest, to_sql
from connector.pipeline.services import Services
from connector.stored import Connection, Profile, Record

Switch = AssignOwner | ResetStatus | CreateDeal | UntouchedTask | Recycle


@dataclass(frozen=True, slots=True)
class Would:
    """One thing that a switch would do to a record; `when` names what would bring it about."""

    profile_id: ProfileId
    object: str
    record_id: str
    part: Part
    enabled: bool
    when: str
    fields: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(slots=True)
class _Line:
    """Whose turn it would be; a preview takes none."""

    owners: Sequence[str]
    last: str

    def following(self) -> str:
        self.last = next_owner(self.owners, self.last, self.owners) or ""
        return self.last


@dataclass(frozen=True, slots=True)
class _Case:
    lookup: Lookup
    profile: Profile
    record: Record
    line: _Line

    def name(self, meaning: Meaning) -> str:
        return self.lookup.mapping.name_of(self.record.key.object, meaning)

    def says(
        self,
        part: Part,
        when: str,
        switch: Switch,
        fields: dict[str, str],
        at: datetime | None = None,
    ) -> Would:
        key, own = self.record.key, self.profile.id
        return Would(own, key.object, key.record_id, part, switch.enabled, when, fields, at)


def preview(
    services: Services, connection: Connection, after: str = "", most: int = 50
) -> tuple[list[Would], str | None]:
    """Return what each switch would do to the next profiles by id, and where to go on.

    A switch that is off is shown too, as far as it is filled in: so it is looked at before it is
    turned on. Owners are shown as if everybody were there.
    """
    with services.store.reading() as unit:
        lookup = unit.lookups(connection.account_id)[connection.id][connection.version]
        line = _Line(
            lookup.mapping.handoff.assign_owner.owners, unit.handoffs.last_turn(connection.id)
        )
        wanted = {"connection_id": connection.id}
        found = unit.people.found(connection.account_id, wanted, after, most + 1)
        page = found[:most]
        records = unit.people.records(connection.account_id, [one.id for one in page])
        shown = [
            would
            for one in page
            if (record := _first(services, records.get(one.id, []), connection)) is not None
            for would in _would(_Case(lookup, one, record, line))
        ]
    return shown, page[-1].id if len(found) > most else None


def _first(services: Services, records: Sequence[Record], connection: Connection) -> Record | None:
    """Return the record that a person would be handed over with."""
    own = [one for one in records if one.key.connection_id == connection.id]
    living = [one for one in own if one.alive and not one.merged_into and one.key.object in PEOPLE]
    return oldest(living, services.now())


def _would(case: _Case) -> Iterator[Would]:
    """Say what may come next for whoever stands where this profile stands."""
    slot, lookup = case.profile.slot, case.lookup
    mql = lookup.address(Role.MQL)
    if slot is Slot.QUALIFIED:
        yield from _on_mql(case)
    if slot in {mql, lookup.address(Role.SAL)}:
        yield from _on_connected(case)
    if slot is mql and case.profile.slot_since:
        task = lookup.mapping.handoff.untouched_task
        due = case.profile.slot_since + timedelta(hours=task.hours)
        told = {"subject": task.subject}
        yield case.says(Part.TASK, "nobody touches it", task, told, due)
    if case.profile.disposition is Disposition.BAD_TIMING and _goes_back(slot, lookup):
        recycle = lookup.mapping.handoff.recycle
        told = {"slot": str(Slot.QUALIFIED.value), "field": recycle.field}
        yield case.says(Part.RECYCLE, "its day comes", recycle, told)


def _goes_back(slot: Slot | None, lookup: Lookup) -> bool:
    return isinstance(judge(slot, Slot.QUALIFIED, Actor.SYSTEM, lookup.pipeline), Go)


def _on_mql(case: _Case) -> Iterator[Would]:
    handoff = case.lookup.mapping.handoff
    status, owner = case.name(Meaning.LEAD_STATUS), case.name(Meaning.OWNER)
    value = handoff.reset_status.value
    if status and value and case.record.lead_status != value:
        yield case.says(Part.STATUS, "it enters MQL", handoff.reset_status, {status: value})
    if owner and handoff.assign_owner.owners and not case.record.owner:
        told = {owner: case.line.following()}
        yield case.says(Part.OWNER, "it enters MQL", handoff.assign_owner, told)


def _on_connected(case: _Case) -> Iterator[Would]:
    deal = case.lookup.mapping.handoff.create_deal
    if not deal.stage:
        return
    first = to_sql(case.lookup, case.record.key.object, case.record.lifecycle)
    own = {"pipeline": deal.pipeline, "stage": deal.stage, "name": deal.name, **deal.fields}
    when = f"its lead status becomes {' or '.join(deal.status)}"
    yield case.says(Part.DEAL, when, deal, first | own)
