"""Scenes in which we write, and in which the person who was there first has the last word."""

from __future__ import annotations

from http import HTTPStatus

from connector.demo.cast import Person
from connector.demo.reading import LIFECYCLE, MQL
from connector.demo.stage import IN_API, IN_HUBSPOT, Stage

OURS = "bnb_"
REASON = "the demo"


def moved(stage: Stage) -> None:
    """Show that a person moves profiles by API; HubSpot's lifecycle stage follows."""
    for slot, value in ((6, MQL), (4, "salesqualifiedlead")):
        lead = stage.cast.lead()
        _move(stage, lead, slot)
        stage.slot(lead, slot)
        stage.field(lead, LIFECYCLE, value)


def _move(stage: Stage, person: Person, slot: int) -> None:
    deed = f"POST move of {person.name} to slot {slot}"
    status = stage.does(deed, lambda: stage.api.move(person.id, slot, REASON))
    stage.finds(f"{IN_API} answer", int(HTTPStatus.OK), lambda: status)


def overtaken(stage: Stage) -> None:
    """Show that a rep's edit stands that lands just before a write of ours."""
    lead = stage.cast.lead()
    rep = {"object": "contacts", "id": lead.id, "properties": {LIFECYCLE: MQL}}
    stage.twin.disturb_call("batch/update", do="before", skip=1, **rep)
    _move(stage, lead, 4)
    stage.awaits(f"{IN_HUBSPOT} edits in between", 1, stage.twin.struck)
    stage.field(lead, LIFECYCLE, MQL)
    stage.stays(lead, 4)
    stage.field(lead, LIFECYCLE, MQL)


def opted_out(stage: Stage) -> None:
    """Show that an opt-out in HubSpot is slot 10, and nothing leads out of it."""
    lead = stage.cast.lead()
    stage.does(f"{lead.name} unsubscribes in HubSpot", lambda: stage.twin.opt_out(lead.email))
    stage.slot(lead, 10)
    deed = f"a rep makes {lead.name} a customer nevertheless"
    stage.does(deed, lambda: stage.twin.edit(lead.id, lifecyclestage="customer"))
    stage.stays(lead, 10)
    stage.field(lead, LIFECYCLE, "customer")
    deed = f"POST move of {lead.name} out of slot 10"
    status = stage.does(deed, lambda: stage.api.move(lead.id, 4, REASON))
    stage.finds(f"{IN_API} answer", int(HTTPStatus.CONFLICT), lambda: status)
    stage.finds(f"{IN_HUBSPOT} writes", f"{OURS} fields only", lambda: _written(stage, lead))


def _written(stage: Stage, person: Person) -> str:
    names = {str(row["property"]) for row in stage.twin.writes(person.id)}
    foreign = sorted(name for name in names if not name.startswith(OURS))
    return ", ".join(foreign) or f"{OURS} fields only"


def doubled(stage: Stage) -> None:
    """Show that webhooks that come twice, backwards and all over again change nothing."""
    lead = stage.cast.lead()
    stage.twin.disturb_webhooks(do="reorder", split=True, match="propertyChange")
    stage.twin.disturb_webhooks(do="duplicate", match="propertyChange", times=4)
    deed = f"{lead.name} becomes an MQL that is OPEN; webhooks come twice and backwards"
    stage.does(deed, lambda: _two_edits(stage, lead))
    stage.slot(lead, 5)
    stage.rest()
    before, written = _everyone(stage), len(stage.twin.writes())
    stage.does("HubSpot sends every webhook of the story again", stage.twin.resend)
    stage.rest()
    stage.finds(
        f"{IN_API} slots and moves", "as before", lambda: _compare(before, _everyone(stage))
    )
    stage.finds(f"{IN_HUBSPOT} new writes", 0, lambda: len(stage.twin.writes()) - written)


def _two_edits(stage: Stage, lead: Person) -> None:
    with stage.twin.holding_webhooks():
        stage.twin.edit(lead.id, lifecyclestage=MQL)
        stage.twin.edit(lead.id, hs_lead_status="OPEN")


def _everyone(stage: Stage) -> dict[str, str]:
    """Return the slot of every profile, and since when: a move would show there."""
    return {one["id"]: f"{one['slot']} since {one['slot_since']}" for one in stage.api.profiles()}


def _compare(before: dict[str, str], after: dict[str, str]) -> str:
    differing = [one for one in before.keys() | after.keys() if before.get(one) != after.get(one)]
    return f"{len(differing)} profiles differ" if differing else "as before"


def undone(stage: Stage) -> None:
    """Show that a batch of moves can be taken back."""
    lead = stage.cast.lead()
    _move(stage, lead, 5)
    stage.slot(lead, 5)
    batch = stage.api.last_move(lead.id)["batch_id"]
    status = stage.does(
        f"POST undo of the batch that moved {lead.name}", lambda: stage.api.undo(batch)
    )
    stage.finds(f"{IN_API} answer", int(HTTPStatus.OK), lambda: status)
    stage.slot(lead, 3)
