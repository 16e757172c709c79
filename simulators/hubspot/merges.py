"""Records that leave, come back or become one: archive, restore, merge, privacy deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import events, links
from .errors import invalid, missing
from .history import keys, put
from .records import Record, Source

if TYPE_CHECKING:
    from .portal import Portal


def archive(portal: Portal, record: Record, source: Source) -> None:
    """Delete a record; it can be restored for 90 days (section 2.2)."""
    if record.archived_at is not None:
        return
    _free_keys(portal, record)
    record.archived_at = portal.now()
    events.deleted(portal, record, source, portal.now())


def restore(portal: Portal, record: Record, source: Source) -> None:
    """Bring an archived record back with all it had."""
    record.archived_at = None
    record.touch(portal.now())
    for name, versions in record.values.items():
        for key in keys(portal, record.kind, name, versions[-1].value):
            portal.stores[record.kind].keys[key] = record.id
    events.restored(portal, record, source, portal.now())


def erase(portal: Portal, record: Record, source: Source) -> None:
    """Remove a contact for privacy: permanent, the address is remembered (section 4)."""
    portal.blocked.add(record.value("email"))
    _free_keys(portal, record)
    links.drop(portal, record)
    portal.stores[record.kind].forget(record)
    events.erased(portal, record, source, portal.now())


def merge(portal: Portal, primary: Record, other: Record, source: Source) -> Record:
    """Make two records one; both old ids then find the survivor (section 2.2)."""
    if primary.kind != other.kind or primary is other:
        raise invalid("Cannot merge a record with itself")
    survivor = _survivor(portal, primary)
    emails = _emails(primary) + [each for each in _emails(other) if each not in _emails(primary)]
    for leaver in {id(one): one for one in (primary, other) if one is not survivor}.values():
        _free_keys(portal, leaver)
        links.move(portal, leaver, survivor)
        portal.stores[leaver.kind].forget(leaver)
        portal.stores[leaver.kind].merged[leaver.id] = survivor.id
    moved = _take_values(portal, survivor, other)
    _finish(portal, survivor, emails, [primary.id, other.id])
    events.merged(portal, primary.id, other.id, survivor, moved, source)
    return survivor


def _survivor(portal: Portal, primary: Record) -> Record:
    if not portal.config.merge_makes_new_id:
        return primary
    now = portal.now()
    values = {name: list(versions) for name, versions in primary.values.items()}
    third = Record(primary.kind, portal.next_id(), primary.created_at, [now], values)
    portal.stores[primary.kind].add(third)
    return third


def _take_values(portal: Portal, survivor: Record, other: Record) -> int:
    moved = 0
    source = Source("MERGE_CONTACTS" if survivor.kind == "contacts" else "MERGE_OBJECTS", None)
    for name, versions in other.values.items():
        value = versions[-1].value
        if name in {"email", "hs_additional_emails"} or not value:
            continue
        if not survivor.value(name) or _further(portal, survivor, name, value):
            put(portal, survivor, name, value, source)
            moved += 1
    return moved


def _further(portal: Portal, survivor: Record, name: str, value: str) -> bool:
    # knowledge.hubspot.com, "Merge records": the furthest lifecycle stage is kept.
    if name != "lifecyclestage":
        return False
    order = portal.stages(survivor.kind)
    held = survivor.value(name)
    return held in order and value in order and order.index(value) > order.index(held)


def _finish(portal: Portal, survivor: Record, emails: list[str], ids: list[int]) -> None:
    source = Source("MERGE_CONTACTS" if survivor.kind == "contacts" else "MERGE_OBJECTS", None)
    gone = [str(one) for one in ids if one != survivor.id]
    held = [one for one in survivor.value("hs_merged_object_ids").split(";") if one]
    put(portal, survivor, "hs_merged_object_ids", ";".join(held + gone), source)
    if survivor.kind != "contacts" or not emails:
        return
    if survivor.value("email") != emails[0] or portal.config.merge_makes_new_id:
        put(portal, survivor, "email", emails[0], source)
    if emails[1:]:
        put(portal, survivor, "hs_additional_emails", ";".join(emails[1:]), source)


def _emails(record: Record) -> list[str]:
    held = [record.value("email"), *record.value("hs_additional_emails").split(";")]
    return [each for each in held if each]


def _free_keys(portal: Portal, record: Record) -> None:
    store = portal.stores[record.kind]
    for name, versions in record.values.items():
        for key in keys(portal, record.kind, name, versions[-1].value):
            if store.keys.get(key) == record.id:
                del store.keys[key]


def merge_ids(portal: Portal, kind: str, primary: str, other: str, source: Source) -> Record:
    """Merge two records by id; 404 when one is not there."""
    found = portal.record(kind, primary), portal.record(kind, other)
    if found[0] is None or found[1] is None:
        raise missing()
    return merge(portal, found[0], found[1], source)
