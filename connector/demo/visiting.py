"""The scene in which a visitor becomes a lead whom sales takes over."""

from __future__ import annotations

from http import HTTPStatus

from connector.demo.cast import Person
from connector.demo.reading import LIFECYCLE, MQL, STATUS
from connector.demo.site import SOURCE
from connector.demo.stage import IN_API, IN_HUBSPOT, Stage

OWNERS = ("501", "502")
PRICES = "https://www.customers.example/pricing"
_LOOKED = {"event": "page_view", "url": {"prefix": PRICES}}
RULE = {
    "name": "two looks at the prices",
    "trigger": _LOOKED,
    "conditions": {"all": [{"count": {**_LOOKED, "within": "7d"}, "at_least": 2}]},
    "to": 6,
    "cooldown": "30d",
}


def handed_over(stage: Stage) -> None:
    """Show a rule that makes an MQL, the hand-off, the rep's answer, and what marketing reads."""
    lead = stage.cast.lead()
    site = stage.does("an admin turns the hand-off on", lambda: stage.open_site(OWNERS))
    stage.twin.employ(OWNERS)
    status = stage.does(f"an admin's rule: {RULE['name']}", lambda: stage.api.add_rule(RULE))
    stage.finds(f"{IN_API} answer", int(HTTPStatus.CREATED), lambda: status)
    stage.does(
        f"{lead.name} signs in on the website and looks at the prices twice",
        lambda: site.visit(lead.email, [PRICES, f"{PRICES}?plan=team"]),
    )
    stage.slot(lead, 6)
    stage.field(lead, LIFECYCLE, MQL)
    stage.field(lead, STATUS, "NEW")
    stage.awaits(f"{IN_HUBSPOT} owner", "one of two", lambda: _owner(stage, lead))
    stage.finds(f"{IN_API} moved by", "rule", lambda: stage.api.last_move(lead.id)["actor"])
    _answered(stage, lead)


def _owner(stage: Stage, lead: Person) -> str:
    held = stage.twin.value(lead.id, "hubspot_owner_id")
    return "one of two" if held in OWNERS else held


def _answered(stage: Stage, lead: Person) -> None:
    deed = f"the rep reaches {lead.name} and sets CONNECTED"
    stage.does(deed, lambda: stage.twin.edit(lead.id, hs_lead_status="CONNECTED"))
    stage.slot(lead, 4)
    stage.field(lead, LIFECYCLE, "salesqualifiedlead")
    stage.awaits(f"{IN_HUBSPOT} deals", 1, lambda: stage.twin.deals(lead.id))
    stage.rest()
    stage.finds(f"{IN_HUBSPOT} deals still", 1, lambda: stage.twin.deals(lead.id))
    stage.finds(
        f"{IN_API} feedback on {SOURCE}", "1 MQL, 1 accepted, 1 SQL", lambda: _feedback(stage)
    )


def _feedback(stage: Stage) -> str:
    rows = [row for row in stage.api.feedback("source") if row["key"] == SOURCE]
    return ", ".join(
        f"{row['mql']} MQL, {row['accepted']} accepted, {row['sql']} SQL" for row in rows
    )
