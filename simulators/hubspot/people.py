"""What people do in the HubSpot user interface, as the control API lets tests do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import derived, links, merges, values, writes
from .errors import missing
from .history import put
from .portal import kind_of
from .records import Source
from .shapes import iso, to_ms

if TYPE_CHECKING:
    from .portal import Portal
    from .records import Record
    from .shapes import Json


def user(wanted: Json) -> Source:
    """Return the person who acts; UI changes say CRM_UI and userId:N (section 1.2)."""
    if "source" in wanted:
        return Source(str(wanted["source"]), wanted.get("source_id"))
    number = int(wanted.get("user_id", 9001))
    return Source("CRM_UI", f"userId:{number}", None, number)


def find(portal: Portal, wanted: Json, *, archived: bool = False) -> Record:
    """Return the record that {object, id} names."""
    kind = kind_of(str(wanted.get("object", "contacts")))
    record = portal.record(kind, str(wanted["id"]), archived=archived)
    if record is None:
        raise missing()
    return record


def edit(portal: Portal, wanted: Json) -> Record:
    """Create a record or edit one, as a person; any property, in any direction."""
    kind = kind_of(str(wanted.get("object", "contacts")))
    clean = values.clean(portal, kind, wanted.get("properties", {}), api=False)
    at = to_ms(wanted["at"]) if "at" in wanted else None
    if wanted.get("id") is None:
        return writes.create(portal, kind, clean, user(wanted), at)
    record = find(portal, wanted)
    writes.update(portal, record, clean, user(wanted), at)
    return record


def delete(portal: Portal, wanted: Json) -> Record:
    """Delete a record."""
    record = find(portal, wanted)
    merges.archive(portal, record, user(wanted))
    return record


def restore(portal: Portal, wanted: Json) -> Record:
    """Restore a deleted record."""
    record = find(portal, wanted, archived=True)
    merges.restore(portal, record, user(wanted))
    return record


def merge(portal: Portal, wanted: Json) -> Record:
    """Merge {loser} into {id}."""
    kind = kind_of(str(wanted.get("object", "contacts")))
    ids = str(wanted["id"]), str(wanted["loser"])
    return merges.merge_ids(portal, kind, *ids, user(wanted))


def erase(portal: Portal, wanted: Json) -> Record:
    """Delete a contact for privacy."""
    record = find(portal, wanted)
    merges.erase(portal, record, user(wanted))
    return record


def associate(portal: Portal, wanted: Json) -> Record:
    """Associate {object, id} with {to_object, to_id}, as the primary one if asked."""
    record, other = find(portal, wanted), _other(portal, wanted)
    types = links.TYPES.get((record.kind, other.kind), ())
    chosen = [types[1]] if wanted.get("primary") and len(types) > 1 else None
    links.link(portal, record, other, user(wanted), chosen)
    return record


def dissociate(portal: Portal, wanted: Json) -> Record:
    """Remove the association between {object, id} and {to_object, to_id}."""
    record = find(portal, wanted)
    links.unlink(portal, record, _other(portal, wanted), user(wanted))
    return record


def _other(portal: Portal, wanted: Json) -> Record:
    return find(portal, {"object": wanted["to_object"], "id": wanted["to_id"]})


def deal(portal: Portal, wanted: Json) -> Record:
    """Create a deal with its {contacts} and {companies}."""
    usual = {"dealname": "Deal", "dealstage": "appointmentscheduled"}
    values_of_deal = {**usual, **wanted.get("properties", {})}
    record = edit(portal, {**wanted, "object": "deals", "properties": values_of_deal})
    for kind in ("contacts", "companies"):
        for one in wanted.get(kind, []):
            end = {"to_object": kind, "to_id": one, "primary": kind == "companies"}
            associate(portal, {**wanted, **end, "object": "deals", "id": record.id})
    return record


# knowledge.hubspot.com, "HubSpot's default contact properties": what each logged activity dates.
_CONTACTED = ("notes_last_contacted", "notes_last_updated", "hs_last_sales_activity_timestamp")
ACTIVITIES: dict[str, tuple[str, ...]] = {
    "call": _CONTACTED,
    "email": _CONTACTED,
    "meeting": _CONTACTED,
    "note": ("notes_last_updated",),
}


def activity(portal: Portal, wanted: Json) -> Record:
    """Log a {kind} of activity on {object, id}: its dates and its counts move."""
    record = find(portal, wanted)
    dates = ACTIVITIES[str(wanted.get("kind", "call"))]
    at = to_ms(wanted["at"]) if "at" in wanted else portal.now()
    counts = ["num_notes", *(["num_contacted_notes"] if "notes_last_contacted" in dates else [])]
    moved = {name: iso(at) for name in dates if record.value(name) < iso(at)}
    counted = {name: str(int(record.value(name) or 0) + 1) for name in counts}
    for name, value in (moved | counted).items():
        put(portal, record, name, value, user(wanted))
    return record


def opt_out(portal: Portal, email: str, source: Source) -> Json:
    """Opt an address out of all e-mail: the address, whoever holds it (section 4)."""
    key = email.strip().lower()
    if key not in portal.opted_out:
        portal.opted_out[key] = {
            "subscriberIdString": key,
            "wideStatusType": "PORTAL_WIDE",
            "status": "UNSUBSCRIBED",
            "channel": "EMAIL",
            "timestamp": iso(portal.now()),
        }
    _copy_state(portal, key, source)
    return portal.opted_out[key]


def opt_in(portal: Portal, email: str, source: Source) -> None:
    """Take an opt-out back, which only the person can, never the API (section 4)."""
    portal.opted_out.pop(email.strip().lower(), None)
    _copy_state(portal, email.strip().lower(), source)


def _copy_state(portal: Portal, key: str, source: Source) -> None:
    record = portal.by_key("contacts", "email", key)
    if record:
        derived.opt_out_state(portal, record, source, portal.now())
