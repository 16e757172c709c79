"""The mapping of one connection as data: which CRM words mean which slot, and back.

Three inbound tables, evaluated independently, first match wins inside each: opt-outs, lead status
to disposition, and (lifecycle stage, lead status, deals) to slot.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from connector.domain.slots import Role, Slot
from connector.mapping.creation import Creation
from connector.mapping.handoff import Handoff


class Meaning(StrEnum):
    """What a CRM field is to us; a connection names the field behind each, per object."""

    LIFECYCLE = "lifecycle"
    LEAD_STATUS = "lead_status"
    EMAIL = "email"
    OWNER = "owner"
    OPT_OUT = "opt_out"
    LEVER = "lever"
    CUSTOMER_SINCE = "customer_since"
    DEAL_STAGE = "deal_stage"


class Disposition(StrEnum):
    """A sales outcome that is not a slot."""

    BAD_NUMBER = "bad_number"
    BAD_TIMING = "bad_timing"
    EXISTING_OPPORTUNITY = "existing_opportunity"
    UNQUALIFIED = "unqualified"
    LOST = "lost"


class Deal(StrEnum):
    """How a deal stands."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


class Mode(StrEnum):
    """Whether a slot writes a CRM field."""

    OFF = "off"
    IF_UNCHANGED = "if_unchanged"


NO_MOVE = "none"
PEOPLE = frozenset({"contact", "lead"})
COMPANIES = frozenset({"company", "account"})


@dataclass(frozen=True, slots=True)
class OptOutRow:
    """A field's value that means: do not contact on this channel."""

    field: str
    value: str
    channel: str


@dataclass(frozen=True, slots=True)
class DispositionRow:
    """Lead statuses (value or label), or a deal's outcome, that mean a disposition."""

    disposition: Disposition
    status: frozenset[str] = frozenset()
    deal: Deal | None = None


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A combination of CRM words that means a slot; an empty condition fits anything.

    `status` holds "" for an empty lead status; None fits any. `target` None means: no move.
    """

    target: Role | Slot | None
    lifecycle: frozenset[str] = frozenset()
    status: frozenset[str] | None = None
    deal: Deal | None = None
    company: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Put:
    """A value to write when a profile comes to a slot."""

    value: str
    mode: Mode = Mode.OFF


@dataclass(frozen=True, slots=True)
class OutboundRow:
    """What a slot writes to the CRM's two fields."""

    source: Role | Slot
    lifecycle: Put | None = None
    lead_status: Put | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """All of one connection's mapping.

    `fields`: object -> meaning -> the CRM's field name. `deal_stages`: what stages mean where
    the CRM has not told.
    """

    system: str
    fields: Map[str, Map[Meaning, str]]
    deal_stages: Map[str, Deal] = field(default_factory=dict)
    opt_out: tuple[OptOutRow, ...] = ()
    dispositions: tuple[DispositionRow, ...] = ()
    slots: tuple[SlotRow, ...] = ()
    outbound: tuple[OutboundRow, ...] = ()
    allow_backward: bool = False
    push_opt_out: bool = False
    handoff: Handoff = field(default_factory=Handoff)
    create: Creation | None = None
    _meanings: Map[tuple[str, str], Meaning] = field(init=False, repr=False, compare=False)
    _opt_outs: Map[str, list[OptOutRow]] = field(init=False, repr=False, compare=False)
    _names: Map[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Turn the fields around: every fact that comes in asks what its field means."""
        pairs = [(kind, own.items()) for kind, own in self.fields.items()]
        turned = {(kind, name): meaning for kind, own in pairs for meaning, name in own}
        object.__setattr__(self, "_meanings", turned)
        kinds = PEOPLE | self.fields.keys()
        object.__setattr__(self, "_opt_outs", {kind: self._opt_outs_of(kind) for kind in kinds})
        object.__setattr__(self, "_names", {kind: self._names_of(kind) for kind in kinds})

    def name_of(self, kind: str, meaning: Meaning) -> str:
        """Return the CRM's name of a field, "" where the object has none."""
        return self.fields.get(kind, {}).get(meaning, "")

    def meaning_of(self, kind: str, name: str) -> Meaning | None:
        """Return what a CRM field is to us."""
        return self._meanings.get((kind, name))

    def opt_out_rows(self, kind: str = "contact") -> list[OptOutRow]:
        """Return the opt-out rows with the CRM's own field names on an object."""
        return self._opt_outs.get(kind) or self._opt_outs_of(kind)

    def _opt_outs_of(self, kind: str) -> list[OptOutRow]:
        own = {str(meaning): name for meaning, name in self.fields.get(kind, {}).items()}
        return [OptOutRow(own.get(r.field, r.field), r.value, r.channel) for r in self.opt_out]

    def names(self, kind: str) -> list[str]:
        """Return the CRM's names of all fields we follow on an object."""
        return self._names.get(kind, [])

    def _names_of(self, kind: str) -> list[str]:
        own = set(self.fields.get(kind, {}).values())
        if kind in PEOPLE:
            own |= {row.field for row in self.opt_out_rows(kind)}
        return sorted(own)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a portal or org has: option labels by object and field, in its own order, and deals.

    `options`: object -> field -> {value: label}, ordered. `deal_stages`: stage -> outcome.
    `names`: object -> the fields that it has; an object that is not there was not read.
    """

    options: Map[str, Map[str, Map[str, str]]] = field(default_factory=dict)
    deal_stages: Map[str, Deal] = field(default_factory=dict)
    names: Map[str, frozenset[str]] = field(default_factory=dict)

    def label(self, kind: str, name: str, value: str) -> str:
        """Return an option's label, the value itself where there is none."""
        return self.options.get(kind, {}).get(name, {}).get(value, value)

    def order(self, kind: str, name: str) -> list[str]:
        """Return a field's option values in the CRM's order."""
        return list(self.options.get(kind, {}).get(name, {}))


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """Fold case, spaces and underscores, so that words compare as people read them."""
    return "".join(word.casefold().replace("_", " ").split())
