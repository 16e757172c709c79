"""Records as the API shows them (section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import catalog, links
from .shapes import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .portal import Portal
    from .records import Record, Version
    from .shapes import Json


def value(record: Record, name: str) -> str | None:
    """Return one property as the API shows it: a string, or null when it has no value."""
    row = catalog.OBJECT_TYPES[record.kind]
    if name == "hs_object_id":
        return str(record.id)
    if name in {"createdate", "hs_createdate"}:
        return iso(record.created_at)
    if name == row.modified:
        return iso(record.updated_at)
    return record.value(name) or None


def shown(
    portal: Portal,
    record: Record,
    names: Iterable[str] = (),
    history: Iterable[str] = (),
    neighbours: Iterable[str] = (),
) -> Json:
    """Write a record; properties that do not exist are left out, not refused."""
    row = catalog.OBJECT_TYPES[record.kind]
    always = ["createdate", "hs_object_id", row.modified]
    wanted = [*(names or row.shown), *always]
    found: Json = {
        "id": str(record.id),
        "properties": {
            name: value(record, name)
            for name in dict.fromkeys(wanted)
            if portal.property(record.kind, name) or name in always
        },
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "archived": record.archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{portal.config.portal_id}"
        f"/record/{row.type_id}/{record.id}",
    }
    if record.archived_at is not None:
        found["archivedAt"] = iso(record.archived_at)
    asked = [name for name in history if portal.property(record.kind, name)]
    if asked:
        found["propertiesWithHistory"] = {name: past(record, name) for name in asked}
    return {**found, **_associations(portal, record, neighbours)}


def past(record: Record, name: str) -> list[Json]:
    """Write the history of a property, newest first."""
    return [_version(version) for version in reversed(record.values.get(name, []))]


def _version(version: Version) -> Json:
    source = version.source
    found: Json = {
        "value": version.value,
        "timestamp": iso(version.at),
        "sourceType": source.kind,
    }
    more = {
        "sourceId": source.id,
        "sourceLabel": source.label,
        "updatedByUserId": source.user_id,
    }
    return found | {name: each for name, each in more.items() if each is not None}


def _associations(portal: Portal, record: Record, kinds: Iterable[str]) -> Json:
    found: Json = {}
    for name in kinds:
        kind = catalog.ALIASES.get(name, name)
        rows = links.neighbours(portal, record, kind)
        if rows:
            singular = catalog.OBJECT_TYPES[record.kind].singular
            word = f"{singular}_to_{catalog.OBJECT_TYPES[kind].singular}"
            found[kind] = {"results": [{"id": str(other), "type": word} for other, _ in rows]}
    return {"associations": found} if found else {}
