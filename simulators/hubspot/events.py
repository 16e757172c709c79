"""Webhook events: which change becomes which event, in the reference's field names (1.2)."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING

from . import catalog
from .shapes import to_ms

if TYPE_CHECKING:
    from .portal import Portal
    from .records import Record, Source
    from .shapes import Json

EVENT_OBJECTS = ("contacts", "companies", "deals")
"""Types that have classic events; the others only have object.* events."""

# "Not subscribable" (section 1.2).
NEVER = {"num_unique_conversion_events", "hs_lastmodifieddate", "lastmodifieddate"}


def created(portal: Portal, record: Record, source: Source, at: int) -> None:
    """Tell of a new record; changeFlag has been seen as CREATED and as NEW (section 1.2)."""
    flag = "CREATED" if source.is_api else "NEW"
    _tell(portal, record, "creation", source, at, {"changeFlag": flag})


def deleted(portal: Portal, record: Record, source: Source, at: int) -> None:
    """Tell of an archived or erased record."""
    _tell(portal, record, "deletion", source, at, {"changeFlag": "DELETED"})


def restored(portal: Portal, record: Record, source: Source, at: int) -> None:
    """Tell of a record brought back."""
    _tell(portal, record, "restore", source, at, {})


def erased(portal: Portal, record: Record, source: Source, at: int) -> None:
    """Tell of a privacy deletion, and of the deletion that also fires (section 1.2)."""
    _tell(portal, record, "privacyDeletion", source, at, {})
    deleted(portal, record, source, at)


def changed(portal: Portal, record: Record, name: str, source: Source, at: int) -> None:
    """Tell of a new value of a property, the empty string when it was cleared."""
    if not subscribable(portal, record.kind, name):
        return
    value = _told(portal, record, name)
    _tell(
        portal, record, "propertyChange", source, at, {"propertyName": name, "propertyValue": value}
    )


def merged(
    portal: Portal, primary: int, loser: int, survivor: Record, moved: int, source: Source
) -> None:
    """Tell of a merge; newObjectId may be a third id (section 1.2)."""
    more = {
        "primaryObjectId": primary,
        "mergedObjectIds": [loser],
        "newObjectId": survivor.id,
        "numberOfPropertiesMoved": moved,
    }
    _tell(portal, survivor, "merge", source, portal.now(), more)


def linked(
    portal: Portal, start: Record, end: Record, source: Source, *, primary: bool, removed: bool
) -> None:
    """Tell of an association; a primary one also makes the plain one, so two (section 1.2)."""
    for is_primary in (False, True) if primary else (False,):
        for one, other in ((start, end), (end, start)):
            names = [catalog.OBJECT_TYPES[each.kind].singular for each in (one, other)]
            more = {
                "associationType": "_TO_".join(names).upper(),
                "fromObjectId": one.id,
                "toObjectId": other.id,
                "associationRemoved": removed,
                "isPrimaryAssociation": is_primary,
            }
            _tell(portal, one, "associationChange", source, portal.now(), more)


def subscribable(portal: Portal, kind: str, name: str) -> bool:
    """Say whether changes of a property are sent: by default all that people can edit."""
    chosen = portal.config.event_properties
    if name in NEVER:
        return False
    if chosen is not None:
        return name in chosen.get(kind, [])
    found = portal.property(kind, name)
    if found is None:
        return False
    return name == "hs_email_optout" or not found["modificationMetadata"]["readOnlyValue"]


def subscription_id(name: str, property_name: str = "") -> int:
    """Return a number that stays the same for one subscription."""
    return 100_000 + zlib.crc32(f"{name}/{property_name}".encode()) % 900_000


def _told(portal: Portal, record: Record, name: str) -> str:
    found = portal.property(record.kind, name)
    value = record.value(name)
    if found and found["type"] in {"datetime", "date"} and value:
        return str(to_ms(value)) if portal.config.epoch_dates_in_events else value
    if found and found.get("dataSensitivity") not in {None, "non_sensitive"}:
        return "REDACTED"
    return value


def _tell(portal: Portal, record: Record, action: str, source: Source, at: int, more: Json) -> None:
    for name, extra in _forms(portal, record.kind, action):
        core: Json = {
            "eventId": random.randrange(1, 2**31),
            "subscriptionId": subscription_id(name, more.get("propertyName", "")),
            "portalId": portal.config.portal_id,
            "appId": portal.config.app_id,
            "occurredAt": at,
            "subscriptionType": name,
            "attemptNumber": 0,
        }
        if action != "associationChange" or portal.config.association_object_id:
            core["objectId"] = record.id
        core["changeSource"] = source.kind
        if source.id is not None:
            core["sourceId"] = source.id
        portal.tell({**core, **more, **extra})


def _forms(portal: Portal, kind: str, action: str) -> list[tuple[str, Json]]:
    singular = catalog.OBJECT_TYPES[kind].singular
    names: list[tuple[str, Json]] = []
    private = action == "privacyDeletion"
    if (private or "classic" in portal.config.event_forms) and kind in EVENT_OBJECTS:
        names.append((f"{singular}.{action}", {}))
    if "generic" in portal.config.event_forms and not private:
        names.append((f"object.{action}", {"objectTypeId": catalog.OBJECT_TYPES[kind].type_id}))
    if private and kind != "contacts":
        return []
    wanted = portal.config.event_types
    return [row for row in names if wanted is None or action in wanted or row[0] in wanted]
