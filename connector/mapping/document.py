"""A mapping and a pipeline as plain documents: what YAML files, the API and the database hold.

Whoever writes one is told of every fault at once, each with its place in the document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from importlib.resources import files
from typing import TypeVar

import yaml

from connector.domain import slots
from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import OPEN_TO_PEOPLE, Funnel, Pipeline, Role, Slot
from connector.mapping import table
from connector.mapping.lookup import Lookup
from connector.mapping.plan import outbound_faults, round_trip_faults

Document = dict[str, object]
Row = TypeVar("Row")
Word = TypeVar("Word", bound=StrEnum)

LONGEST_TEXT = 100_000
LONGEST_LIST = 500
LONGEST_WORD = 500
_DEEPEST = 10
_OBJECTS = (*sorted(table.PEOPLE), "company", "account", "deal")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_TARGETS = ("role", "slot")
_CONDITIONS = ("lifecycle", "status", "deal", "company")
_TABLES = ("opt_out", "dispositions", "slots", "outbound")
_SWITCHES = ("allow_backward", "push_opt_out")


def parse(document: object) -> table.Mapping:
    """Read a mapping; refuse it with every fault named."""
    root = _Place(document, "mapping", [])
    parts = root.entries(("system", "fields", *_TABLES, *_SWITCHES), needed=("system", "fields"))
    mapping = table.Mapping(
        system=parts["system"].text() if "system" in parts else "",
        fields=_fields(parts["fields"]) if "fields" in parts else {},
        opt_out=_rows(parts, "opt_out", _opt_out),
        dispositions=_rows(parts, "dispositions", _disposition),
        slots=_rows(parts, "slots", _slot),
        outbound=_rows(parts, "outbound", _outbound),
        allow_backward="allow_backward" in parts and parts["allow_backward"].flag(),
        push_opt_out="push_opt_out" in parts and parts["push_opt_out"].flag(),
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
        "opt_out": [asdict(row) for row in mapping.opt_out],
        "dispositions": [
            {**_dump_conditions(row.deal, status=row.status), "disposition": row.disposition.value}
            for row in mapping.dispositions
        ],
        "slots": [_dump_slot(row) for row in mapping.slots],
        "outbound": [_dump_outbound(row) for row in mapping.outbound],
        "allow_backward": mapping.allow_backward,
        "push_opt_out": mapping.push_opt_out,
    }


def load_yaml(text: str) -> object:
    """Read YAML that a stranger may have written: no aliases, no depth, no key twice."""
    if len(text) > LONGEST_TEXT:
        raise ConfigurationRefused([f"the file is longer than {LONGEST_TEXT} characters"])
    try:
        document: object = _Strict(text).get_single_data()
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationRefused([f"not YAML: {' '.join(str(error).split())}"]) from error
    return document


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
    ]
    if faults:
        raise ConfigurationRefused(faults)


def parse_pipeline(document: object, now: Pipeline) -> Pipeline:
    """Read a pipeline, keeping of `now` what the document leaves out.

    Under another layout, labels still at their default and the funnel order follow the roles.
    """
    root = _Place(document, "pipeline", [])
    parts = root.entries(("layout", "labels", "funnel_order", "slots"))
    bare = Pipeline(parts["layout"].text() if "layout" in parts else now.layout)
    labels = {**_following(now, bare), **_given_labels(parts, now, bare)}
    funnel = _funnel(parts["funnel_order"]) if "funnel_order" in parts else ()
    same = tuple(bare.slot_of(now.roles[slot]) for slot in now.funnel)
    pipeline = Pipeline(bare.layout, labels, funnel or same)
    try:
        slots.check(pipeline)
    except ConfigurationRefused as error:
        root.faults.extend(error.faults)
    root.conclude()
    return pipeline


def dump_pipeline(pipeline: Pipeline) -> Document:
    """Return a pipeline as a document, each slot with its role beside its label."""
    return {
        "layout": pipeline.layout,
        "labels": {str(slot.value): pipeline.labels[slot] for slot in Slot},
        "funnel_order": [slot.value for slot in pipeline.funnel],
        "slots": [
            {
                "slot": slot.value,
                "label": pipeline.labels[slot],
                "role": pipeline.roles[slot].value,
                "locked": slot in slots.LOCKED,
                "empty": pipeline.is_empty(slot),
            }
            for slot in Slot
        ],
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """A value and where it stands in a document; its faults go on the document's list."""

    value: object
    name: str
    faults: list[str]

    def refuse(self, fault: str) -> None:
        self.faults.append(f"{self.name}: {fault}")

    def conclude(self) -> None:
        if self.faults:
            raise ConfigurationRefused(self.faults)

    def entries(self, known: Collection[str], needed: Collection[str] = ()) -> dict[str, _Place]:
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
            return {}
        for key in self.value:
            if key not in known:
                self.refuse(f"unknown key {_shown(key)}: choose from {', '.join(known)}")
        for key in needed:
            if key not in self.value:
                self.refuse(f"{key!r} is missing")
        prefix = "" if self.name in {"mapping", "pipeline"} else f"{self.name}."
        inside = {key: self.value[key] for key in known if key in self.value}
        return {key: replace(self, value=inside[key], name=f"{prefix}{key}") for key in inside}

    def items(self) -> list[_Place]:
        if not isinstance(self.value, list) or len(self.value) > LONGEST_LIST:
            self.refuse(f"must be a list of at most {LONGEST_LIST}")
            return []
        inside = enumerate(self.value)
        return [replace(self, value=value, name=f"{self.name}[{n}]") for n, value in inside]

    def text(self, *, blank: bool = False) -> str:
        if not isinstance(self.value, str):
            self.refuse("must be text: put it in quotes")
        elif len(self.value) > LONGEST_WORD or _UNPRINTABLE.search(self.value):
            self.refuse(f"must be at most {LONGEST_WORD} printable characters")
        elif not blank and not self.value.strip():
            self.refuse("must not be empty")
        else:
            return self.value
        return ""

    def words(self, *, blank: bool = False) -> frozenset[str]:
        words = frozenset(place.text(blank=blank) for place in self.items())
        if self.value == []:
            self.refuse("must not be empty: leave it out instead")
        return words

    def choice(self, words: type[Word]) -> Word | None:
        if isinstance(self.value, str) and self.value in list(words):
            return words(self.value)
        self.refuse(f"{_shown(self.value)} is unknown: choose from {', '.join(words)}")
        return None

    def number(self, known: Collection[Slot]) -> Slot | None:
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value in known:
            return Slot(self.value)
        numbers = ", ".join(str(slot.value) for slot in sorted(known))
        self.refuse(f"{_shown(self.value)} is no slot to name here: choose from {numbers}")
        return None

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.refuse("must be true or false")
        return self.value is True


def _shown(value: object) -> str:
    return f"{value!r:.60}" if isinstance(value, str | int | float | None) else "this"


def _rows(
    parts: dict[str, _Place], key: str, read: Callable[[_Place], Row | None]
) -> tuple[Row, ...]:
    rows = [read(place) for place in (parts[key].items() if key in parts else [])]
    return tuple(row for row in rows if row is not None)


def _fields(place: _Place) -> dict[str, dict[table.Meaning, str]]:
    fields = {}
    for kind, names in place.entries(_OBJECTS).items():
        known = [meaning.value for meaning in table.Meaning]
        own = {table.Meaning(key): name.text() for key, name in names.entries(known).items()}
        for name, count in Counter(own.values()).items():
            if name and (count > 1 or name.startswith("@")):
                names.refuse(f"{name!r} can't be the field of {count} meanings")
        fields[kind] = own
    return fields


def _opt_out(place: _Place) -> table.OptOutRow | None:
    keys = ("field", "value", "channel")
    row = {key: part.text() for key, part in place.entries(keys, needed=keys).items()}
    return table.OptOutRow(**row) if len(row) == len(keys) else None


def _disposition(place: _Place) -> table.DispositionRow | None:
    parts = place.entries(("disposition", "status", "deal"), needed=("disposition",))
    if ("status" in parts) is ("deal" in parts):
        place.refuse("needs either status or deal")
    status = parts["status"].words() if "status" in parts else frozenset()
    deal = parts["deal"].choice(table.Deal) if "deal" in parts else None
    if deal not in {None, table.Deal.LOST}:
        parts["deal"].refuse("only a lost deal is a disposition")
    name = parts["disposition"].choice(table.Disposition) if "disposition" in parts else None
    return table.DispositionRow(name, status, deal) if name else None


def _slot(place: _Place) -> table.SlotRow:
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


def _outbound(place: _Place) -> table.OutboundRow | None:
    parts = place.entries((*_TARGETS, "lifecycle", "lead_status"))
    source = _target(place, parts)
    puts = [_put(parts[key]) if key in parts else None for key in ("lifecycle", "lead_status")]
    if "role" in parts and parts["role"].value == table.NO_MOVE:
        place.refuse("only a slot can write: name one")
    return None if source is None else table.OutboundRow(source, *puts)


def _put(place: _Place) -> table.Put:
    parts = place.entries(("value", "mode"), needed=("value",))
    value = parts["value"].text() if "value" in parts else ""
    if "mode" not in parts or parts["mode"].value is False:  # YAML 1.1 reads a bare `off` as false
        return table.Put(value)
    return table.Put(value, parts["mode"].choice(table.Mode) or table.Mode.OFF)


def _target(place: _Place, parts: dict[str, _Place]) -> Role | Slot | None:
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
        parts["role"].refuse(f"{_shown(value)} is no role to name here: choose from {known}")
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


class _Strict(yaml.SafeLoader):
    """Refuses what lets a small file grow big, and keys that hide each other."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > _DEEPEST or self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(f"no aliases, and no more than {_DEEPEST} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        for key, count in Counter(str(key.value) for key, _ in pairs).items():
            if count > 1:
                raise yaml.MarkedYAMLError(f"{key!r} stands there {count} times")
        return node


def _following(now: Pipeline, bare: Pipeline) -> dict[Slot, str]:
    """Return the labels of `now`, those still at their layout's default as `bare` has them."""
    defaults = Pipeline(now.layout).labels
    return {
        slot: bare.labels[slot] if label == defaults[slot] else label
        for slot, label in now.labels.items()
    }


def _given_labels(parts: dict[str, _Place], now: Pipeline, bare: Pipeline) -> dict[Slot, str]:
    """Return the labels that a document gives; where its two lists differ, the edited one."""
    given: dict[Slot, str] = {}
    for slot, place in [*_numbered(parts), *_listed(parts, bare)]:
        label = place.text(blank=True)
        if given.get(slot, label) not in {label, now.labels[slot]} and label != now.labels[slot]:
            place.refuse("another label is given elsewhere")
        if slot not in given or label != now.labels[slot]:
            given[slot] = label
    return given


def _numbered(parts: dict[str, _Place]) -> Iterator[tuple[Slot, _Place]]:
    if "labels" not in parts:
        return
    numbers = {str(slot.value): slot for slot in Slot}
    labels = parts["labels"]
    if isinstance(labels.value, dict):  # YAML reads a bare 7 as a number
        labels = replace(labels, value={str(key): text for key, text in labels.value.items()})
    for key, place in labels.entries(numbers).items():
        yield numbers[key], place


def _listed(parts: dict[str, _Place], bare: Pipeline) -> Iterator[tuple[Slot, _Place]]:
    for row in parts["slots"].items() if "slots" in parts else []:
        own = row.entries(("slot", "label", "role", "locked", "empty"), needed=("slot",))
        slot = own["slot"].number(list(Slot)) if "slot" in own else None
        if slot and "role" in own and own["role"].value != bare.roles[slot]:
            own["role"].refuse(f"slot {slot.value} is {bare.roles[slot]} under this layout")
        if slot and "label" in own:
            yield slot, own["label"]


def _funnel(place: _Place) -> Funnel:
    found = [item.number(list(Slot)) for item in place.items()]
    if place.value == []:
        place.refuse("must not be empty")
    return tuple(slot for slot in found if slot is not None)
