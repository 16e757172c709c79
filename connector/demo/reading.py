"""Scenes in which HubSpot speaks: what it held before, what people change there."""

from __future__ import annotations

from functools import partial
from statistics import median

from connector.demo.cast import (
    CUSTOMER,
    CUSTOMER_SINCE,
    LEAD_SINCE,
    MQL_SINCE,
    WINNER,
    WON_ON,
    count,
)
from connector.demo.stage import IN_API, IN_HUBSPOT, SLOT_FIELD, Stage
from connector.mapping.own_names import LEVER, NAMES, SINCE

EDITS = 10
MOST_SECONDS = 3.0
LEVER_FIELD = NAMES["hubspot"][LEVER]
SINCE_FIELD = NAMES["hubspot"][SINCE]
LIFECYCLE, STATUS = "lifecyclestage", "hs_lead_status"
MQL = "marketingqualifiedlead"
DAY = len("2026-01-31")


def backfilled(stage: Stage) -> None:
    """Show that existing contacts stand in their slots, dated by HubSpot's own history."""
    twin, api, people = stage.twin, stage.api, stage.cast.people.values()
    total = len(stage.cast.people)
    stage.does(f"{total} contacts that were there before the connector", lambda: None)
    stage.awaits(
        f"{IN_HUBSPOT} {SLOT_FIELD}",
        stage.cast.slots(),
        lambda: count(twin.value(one.id, SLOT_FIELD) for one in people),
    )
    stage.awaits(
        f"{IN_API} slots",
        stage.cast.slots(),
        lambda: count(str(profile["slot"]) for profile in api.profiles()),
    )
    stage.finds(f"{IN_HUBSPOT} writes", "bnb_ fields only", lambda: _foreign_writes(stage))
    _dates(stage)


def _foreign_writes(stage: Stage) -> str:
    names = {str(row["property"]) for row in stage.twin.writes()}
    return (
        ", ".join(sorted(one for one in names if not one.startswith("bnb_"))) or "bnb_ fields only"
    )


def _dates(stage: Stage) -> None:
    customer, winner = stage.cast.people[CUSTOMER], stage.cast.people[WINNER]
    stage.does(f"{CUSTOMER} has been a Customer for a while", lambda: None)
    since = f"{IN_HUBSPOT} {SINCE_FIELD}"
    stage.finds(since, CUSTOMER_SINCE, lambda: stage.twin.value(customer.id, SINCE_FIELD)[:DAY])
    past = f"3 on {LEAD_SINCE}, 6 on {MQL_SINCE}, 8 on {CUSTOMER_SINCE}"
    stage.finds(f"{IN_API} moves", past, lambda: moves(stage, customer.id))
    stage.does(f"{WINNER} is a lead with a won deal", lambda: None)
    stage.finds(since, WON_ON, lambda: stage.twin.value(winner.id, SINCE_FIELD)[:DAY])


def moves(stage: Stage, contact_id: str) -> str:
    """Tell the moves of a contact's profile with their days."""
    rows = stage.api.moves(contact_id)
    return ", ".join(f"{row['to']} on {row['occurred_at'][:DAY]}" for row in rows)


def edited(stage: Stage) -> None:
    """Show how a rep works a contact in HubSpot, from lead to customer."""
    lead = stage.cast.lead()
    for field, value, slot in (
        (LIFECYCLE, MQL, 6),
        (STATUS, "OPEN", 5),
        (STATUS, "CONNECTED", 4),
        (LIFECYCLE, "customer", 8),
    ):
        deed = f"a rep sets {field} of {lead.name} to {value}"
        stage.does(deed, partial(stage.twin.edit, lead.id, **{field: value}))
        stage.slot(lead, slot)


def timed(stage: Stage) -> None:
    """Time ten edits, from the edit in HubSpot to the slot on its record."""
    for number in range(1, EDITS + 1):
        lead = stage.cast.lead()
        deed = f"edit {number}: {lead.name} becomes an MQL"
        stage.does(deed, partial(stage.twin.edit, lead.id, lifecyclestage=MQL))
        stage.edits.append(stage.slot(lead, 6))
    middle = round(median(stage.edits), 3)
    stage.does(f"the median of {EDITS} edits is {middle} s", lambda: None)
    wanted = f"at most {MOST_SECONDS:.0f} s"
    stage.finds("clock", wanted, lambda: wanted if middle <= MOST_SECONDS else f"{middle} s")


def bad_timing(stage: Stage) -> None:
    """Show that a disposition moves nobody: it is the rep's answer, not a slot."""
    person = stage.cast.people["Tara"]
    deed = f"a rep answers Bad Timing about {person.name}, an MQL"
    stage.does(deed, lambda: stage.twin.edit(person.id, hs_lead_status="BAD_TIMING"))
    stage.awaits(
        f"{IN_API} disposition", "bad_timing", lambda: stage.api.profile(person.id)["disposition"]
    )
    stage.stays(person, 6)


def lever(stage: Stage) -> None:
    """Show the rep's lever: a slot picked by hand, on the record itself."""
    lead = stage.cast.lead()
    deed = f"a rep picks slot 5 in {LEVER_FIELD} of {lead.name}"
    stage.does(deed, lambda: stage.twin.edit(lead.id, **{LEVER_FIELD: "5"}))
    stage.slot(lead, 5)
    stage.field(lead, LEVER_FIELD, "")
    stage.finds(f"{IN_API} moves, actor", "person", lambda: stage.api.last_move(lead.id)["actor"])


def won(stage: Stage) -> None:
    """Show that a won deal makes a Customer of its contact, and writes no lifecycle stage."""
    lead = stage.cast.lead()
    deal = stage.does(f"a deal with {lead.name} is opened", lambda: stage.twin.deal(lead.id))
    stage.stays(lead, 3)
    stage.does(f"the deal with {lead.name} is won", lambda: stage.twin.win(deal))
    stage.slot(lead, 8)
    stage.rest()
    stage.field(lead, LIFECYCLE, "lead")
