"""A mapping and a pipeline as plain documents: what YAML files, the API and the database hold.

Whoever writes one is told of every fault at once, each with its place in the document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict
from importlib.resources import files
from typing import TypeVar

import yaml

from connector.domain import slots
from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import OPEN_TO_PEOPLE, Pipeline, Role, Slot
from connector.mapping import table
from connector.mapping.creation import dump_creation, parse_creation
from connector.mapping.handoff import Handoff
from connector.mapping.handoff_document import dump_handoff, handoff_faults, parse_handoff
from connector.mapping.lookup import Lookup
from connector.mapping.places import LONGEST_WORD, Place, load_yaml, shown
from connector.mapping.plan import outbound_faults, round_trip_faults

Document = dict[str, object]
Row = TypeVar("Row")

_OBJECTS = (*sorted(table.PEOPLE), "company", "account", "deal")
_TARGETS = ("role", "slot")
_CONDITIONS = ("lifecycle", "status", "deal", "company")
_TABLES = ("opt_out", "dispositions", "slots", "outbound")
_SWITCHES = ("allow_backward", "push_opt_out")
_KEYS = ("system", "fields", "deal_stages", *_TABLES, *_SWITCHES, "handoff", "create")


def parse(document: object) -> table.Mapping:
    """Read a mapping; refuse it with every fault named."""
    root = Place(document, "mapping", [])
    parts = root.entries(_KEYS, needed=("system", "fields"))
    mapping = table.Mapping(
        system=parts["system"].text() if "system" in parts else "",
        fields=_fields(parts["fields"]) if "fields" in parts else {},
        deal_stages=_deal_stages(parts["deal_stages"]) if "deal_stages" in parts else {},
        opt_out=_rows(parts, "opt_out", _opt_out),
        dispositions=_rows(parts, "dispositions", _disposition),
        slots=_rows(parts, "slots", _slot),
        outbound=_rows(parts, "outbound", _outbound),
        allow_backward="allow_backward" in parts and parts["allow_backward"].flag(),
        push_opt_out="push_opt_out" in parts and parts["push_opt_out"].flag(),
        handoff=parse_handoff(parts["handoff"]) if "handoff" in parts else Handoff(),
        create=parse_creation(parts["create"]) if "create" in parts else None,
    )
    root.conclude()
    return mapping


def dump(mapping: table.Mapping) -> Document:
    """Return a mapping as a document; `parse` makes the same mapping of it."""
    return {
        "system": mapping.system,
        "fields": {
            kind: {meaning.value: name for meaning, name in names.items()}
            for kind, names in mapping.fields.items()
        },
        "deal_stages": {stage: deal.value for stage, deal in mapping.deal_stages.items()},
        "opt_out": [asdict(row) for row in mapping.opt_out],
        "dispositions": [
            {**_dump_conditions(row.deal, status=row.status), "disposition": row.disposition.value}
            for row in mapping.dispositions
        ],
        "slots": [_dump_slot(row) for row in mapping.slots],
        "outbound": [_dump_outbound(row) for row in mapping.outbound],
        "allow_backward": mapping.allow_backward,
        "push_opt_out": mapping.push_opt_out,
        "handoff": dump_handoff(mapping.handoff),
        **({"create": dump_creation(mapping.create)} if mapping.create else {}),
    }


def dump_yaml(mapping: table.Mapping) -> str:
    """Return a mapping as a YAML file."""
    return str(yaml.safe_dump(dump(mapping), sort_keys=False, allow_unicode=True))


def preset(system: str) -> table.Mapping:
    """Return the mapping that a connection to this CRM starts with."""
    folder = files("connector.mapping") / "presets"
    shipped = {file.name.removesuffix(".yaml"): file for file in folder.iterdir()}
    if system not in shipped:
        names = ", ".join(sorted(shipped))
        raise ConfigurationRefused([f"there is no preset for {system!r}: choose one of {names}"])
    return parse(load_yaml(shipped[system].read_text(encoding="utf-8")))


def check(lookup: Lookup) -> None:
    """Refuse a mapping that does not fit its pipeline or its portal, naming every fault."""
    faults = [
        *round_trip_faults(lookup),
        *slots.target_faults(lookup.pipeline, lookup.targets()),
        *outbound_faults(lookup),
        *handoff_faults(lookup),
    ]
    if faults:
        raise ConfigurationRefused(faults)


def _rows(
    parts: dict[str, Place], key: str, read: Callable[[Place], Row | None]
) -> tuple[Row, ...]:
    rows = [read(place) for place in (parts[key].items() if key in parts else [])]
    return tuple(row for row in rows if row is not None)


def _fields(place: Place) -> dict[str, dict[table.Meaning, str]]:
    fields = {}
    for kind, names in place.entries(_OBJECTS).items():
        known = [meaning.value for meaning in table.Meaning]
        own = {table.Meaning(key): name.text() for key, name in names.entries(known).items()}
        for name, count in Counter(own.values()).items():
            if name and (count > 1 or name.startswith("@")):
                names.refuse(f"{name!r} can't be the field of {count} meanings")
        fields[kind] = own
    return fields


def _deal_stages(place: Place) -> dict[str, table.Deal]:
    stages = place.value if isinstance(place.value, dict) else {}
    known = [key for key in stages if isinstance(key, str) and 0 < len(key) <= LONGEST_WORD]
    chosen = {key: one.choice(table.Deal) for key, one in place.entries(known).items()}
    return {key: deal for key, deal in chosen.items() if deal is not None}


def _opt_out(place: Place) -> table.OptOutRow | None:
    keys = ("field", "value", "channel")
    row = {key: part.text() for key, part in place.entries(keys, needed=keys).items()}
    return table.OptOutRow(**row) if len(row) == len(keys) else None


def _disposition(place: Place) -> table.DispositionRow | None:
    parts = place.entries(("disposition", "status", "deal"), needed=("disposition",))
    if ("status" in parts) is ("deal" in parts):
        place.refuse("needs either status or deal")
    status = parts["status"].words() if "status" in parts else frozenset()
    deal = parts["deal"].choice(table.Deal) if "deal" in parts else None
    if deal not in {None, table.Deal.LOST}:
        parts["deal"].refuse("only a lost deal is a disposition")
    name = parts["disposition"].choice(table.Disposition) if "disposition" in parts else None
    return table.DispositionRow(name, status, deal) if name else None


def _slot(place: Place) -> table.SlotRow:
    parts = place.entries((*_TARGETS, *_CONDITIONS))
    if not set(_CONDITIONS) & parts.keys():
        place.refuse(f"needs a condition: {', '.join(_CONDITIONS)}")
    return table.SlotRow(
        target=_target(place, parts),
        lifecycle=parts["lifecycle"].words(blank=True) if "lifecycle" in parts else frozenset(),
        status=parts["status"].words(blank=True) if "status" in parts else None,
        deal=parts["deal"].choice(table.Deal) if "deal" in parts else None,
        company=parts["company"].words() if "company" in parts else frozenset(),
    )


def _outbound(place: Place) -> table.OutboundRow | None:
    parts = place.entries((*_TARGETS, "lifecycle", "lead_status"))
    source = _target(place, parts)
    puts = [_put(parts[key]) if key in parts else None for key in ("lifecycle", "lead_status")]
    if "role" in parts and parts["role"].value == table.NO_MOVE:
        place.refuse("only a slot can write: name one")
    return None if source is None else table.OutboundRow(source, *puts)


def _put(place: Place) -> table.Put:
    parts = place.entries(("value", "mode"), needed=("value",))
    value = parts["value"].text() if "value" in parts else ""
    if "mode" not in parts or parts["mode"].value is False:  # YAML 1.1 reads a bare `off` as false
        return table.Put(value)
    return table.Put(value, parts["mode"].choice(table.Mode) or table.Mode.OFF)


def _target(place: Place, parts: dict[str, Place]) -> Role | Slot | None:
    """Read who is meant, by role or by number; the system's own slots can't be."""
    if ("role" in parts) is ("slot" in parts):
        place.refuse("needs either role or slot")
        return None
    if "slot" in parts:
        return parts["slot"].number(OPEN_TO_PEOPLE)
    roles = [role for slot, role in Pipeline().roles.items() if slot in OPEN_TO_PEOPLE]
    value = parts["role"].value
    if value != table.NO_MOVE and value not in roles:
        known = ", ".join([*roles, table.NO_MOVE])
        parts["role"].refuse(f"{shown(value)} is no role to name here: choose from {known}")
    return next((role for role in roles if role == value), None)


def _dump_conditions(deal: table.Deal | None, **words: Collection[str] | None) -> Document:
    lists = {key: sorted(group) for key, group in words.items() if group}
    return {**lists, **({"deal": deal.value} if deal else {})}


def _dump_slot(row: table.SlotRow) -> Document:
    words = {"lifecycle": row.lifecycle, "status": row.status, "company": row.company}
    return {**_dump_conditions(row.deal, **words), **_dump_target(row.target)}


def _dump_outbound(row: table.OutboundRow) -> Document:
    puts = {"lifecycle": row.lifecycle, "lead_status": row.lead_status}
    written = {key: {**asdict(put), "mode": put.mode.value} for key, put in puts.items() if put}
    return {**_dump_target(row.source), **written}


def _dump_target(target: Role | Slot | None) -> Document:
    if isinstance(target, Slot):
        return {"slot": target.value}
    return {"role": target.value if target else table.NO_MOVE}
