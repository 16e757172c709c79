"""Writing values: what HubSpot refuses silently, what it derives, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import catalog, events
from .errors import invalid, invalid_values, problem
from .history import keys, put, would_regress
from .portal import SYSTEM
from .records import Record, Source, Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .portal import Portal

CONFLICT = 409
DEFAULT_VALUE = Source("PROPERTY_DEFAULT_VALUE", None)

# Create minimum (section 2.2): one of these, or for deals all of them.
MINIMUM = {
    "contacts": (any, ("email", "firstname", "lastname")),
    "companies": (any, ("name", "domain")),
    "deals": (all, ("dealname", "dealstage")),
    # developers.hubspot.com, "Activities | Tasks": hs_timestamp, the due date, is required.
    "tasks": (all, ("hs_timestamp",)),
}


def create(
    portal: Portal, kind: str, values: Mapping[str, str], source: Source, at: int | None = None
) -> Record:
    """Make a record of values that are already clean."""
    refuse_new(portal, kind, values)
    now = portal.now() if at is None else at
    record = Record(kind, portal.next_id(), now, [now])
    portal.stores[kind].add(record)
    events.created(portal, record, source, now)
    update(portal, record, values, source, now)
    _fill_defaults(portal, record, source, now)
    return record


def refuse_new(portal: Portal, kind: str, values: Mapping[str, str]) -> None:
    """Refuse clean values that make no record."""
    _require_minimum(kind, values)
    refuse_stage(portal, kind, values, None)
    refuse_duplicates(portal, kind, values, None)


def update(
    portal: Portal,
    record: Record,
    values: Mapping[str, str],
    source: Source,
    at: int | None = None,
) -> None:
    """Write clean values; an API write always moves the modified time (section 3)."""
    refuse_stage(portal, record.kind, values, record)
    refuse_duplicates(portal, record.kind, values, record)
    now = portal.now() if at is None else at
    for name, value in values.items():
        applied = not would_regress(portal, record, name, value, source)
        if applied and record.value(name) != value:
            _clear_first(portal, record, name, value, source, now)
            put(portal, record, name, value, source, now)
        if source.is_api:
            _log(portal, record, Version(value, now, source), name, applied=applied)
    record.touch(now)


def refuse_duplicates(
    portal: Portal, kind: str, values: Mapping[str, str], own: Record | None
) -> None:
    """Refuse a value that another record owns: 409 with the owner's id (section 2.2)."""
    for name, value in values.items():
        for key in keys(portal, kind, name, value):
            owner = portal.by_key(kind, *key)
            if owner is None or owner is own:
                continue
            if key[0] == "email":
                message = f"Contact already exists. Existing ID: {owner.id}"
                raise problem(409, "CONFLICT", message)
            status = portal.config.unique_conflict_status
            category = "CONFLICT" if status == CONFLICT else "VALIDATION_ERROR"
            message = f"{name} already has the value {value}. Existing ID: {owner.id}"
            raise problem(status, category, message, subCategory="CONFLICTING_UNIQUE_VALUE")


def refuse_stage(portal: Portal, kind: str, values: Mapping[str, str], own: Record | None) -> None:
    """Refuse a deal stage that its pipeline does not have; no pipeline means the default one.

    developers.hubspot.com, "CRM API | Deals": a stage belongs to one pipeline.
    """
    stage = values.get("dealstage")
    if kind != "deals" or not stage:
        return
    pipeline = values.get("pipeline") or (own.value("pipeline") if own else "") or "default"
    if stage not in portal.deal_stages(pipeline):
        message = f"{stage} is not a stage of pipeline {pipeline}"
        raise invalid_values([{"name": "dealstage", "code": "INVALID_OPTION", "message": message}])


def _require_minimum(kind: str, values: Mapping[str, str]) -> None:
    enough, names = MINIMUM.get(kind, (all, ()))
    if not enough(bool(values.get(name)) for name in names):
        word = "one" if enough is any else "all"
        raise invalid(f"Error creating {kind}: {word} of {', '.join(names)} must be set")


def _fill_defaults(portal: Portal, record: Record, source: Source, at: int) -> None:
    stage = portal.config.default_lifecycle
    if record.kind == "contacts" and stage and not record.value("lifecyclestage"):
        put(portal, record, "lifecyclestage", stage, DEFAULT_VALUE, at)
    if record.kind == "deals" and not record.value("pipeline"):
        put(portal, record, "pipeline", "default", DEFAULT_VALUE, at)
    if record.kind in {"contacts", "companies", "deals"}:
        put(portal, record, "hs_object_source", source.kind, SYSTEM, at)
        put(portal, record, "hs_object_source_id", source.id or "", SYSTEM, at)
        put(portal, record, "hs_object_source_label", source.label or source.kind, SYSTEM, at)


def _clear_first(
    portal: Portal, record: Record, name: str, value: str, source: Source, at: int
) -> None:
    if not portal.config.ui_back_clears_first or source.kind != "CRM_UI":
        return
    if would_regress(portal, record, name, value, source._replace(kind="API")):
        put(portal, record, name, "", source, at)


def _log(portal: Portal, record: Record, version: Version, name: str, *, applied: bool) -> None:
    portal.writes.append(
        {
            "object": record.kind,
            "id": str(record.id),
            "property": name,
            "value": version.value,
            "at": version.at,
            "app_id": version.source.id,
            "applied": applied,
        }
    )


def modified_name(kind: str) -> str:
    """Return the name of the modified time: contacts have their own (section 2.2)."""
    return catalog.OBJECT_TYPES[kind].modified
