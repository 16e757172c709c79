"""The control API under /_twin/: people's edits, faults, logs and settings.

It needs no token and never counts for a limit. README.md lists every route.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from . import people, render, seeds
from .errors import answer, invalid, missing
from .paths import body
from .portal import kind_of
from .shapes import to_ms
from .world import portal, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Fault
    from .portal import Portal
    from .records import Record
    from .shapes import Json

control = Blueprint("control", __name__, url_prefix="/_twin")

ACTS: dict[str, Callable[[Portal, Json], Record]] = {
    "edit": people.edit,
    "delete": people.delete,
    "restore": people.restore,
    "merge": people.merge,
    "privacy-delete": people.erase,
    "associate": people.associate,
    "dissociate": people.dissociate,
    "deal": people.deal,
    "activity": people.activity,
}


@control.post("/<any('edit','delete','restore','merge','privacy-delete'):act>")
@control.post("/<any('associate','dissociate','deal','activity'):act>")
def act(act: str) -> Response:
    """Do what a person does in the user interface; answer the record's id."""
    try:
        record = ACTS[act](portal(), body())
    except (KeyError, ValueError) as error:
        raise invalid(f"{act}: {error!r}") from error
    return answer({"id": str(record.id), "object": record.kind})


@control.post("/optout")
def opt_out() -> Response:
    """Opt an address out, or with {"out": false} in, as the person behind it."""
    wanted = body()
    step = people.opt_out if wanted.get("out", True) else people.opt_in
    step(portal(), str(wanted["email"]), people.user({"source": "CONTACTS_WEB", **wanted}))
    return answer({})


@control.post("/seed")
def seed() -> Response:
    """Make many records; no events are sent."""
    ids = seeds.seed(portal(), body())
    return answer({"count": len(ids), "ids": [str(one) for one in ids]})


@control.get("/record/<name>/<int:record_id>")
def record(name: str, record_id: int) -> Response:
    """Show one record with all it has, archived or not, and where a merge led."""
    found = portal().stores[kind_of(name)].find(record_id)
    if found is None:
        raise missing()
    return answer(_everything(found))


def _everything(found: Record) -> Json:
    names = sorted(found.values)
    shown = render.shown(portal(), found, names, names)
    ends = portal().links.get((found.kind, found.id), {})
    linked = [
        {"object": kind, "id": str(other), "types": sorted(types)}
        for (kind, other), types in ends.items()
    ]
    return {**shown, "linked": linked}


@control.get("/records/<name>")
def records(name: str) -> Response:
    """List the ids of the live records of a type, perhaps of one {email}."""
    kind, email = kind_of(name), request.args.get("email")
    rows = portal().stores[kind].by_id.values()
    ids = [
        str(one.id)
        for one in rows
        if one.archived_at is None and email in {None, one.value("email")}
    ]
    return answer({"ids": ids})


@control.get("/calls")
def calls() -> Response:
    """List the API calls received, oldest first."""
    return answer({"calls": world().calls})


@control.get("/writes")
def writes() -> Response:
    """List every property value written through the API, perhaps of one {id}."""
    wanted = request.args.get("id")
    rows = [row for row in portal().writes if wanted in {None, row["id"]}]
    return answer({"writes": rows})


@control.get("/settings")
def settings() -> Response:
    """Show every setting."""
    return answer(vars(world().config))


@control.put("/settings")
def change_settings() -> Response:
    """Change some settings, from now on."""
    try:
        world().config.change(body())
    except KeyError as error:
        raise invalid(f"no setting {error}") from error
    return answer(vars(world().config))


@control.put("/owners")
def owners() -> Response:
    """Replace the owners: rows of {id, email, firstName, lastName, userId, type}."""
    usual = {"type": "PERSON", "teams": [], "archived": False, "userId": 0}
    portal().owners = [{**usual, **row, "id": str(row["id"])} for row in body()["owners"]]
    return answer({})


@control.post("/labels")
def labels() -> Response:
    """Define an association label: {type_id, label}."""
    wanted = body()
    portal().labels[int(wanted["type_id"])] = str(wanted["label"])
    return answer({})


@control.post("/tokens/expire")
def expire() -> Response:
    """Let every issued access token expire now."""
    world().tokens.expire_all()
    return answer({})


@control.post("/tokens/revoke")
def revoke() -> Response:
    """Uninstall the app, as an admin of the portal does."""
    world().tokens.installed = False
    return answer({})


@control.route("/faults", methods=["GET", "POST", "DELETE"])
def faults() -> Response:
    """Show, queue or clear the faults of API calls."""
    queue = world().faults
    if request.method == "POST":
        return answer({"id": _queued(queue.add)})
    if request.method == "DELETE":
        queue.clear()
    return answer({"faults": queue.all()})


def _queued(add: Callable[[Json], Fault]) -> int:
    try:
        return add(body()).id
    except ValueError as error:
        raise invalid(str(error)) from error


@control.route("/webhooks/faults", methods=["GET", "POST", "DELETE"])
def webhook_faults() -> Response:
    """Show, queue or clear the faults of deliveries."""
    queue = world().sender.faults
    if request.method == "POST":
        return answer({"id": _queued(queue.add)})
    if request.method == "DELETE":
        queue.clear()
    return answer({"faults": queue.all()})


@control.post("/webhooks/<any('pause','resume'):step>")
def hold(step: str) -> Response:
    """Hold webhooks back, or let them go."""
    getattr(world().sender, step)()
    return answer({})


@control.post("/webhooks/resend")
def resend() -> Response:
    """Send again every event since {since}, epoch milliseconds or ISO."""
    return answer({"events": world().sender.resend(to_ms(body().get("since", 0)))})


@control.get("/deliveries")
def deliveries() -> Response:
    """List the webhook POSTs made, with their events, statuses and latencies."""
    return answer({"deliveries": world().sender.deliveries})


@control.get("/events")
def events() -> Response:
    """List every event that was ever due to be sent."""
    return answer({"events": world().sender.events})


@control.post("/reset")
def reset() -> Response:
    """Go back to how the twin was started."""
    world().reset()
    return answer({})


@control.get("/clock")
def clock() -> Response:
    """Show the portal's time."""
    return answer({"now": portal().now(), "real": time.time_ns() // 1_000_000})


@control.get("/idle")
def idle() -> Response:
    """Say how many events wait to be sent."""
    return answer({"waiting": world().sender.waiting()})
