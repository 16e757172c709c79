"""A pipeline as a plain document: what YAML files, the API and the database hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connector.domain import slots
from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import Funnel, Pipeline, Slot
from connector.mapping.places import Place

Document = dict[str, object]


def parse_pipeline(document: object, now: Pipeline) -> Pipeline:
    """Read a pipeline, keeping of `now` what the document leaves out.

    Under another layout, labels still at their default and the funnel order follow the roles.
    """
    root = Place(document, "pipeline", [])
    parts = root.entries(("layout", "labels", "funnel_order", "masters", "slots"))
    bare = Pipeline(parts["layout"].text() if "layout" in parts else now.layout)
    labels = {**_following(now, bare), **_given_labels(parts, now, bare)}
    funnel = _funnel(parts["funnel_order"]) if "funnel_order" in parts else ()
    same = tuple(bare.slot_of(now.roles[slot]) for slot in now.funnel)
    masters = _masters(parts["masters"]) if "masters" in parts else now.masters
    pipeline = Pipeline(bare.layout, labels, funnel or same, masters)
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
        "masters": {str(slot.value): name for slot, name in sorted(pipeline.masters.items())},
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


def _following(now: Pipeline, bare: Pipeline) -> dict[Slot, str]:
    """Return the labels of `now`, those still at their layout's default as `bare` has them."""
    defaults = Pipeline(now.layout).labels
    return {
        slot: bare.labels[slot] if label == defaults[slot] else label
        for slot, label in now.labels.items()
    }


def _given_labels(parts: dict[str, Place], now: Pipeline, bare: Pipeline) -> dict[Slot, str]:
    """Return the labels that a document gives; where its two lists differ, the edited one."""
    given: dict[Slot, str] = {}
    numbered = _numbered(parts["labels"]) if "labels" in parts else ()
    for slot, place in [*numbered, *_listed(parts, bare)]:
        label = place.text(blank=True)
        if given.get(slot, label) not in {label, now.labels[slot]} and label != now.labels[slot]:
            place.refuse("another label is given elsewhere")
        if slot not in given or label != now.labels[slot]:
            given[slot] = label
    return given


def _numbered(place: Place, known: Iterable[Slot] = Slot) -> Iterator[tuple[Slot, Place]]:
    numbers = {str(slot.value): slot for slot in known}
    if isinstance(place.value, dict):  # YAML reads a bare 7 as a number
        place = replace(place, value={str(key): text for key, text in place.value.items()})
    for key, own in place.entries(numbers).items():
        yield numbers[key], own


def _masters(place: Place) -> dict[Slot, str]:
    """Read which CRM is master of a slot; only where people may be put there is one needed."""
    return {slot: own.text() for slot, own in _numbered(place, sorted(slots.OPEN_TO_PEOPLE))}


def _listed(parts: dict[str, Place], bare: Pipeline) -> Iterator[tuple[Slot, Place]]:
    for row in parts["slots"].items() if "slots" in parts else []:
        own = row.entries(("slot", "label", "role", "locked", "empty"), needed=("slot",))
        slot = own["slot"].number(list(Slot)) if "slot" in own else None
        if slot and "role" in own and own["role"].value != bare.roles[slot]:
            own["role"].refuse(f"slot {slot.value} is {bare.roles[slot]} under this layout")
        if slot and "label" in own:
            yield slot, own["label"]


def _funnel(place: Place) -> Funnel:
    found = [item.number(list(Slot)) for item in place.items()]
    if place.value == []:
        place.refuse("must not be empty")
    return tuple(slot for slot in found if slot is not None)
