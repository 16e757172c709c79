"""Setting one value of one record, and asking whether it may be set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .portal import Portal
    from .records import Record, Source


def put(
    portal: Portal, record: Record, name: str, value: str, source: Source, at: int | None = None
) -> None:
    """Set one value, derive what follows from it, and tell the subscribers."""
    now = portal.now() if at is None else at
    before = record.value(name)
    store = portal.stores[record.kind]
    for key in keys(portal, record.kind, name, before):
        store.keys.pop(key, None)
    current = record.put(name, value, now, source)
    for key in keys(portal, record.kind, name, record.value(name)):
        store.keys[key] = record.id
    record.touch(now)
    if current:
        events.changed(portal, record, name, source, now)
        portal.follow(portal, record, name, before, source, now)


def keys(portal: Portal, kind: str, name: str, value: str) -> Iterable[tuple[str, str]]:
    """Return the unique keys a value stands for; additional e-mails count as e-mails (2.2)."""
    if not value:
        return []
    if kind == "contacts" and name in {"email", "hs_additional_emails"}:
        return [("email", each.strip().lower()) for each in value.split(";")]
    found = portal.properties[kind].get(name)
    return [(name, value.strip().lower())] if found and found["hasUniqueValue"] else []


def would_regress(portal: Portal, record: Record, name: str, value: str, source: Source) -> bool:
    """Say whether a lifecycle write goes back, which only people may do in one step.

    Such an API call answers 200 and keeps the value (section 3, "Forward only").
    """
    if name != "lifecyclestage" or source.kind == "CRM_UI" or not value:
        return False
    order = portal.stages(record.kind)
    now = record.value(name)
    return now in order and value in order and order.index(value) < order.index(now)
