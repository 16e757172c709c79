"""The plan of writes: what a slot wants a CRM's two fields to hold, and why not if not."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from connector.domain.slots import Slot
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import Meaning, Mode, OutboundRow, Put


@dataclass(frozen=True, slots=True)
class Plan:
    """Values to write by meaning, and what is left alone with the reason."""

    writes: Map[Meaning, str] = field(default_factory=dict)
    skipped: Map[Meaning, str] = field(default_factory=dict)


def plan(slot: Slot, held: Words, kind: str, lookup: Lookup) -> Plan:
    """Plan the lifecycle stage and lead status for a record whose profile came to `slot`.

    Nothing is written where the record's own words already mean that slot, nor backward unless
    the admin allows it.
    """
    row = row_for(slot, lookup)
    if row is None or lookup.slot(held) is slot:
        return Plan()
    writes: dict[Meaning, str] = {}
    skipped: dict[Meaning, str] = {}
    for meaning, put, now in (
        (Meaning.LIFECYCLE, row.lifecycle, held.lifecycle),
        (Meaning.LEAD_STATUS, row.lead_status, held.status),
    ):
        if put is None or put.mode is Mode.OFF or put.value == now:
            continue
        if meaning is Meaning.LIFECYCLE and is_backward(now, put.value, kind, lookup):
            skipped[meaning] = f"would regress from {now}"
        else:
            writes[meaning] = put.value
    return Plan(writes, skipped)


def row_for(slot: Slot, lookup: Lookup) -> OutboundRow | None:
    """Return the outbound row of a slot."""
    rows = lookup.mapping.outbound
    return next((row for row in rows if lookup.address(row.source) is slot), None)


def is_backward(now: str, wanted: str, kind: str, lookup: Lookup) -> bool:
    """Say whether a write would take the CRM's stage back where the admin does not allow it."""
    if lookup.mapping.allow_backward:
        return False
    name = lookup.mapping.name_of(kind, Meaning.LIFECYCLE)
    order = lookup.vocabulary.order(kind, name)
    if now in order and wanted in order:
        return order.index(wanted) < order.index(now)
    return False


def round_trip_faults(lookup: Lookup) -> list[str]:
    """Name every outbound row whose own words would come back as another slot."""
    return [fault for row in lookup.mapping.outbound for fault in _row_faults(row, lookup)]


def _row_faults(row: OutboundRow, lookup: Lookup) -> list[str]:
    slot = lookup.address(row.source)
    lifecycle, status = _value(row.lifecycle), _value(row.lead_status)
    if not lifecycle:
        return []
    back = lookup.slot(Words(lifecycle, status))
    if back is slot:
        return []
    answer = f"slot {back.value}" if back else "no slot"
    words = f"{lifecycle} {status}".strip()
    return [f"slot {slot.value} would write {words!r}, which reads back as {answer}"]


def _value(put: Put | None) -> str:
    return put.value if put and put.mode is not Mode.OFF else ""
