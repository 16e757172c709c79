"""The plan of writes: what a slot wants a CRM's two fields to hold, and why not if not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from connector.domain.slots import Slot
from connector.mapping.lookup import Lookup, Words
from connector.mapping.table import PEOPLE, Meaning, Mode, OutboundRow, Put


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
    backs = _read_back(lifecycle, status, lookup)
    if slot in backs or not backs:
        return []
    answer = " or ".join(f"slot {back.value}" if back else "no slot" for back in backs)
    words = f"{lifecycle} {status}".strip()
    return [f"slot {slot.value} would write {words!r}, which reads back as {answer}"]


def _read_back(lifecycle: str, status: str, lookup: Lookup) -> Sequence[Slot | None]:
    """Return what a write may read back as: a status alone answers any stage it may meet."""
    if lifecycle:
        return [lookup.slot(Words(lifecycle, status))]
    if not lookup.is_mapped_status(status):
        return []
    met = {"", *(stage for row in lookup.mapping.slots for stage in row.lifecycle)}
    return sorted({slot for stage in met if (slot := lookup.slot(Words(stage, status)))})


def outbound_faults(lookup: Lookup) -> list[str]:
    """Name slots with two outbound rows, and values that the CRM is known not to offer."""
    sources = [lookup.address(row.source) for row in lookup.mapping.outbound]
    doubled = sorted({slot for slot in sources if sources.count(slot) > 1})
    return [
        *(f"slot {slot.value} has more than one outbound row" for slot in doubled),
        *(fault for row in lookup.mapping.outbound for fault in _unwritable(row, lookup)),
    ]


def _unwritable(row: OutboundRow, lookup: Lookup) -> Iterator[str]:
    slot = lookup.address(row.source)
    for meaning, put in (
        (Meaning.LIFECYCLE, row.lifecycle),
        (Meaning.LEAD_STATUS, row.lead_status),
    ):
        names = {kind: lookup.mapping.name_of(kind, meaning) for kind in sorted(PEOPLE)}
        if not _value(put):
            continue
        if not any(names.values()):
            yield f"slot {slot.value} would write a {meaning}, but no field is named for it"
        for kind, name in names.items():
            options = lookup.vocabulary.order(kind, name)
            if options and _value(put) not in options:
                yield f"slot {slot.value}: {name} of a {kind} does not offer {_value(put)!r}"


def _value(put: Put | None) -> str:
    return put.value if put and put.mode is not Mode.OFF else ""
