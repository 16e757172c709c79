"""The hand-off's switches as a part of a mapping document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from connector.domain.slots import Role
from connector.mapping.handoff import (
    AssignOwner,
    CreateDeal,
    Handoff,
    Recycle,
    ResetStatus,
    UntouchedTask,
    quoted,
)
from connector.mapping.lookup import Lookup, Words
from connector.mapping.places import LONGEST_WORD, Place, shown
from connector.mapping.plan import row_for
from connector.mapping.table import PEOPLE, Deal, Meaning, plain

MOST_HOURS, MOST_DAYS = 720, 730
_SWITCHES = ("assign_owner", "reset_status", "create_deal", "untouched_task", "recycle")
Parts = dict[str, Place]


def parse_handoff(place: Place) -> Handoff:
    """Read the switches; what is left out is off. Every fault is named in its place."""
    parts = place.entries(_SWITCHES)
    return Handoff(
        assign_owner=_assign_owner(parts),
        reset_status=_reset_status(parts),
        create_deal=_create_deal(parts),
        untouched_task=_untouched_task(parts),
        recycle=_recycle(parts),
    )


def dump_handoff(handoff: Handoff) -> dict[str, object]:
    """Return the switches as a document; `parse_handoff` makes the same of it."""
    document: dict[str, dict[str, object]] = asdict(handoff)
    return {
        name: {key: list(own) if isinstance(own, tuple) else own for key, own in switch.items()}
        for name, switch in document.items()
    }


def handoff_faults(lookup: Lookup) -> list[str]:
    """Name what would not fit the portal or its mapping; what is off may be unfinished."""
    handoff = lookup.mapping.handoff
    faults: list[str] = []
    if handoff.reset_status.enabled:
        faults += _status_faults(lookup, handoff.reset_status.value)
    if handoff.create_deal.enabled:
        faults += _deal_faults(lookup, handoff.create_deal)
    if handoff.assign_owner.enabled and not _named(lookup, Meaning.OWNER):
        faults.append("handoff.assign_owner: no field is named for the owner")
    return faults


def _assign_owner(parts: Parts) -> AssignOwner:
    own, enabled = _open(parts, "assign_owner", ("owners",))
    owners = _texts(own.get("owners"))
    if len(set(owners)) != len(owners):
        own["owners"].refuse("names somebody twice")
    for one in owners:
        if "@" in one:
            own["owners"].refuse(f"{shown(one)} is an address: name the owner's id in the CRM")
    if enabled and not owners:
        parts["assign_owner"].refuse("needs owners: the ids of those who take turns")
    return AssignOwner(enabled, owners)


def _reset_status(parts: Parts) -> ResetStatus:
    own, enabled = _open(parts, "reset_status", ("value",))
    value = _text(own.get("value"))
    if enabled and not value:
        parts["reset_status"].refuse("needs a value: the lead status of a new lead")
    return ResetStatus(enabled, value)


def _create_deal(parts: Parts) -> CreateDeal:
    own, enabled = _open(parts, "create_deal", ("status", "pipeline", "stage", "name", "fields"))
    made = CreateDeal(
        enabled,
        _texts(own.get("status")),
        _text(own.get("pipeline")),
        _text(own.get("stage")),
        _template(own.get("name")),
        _fields(own.get("fields")),
    )
    for key in ("status", "pipeline", "stage", "name"):
        if enabled and not getattr(made, key):
            parts["create_deal"].refuse(f"needs {key}")
    return made


def _untouched_task(parts: Parts) -> UntouchedTask:
    own, enabled = _open(parts, "untouched_task", ("hours", "subject", "activity"))
    hours = _whole(own.get("hours"), MOST_HOURS)
    subject = _template(own.get("subject"))
    if enabled and not subject:
        parts["untouched_task"].refuse("needs a subject")
    return UntouchedTask(enabled, hours or 24, subject, _texts(own.get("activity")))


def _recycle(parts: Parts) -> Recycle:
    own, enabled = _open(parts, "recycle", ("field", "after_days"))
    made = Recycle(enabled, _text(own.get("field")), _whole(own.get("after_days"), MOST_DAYS))
    if enabled and not made.field and made.after_days is None:
        parts["recycle"].refuse("needs a field that holds the date, or after_days")
    return made


def _open(parts: Parts, name: str, keys: tuple[str, ...]) -> tuple[Parts, bool]:
    """Return the parts of a switch, and whether it is on."""
    own = parts[name].entries(("enabled", *keys)) if name in parts else {}
    return own, "enabled" in own and own["enabled"].flag()


def _text(place: Place | None) -> str:
    return place.text(blank=True) if place else ""


def _texts(place: Place | None) -> tuple[str, ...]:
    return tuple(one.text() for one in place.items()) if place else ()


def _template(place: Place | None) -> str:
    text = _text(place)
    try:
        quoted(text)
    except ValueError:
        if place:
            place.refuse("quotes a field as {field}, and nothing else stands in braces")
        return ""
    return text


def _whole(place: Place | None, most: int) -> int | None:
    if place is None or place.value is None:
        return None
    value = place.value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    place.refuse(f"must be a whole number from 1 to {most}")
    return None


def _fields(place: Place | None) -> dict[str, str]:
    stated = place.value if place and isinstance(place.value, dict) else {}
    known = [key for key in stated if isinstance(key, str) and 0 < len(key) <= LONGEST_WORD]
    return {key: own.text() for key, own in place.entries(known).items()} if place else {}


def _named(lookup: Lookup, meaning: Meaning) -> list[tuple[str, str]]:
    """Return the people's objects that name a field for a meaning, with its name."""
    names = [(kind, lookup.mapping.name_of(kind, meaning)) for kind in sorted(PEOPLE)]
    return [(kind, name) for kind, name in names if name]


def _status_faults(lookup: Lookup, value: str) -> Iterator[str]:
    """Name what a new lead's status may not be: unknown, a disposition, another slot's."""
    named = _named(lookup, Meaning.LEAD_STATUS)
    if not named:
        yield "handoff.reset_status: no field is named for the lead status"
    for kind, name in named:
        options = lookup.vocabulary.order(kind, name)
        if options and value not in options:
            yield f"handoff.reset_status: {name} of a {kind} does not offer {value!r}"
        if lookup.disposition(value, (), kind):
            yield f"handoff.reset_status: {value!r} is a disposition"
    mql = lookup.address(Role.MQL)
    stages = {stage for row in lookup.mapping.slots for stage in row.lifecycle}
    plain_stages = {stage for stage in stages if lookup.slot(Words(stage, "")) is mql}
    backs = {lookup.slot(Words(stage, value)) for stage in plain_stages} - {mql, None}
    yield from (
        f"handoff.reset_status: {value!r} reads back as slot {slot.value}"
        for slot in sorted(back for back in backs if back)
    )


def _deal_faults(lookup: Lookup, deal: CreateDeal) -> Iterator[str]:
    stages = lookup.vocabulary.deal_stages
    if stages and deal.stage not in stages:
        yield f"handoff.create_deal: the CRM has no deal stage {deal.stage!r}"
    elif lookup.deal(deal.stage) is not Deal.OPEN:
        yield f"handoff.create_deal: a deal in stage {deal.stage!r} is not open"
    for kind, name in _named(lookup, Meaning.LEAD_STATUS):
        options = lookup.vocabulary.options.get(kind, {}).get(name, {})
        offered = {plain(word) for pair in options.items() for word in pair}
        for status in deal.status:
            if offered and plain(status) not in offered:
                yield f"handoff.create_deal: {name} of a {kind} does not offer {status!r}"


def sql_stage(lookup: Lookup) -> str:
    """Return the lifecycle stage that means SQL in this CRM, "" where no outbound row names it."""
    row = row_for(lookup.address(Role.SQL), lookup)
    return row.lifecycle.value if row and row.lifecycle else ""
