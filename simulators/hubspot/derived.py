"""What HubSpot does by itself after a value changed: dates, opt-out, deal automation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import catalog
from .history import put, would_regress
from .portal import SYSTEM
from .records import Source
from .shapes import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .portal import Portal
    from .records import Record


def follow(portal: Portal, record: Record, name: str, before: str, source: Source, at: int) -> None:
    """Derive what follows from one changed value."""
    rule = _RULES.get((record.kind, name))
    if rule:
        rule(portal, record, before, source, at)


def linked(portal: Portal, one: Record, other: Record) -> None:
    """Derive what follows from an association: deals move their people."""
    for deal in (one, other):
        if deal.kind == "deals":
            move_people(portal, deal, portal.now())


def move_people(portal: Portal, deal: Record, at: int) -> None:
    """Move a deal's contacts forward, where the portal's settings say so (section 3).

    knowledge.hubspot.com, "Sync lifecycle stages": deal won -> customer, created -> opportunity.
    """
    won = deal.value("hs_is_closed_won") == "true"
    if won and portal.config.deal_won_makes_customers:
        _advance(portal, deal, "contacts", "customer", Source("DEALS", f"deal:{deal.id}"), at)
    elif not won and portal.config.deal_created_makes_opportunities:
        _advance(portal, deal, "contacts", "opportunity", Source("DEALS", f"deal:{deal.id}"), at)


def opt_out_state(portal: Portal, record: Record, source: Source, at: int) -> None:
    """Copy the opt-out of the address, which is keyed by e-mail, to the contact (section 4)."""
    gone = "true" if record.value("email") in portal.opted_out else ""
    held = record.value("hs_email_optout")
    if gone != held and (gone or held == "true"):
        _write(portal, record, "hs_email_optout", gone, source, at)


def _lifecycle(portal: Portal, record: Record, _: str, __: Source, at: int) -> None:
    stage = record.value("lifecyclestage")
    if not stage:
        # Clearing loses the stage dates (section 3).
        for name in list(record.values):
            if name.startswith(("hs_v2_date_entered_", "hs_lifecyclestage_")):
                _write(portal, record, name, "", SYSTEM, at)
        return
    _date(portal, record, f"hs_v2_date_entered_{stage}", at)
    _date(portal, record, f"hs_lifecyclestage_{stage}_date", at)
    if stage == "customer":
        _write(portal, record, "closedate", iso(at), SYSTEM, at)
    if record.kind == "companies" and portal.config.company_stage_reaches_contacts:
        reason = Source("COMPANIES", f"company:{record.id}")
        _advance(portal, record, "contacts", stage, reason, at)


def _deal_stage(portal: Portal, record: Record, _: str, __: Source, at: int) -> None:
    stage = record.value("dealstage")
    found = portal.deal_stage(stage)
    chance = str(found["metadata"].get("probability")) if found else ""
    won = chance in {"1.0", "1"}
    closed = won or chance in {"0.0", "0"}
    _write(portal, record, "hs_is_closed", str(closed).lower(), SYSTEM, at)
    _write(portal, record, "hs_is_closed_won", str(won).lower(), SYSTEM, at)
    _date(portal, record, f"hs_v2_date_entered_{stage}", at)
    if closed and not record.value("closedate"):
        _write(portal, record, "closedate", iso(at), SYSTEM, at)
    move_people(portal, record, at)


def _email(portal: Portal, record: Record, before: str, source: Source, at: int) -> None:
    others = [each for each in record.value("hs_additional_emails").split(";") if each]
    if record.value("email") in others:
        others = [before if each == record.value("email") else each for each in others]
        kept = ";".join(filter(None, others))
        _write(portal, record, "hs_additional_emails", kept, SYSTEM, at)
    opt_out_state(portal, record, source, at)


def _owner(portal: Portal, record: Record, _: str, __: Source, at: int) -> None:
    _write(portal, record, "hubspot_owner_assigneddate", iso(at), SYSTEM, at)


_RULES: Mapping[tuple[str, str], Callable[[Portal, Record, str, Source, int], None]] = {
    ("contacts", "lifecyclestage"): _lifecycle,
    ("companies", "lifecyclestage"): _lifecycle,
    ("deals", "dealstage"): _deal_stage,
    ("contacts", "email"): _email,
    ("contacts", "hubspot_owner_id"): _owner,
    ("companies", "hubspot_owner_id"): _owner,
    ("deals", "hubspot_owner_id"): _owner,
}


def _advance(portal: Portal, start: Record, kind: str, stage: str, source: Source, at: int) -> None:
    for other in _neighbours(portal, start, kind):
        if other.value("lifecyclestage") == stage:
            continue
        if not would_regress(portal, other, "lifecyclestage", stage, source):
            _write(portal, other, "lifecyclestage", stage, source, at)


def _neighbours(portal: Portal, start: Record, kind: str) -> Iterator[Record]:
    for other_kind, other_id in list(portal.links.get((start.kind, start.id), {})):
        found = portal.record(other_kind, other_id) if other_kind == kind else None
        if found:
            yield found


def _date(portal: Portal, record: Record, name: str, at: int) -> None:
    if name not in portal.properties[record.kind]:
        group = catalog.default_group(record.kind)["name"]
        found = catalog.definition(name, "datetime", group, read_only=True)
        portal.properties[record.kind][name] = found
    _write(portal, record, name, iso(at), SYSTEM, at)


def _write(portal: Portal, record: Record, name: str, value: str, source: Source, at: int) -> None:
    if record.value(name) != value:
        put(portal, record, name, value, source, at)
