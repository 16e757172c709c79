"""What a connection hands to sales, and when: each switch is off until an admin turns it on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter


@dataclass(frozen=True, slots=True)
class AssignOwner:
    """On entering MQL a record without an owner gets the next of these; off: the CRM decides."""

    enabled: bool = False
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResetStatus:
    """On entering MQL the lead status becomes this value."""

    enabled: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class CreateDeal:
    """When a rep sets one of these lead statuses: the SQL stage, then one deal.

    `name` may quote fields of the record: `{company} {lastname}`. `fields` are what the portal
    wants of a deal besides.
    """

    enabled: bool = False
    status: tuple[str, ...] = ()
    pipeline: str = ""
    stage: str = ""
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UntouchedTask:
    """A task for the owner where nobody touched a record for so long after it entered MQL.

    `activity` are the fields in which the CRM keeps when somebody last did something.
    """

    enabled: bool = False
    hours: int = 24
    subject: str = ""
    activity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recycle:
    """Bad timing goes back to slot 3 on the date in a field, or so many days after the answer."""

    enabled: bool = False
    field: str = ""
    after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """All switches of one connection."""

    assign_owner: AssignOwner = AssignOwner()
    reset_status: ResetStatus = ResetStatus()
    create_deal: CreateDeal = CreateDeal()
    untouched_task: UntouchedTask = UntouchedTask()
    recycle: Recycle = Recycle()

    @property
    def is_off(self) -> bool:
        """Say whether nothing is switched on."""
        switches = (self.assign_owner, self.reset_status, self.create_deal)
        return not any(one.enabled for one in (*switches, self.untouched_task, self.recycle))


def quoted(template: str) -> list[str]:
    """Return the fields that a template quotes; raise ValueError where it makes no sense."""
    return list(dict.fromkeys(_quoted(template)))


def _quoted(template: str) -> Iterator[str]:
    for _, name, form, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(name)
        yield name


def filled(template: str, values: Mapping[str, str], otherwise: str) -> str:
    """Return a template with a record's values, `otherwise` where nothing but blanks is left."""
    known = {name: values.get(name, "") for name in quoted(template)}
    words = template.format_map(known).split()
    said = any(known.values()) or not known
    return " ".join(words) if words and said else otherwise


def next_owner(owners: Collection[str], last: str, present: Collection[str]) -> str | None:
    """Return whose turn it is after `last`, passing over who is absent; None if all are."""
    line = list(owners)
    place = line.index(last) + 1 if last in line else 0
    return next((one for one in line[place:] + line[:place] if one in present), None)
