"""The ten slots, what each is for, and an account's own labels and funnel order.

A slot's number is an address, not a rank: "forward" and "furthest" always mean funnel order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cache
from types import MappingProxyType

from connector.domain.errors import ConfigurationRefused


class Slot(IntEnum):
    """An address in the pipeline; 4 to 7 are named by number because a layout gives their role."""

    ANONYMOUS = 1
    INCENTIVIZED = 2
    QUALIFIED = 3
    FOURTH = 4
    FIFTH = 5
    SIXTH = 6
    SEVENTH = 7
    CUSTOMER = 8
    POST_SALE = 9
    DO_NOT_CONTACT = 10


class Role(StrEnum):
    """What a slot is for; mappings name roles so that they follow the layout."""

    ANONYMOUS = "anonymous"
    INCENTIVIZED = "incentivized"
    QUALIFIED = "qualified"
    SQL = "sql"
    SAL = "sal"
    MQL = "mql"
    CUSTOM = "custom"
    SUCCESS = "success"
    POST_SALE = "post_sale"
    SUPPRESSED = "suppressed"


UNKNOWN = frozenset({Slot.ANONYMOUS, Slot.INCENTIVIZED})
SETTLED = frozenset({Slot.CUSTOMER, Slot.POST_SALE})
OPEN_TO_PEOPLE = frozenset(Slot) - UNKNOWN - {Slot.DO_NOT_CONTACT}
OPEN_TO_RULES = frozenset({Slot.FOURTH, Slot.FIFTH, Slot.SIXTH, Slot.SEVENTH})
LEVER_SLOTS = OPEN_TO_PEOPLE - {Slot.QUALIFIED}
LOCKED = UNKNOWN | {Slot.DO_NOT_CONTACT}
MAY_BE_EMPTY = frozenset({Slot.SEVENTH, Slot.POST_SALE})

_FIXED_ROLES: Mapping[Slot, Role] = {
    Slot.ANONYMOUS: Role.ANONYMOUS,
    Slot.INCENTIVIZED: Role.INCENTIVIZED,
    Slot.QUALIFIED: Role.QUALIFIED,
    Slot.SEVENTH: Role.CUSTOM,
    Slot.CUSTOMER: Role.SUCCESS,
    Slot.POST_SALE: Role.POST_SALE,
    Slot.DO_NOT_CONTACT: Role.SUPPRESSED,
}
_MIDDLE = (Slot.FOURTH, Slot.FIFTH, Slot.SIXTH)
# The default, and the platform's two later layouts.
LAYOUTS: Mapping[str, tuple[Role, Role, Role]] = {
    "sql-sal-mql": (Role.SQL, Role.SAL, Role.MQL),
    "mql-sql-sal": (Role.MQL, Role.SQL, Role.SAL),
    "mql-sal-sql": (Role.MQL, Role.SAL, Role.SQL),
}
DEFAULT_LAYOUT = "sql-sal-mql"
_FUNNEL_BY_ROLE = (
    Role.ANONYMOUS,
    Role.INCENTIVIZED,
    Role.QUALIFIED,
    Role.MQL,
    Role.SAL,
    Role.SQL,
    Role.CUSTOM,
    Role.SUCCESS,
    Role.POST_SALE,
)
_LABEL_BY_ROLE: Mapping[Role, str] = {
    Role.ANONYMOUS: "Anonymous",
    Role.INCENTIVIZED: "Incentivized",
    Role.QUALIFIED: "Qualified Lead",
    Role.SQL: "SQL",
    Role.SAL: "SAL",
    Role.MQL: "MQL",
    Role.CUSTOM: "",
    Role.SUCCESS: "Customer",
    Role.POST_SALE: "",
    Role.SUPPRESSED: "Do Not Contact",
}
LONGEST_LABEL = 60

Funnel = tuple[Slot, ...]


def rank(funnel: Funnel, slot: Slot) -> int:
    """Return the place of a slot in funnel order; slot 10 stands outside it."""
    return funnel.index(slot)


def is_forward(funnel: Funnel, start: Slot, goal: Slot) -> bool:
    """Say whether `goal` lies further down the funnel than `start`."""
    return rank(funnel, goal) > rank(funnel, start)


def furthest(funnel: Funnel, slots: Iterable[Slot]) -> Slot:
    """Return the slot that is furthest down the funnel."""
    return max(slots, key=funnel.index)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An account's pipeline: a layout, its labels and its funnel order.

    With two CRMs, `masters` names for a slot the one CRM (or connection) that may put people there.
    """

    layout: str = DEFAULT_LAYOUT
    labels: Mapping[Slot, str] = field(default_factory=dict)
    funnel: Funnel = ()
    masters: Mapping[Slot, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what the layout decides."""
        own = {Slot(slot): label for slot, label in self.labels.items()}
        defaults = {slot: _LABEL_BY_ROLE[role] for slot, role in self.roles.items()}
        object.__setattr__(self, "labels", {**defaults, **own})
        if not self.funnel:
            object.__setattr__(self, "funnel", tuple(map(self.slot_of, _FUNNEL_BY_ROLE)))

    @property
    def roles(self) -> Mapping[Slot, Role]:
        """The role of each slot under this layout."""
        return _roles_of(self.layout)

    def slot_of(self, role: Role) -> Slot:
        """Return the slot that plays a role."""
        return next(slot for slot, own in self.roles.items() if own is role)

    def is_empty(self, slot: Slot) -> bool:
        """Say whether a slot has no label, so that nothing may be put there."""
        return not self.labels[slot].strip()

    def option_label(self, slot: Slot) -> str:
        """Return the label to show in a CRM's picklist, where none may be blank."""
        return self.labels[slot].strip() or f"Slot {slot.value}"


@cache
def _roles_of(layout: str) -> Mapping[Slot, Role]:
    middle = dict(zip(_MIDDLE, LAYOUTS.get(layout, LAYOUTS[DEFAULT_LAYOUT]), strict=True))
    return MappingProxyType({slot: _FIXED_ROLES.get(slot) or middle[slot] for slot in Slot})


def check(pipeline: Pipeline, targets: Iterable[Slot] = ()) -> None:
    """Refuse a pipeline that breaks the rules of the slots, naming every fault.

    `targets` are the slots that mappings and rules send profiles to.
    """
    faults = [
        *_layout_faults(pipeline),
        *_label_faults(pipeline),
        *_funnel_faults(pipeline.funnel),
        *target_faults(pipeline, targets),
    ]
    if faults:
        raise ConfigurationRefused(faults)


def target_faults(pipeline: Pipeline, targets: Iterable[Slot]) -> list[str]:
    """Name the targets that have no label."""
    return [
        f"slot {slot.value} has no label, so it can't be a target: name it first"
        for slot in sorted(set(targets))
        if pipeline.is_empty(slot)
    ]


def _layout_faults(pipeline: Pipeline) -> list[str]:
    if pipeline.layout in LAYOUTS:
        return []
    return [f"layout {pipeline.layout!r} is unknown: choose one of {', '.join(LAYOUTS)}"]


def _label_faults(pipeline: Pipeline) -> list[str]:
    faults = []
    roles = pipeline.roles
    for slot, label in pipeline.labels.items():
        if slot in LOCKED and label != _LABEL_BY_ROLE[roles[slot]]:
            faults.append(f"slot {slot.value} is locked: its label can't be changed")
        if not label.strip() and slot not in MAY_BE_EMPTY:
            faults.append(f"slot {slot.value} needs a label")
        if len(label) > LONGEST_LABEL or not label.isprintable():
            faults.append(f"slot {slot.value}: a label is at most 60 printable characters")
    shown = [label.strip().casefold() for label in pipeline.labels.values() if label.strip()]
    faults += [f"two slots are called {label!r}" for label in _doubles(shown)]
    return faults


def _doubles(words: Sequence[str]) -> list[str]:
    return sorted({word for word in words if words.count(word) > 1})


def _funnel_faults(funnel: Sequence[int]) -> list[str]:
    if sorted(funnel) == list(range(1, 10)):
        return []
    return ["the funnel order must hold each slot from 1 to 9 exactly once"]
