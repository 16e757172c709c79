"""Communication Preferences: opt-out by address, v4 and dated (section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from . import catalog, people
from .errors import answer, invalid
from .paths import Both, body
from .shapes import iso
from .world import caller, portal

if TYPE_CHECKING:
    from .shapes import Json

preferences = Blueprint("preferences", __name__)
route = Both(preferences, "/communication-preferences/v4", "/communication-preferences/<version>")

MOST_ADDRESSES = 100
STATES = {"SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"}


def _complete(results: list[Json]) -> Response:
    now = iso(portal().now())
    return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now})


def _need_channel() -> None:
    if request.args.get("channel") != "EMAIL":
        raise invalid("channel must be EMAIL")


@route("/definitions", "GET")
def definitions() -> Response:
    """List the subscription types of the portal."""
    return _complete(
        [
            {"id": one, "name": name, "isActive": True, "communicationMethod": "Email"}
            for one, name in catalog.SUBSCRIPTION_TYPES
        ]
    )


@route("/statuses/<email>/unsubscribe-all", "GET")
def wide_status(email: str) -> Response:
    """Say whether an address is opted out of everything; no results means it is not."""
    _need_channel()
    return _complete(_wide(email))


def _wide(email: str) -> list[Json]:
    found = portal().opted_out.get(email.strip().lower())
    return [found] if found else []


@route("/statuses/<email>/unsubscribe-all", "POST")
def unsubscribe_all(email: str) -> Response:
    """Opt an address out of everything; it cannot be taken back through the API."""
    _need_channel()
    return _complete([people.opt_out(portal(), email, caller())])


@route("/statuses/batch/unsubscribe-all", "POST")
def batch_unsubscribe() -> Response:
    """Opt up to 100 addresses out."""
    _need_channel()
    rows = [(email, people.opt_out(portal(), email, caller())) for email in _emails()]
    return _complete([{"subscriberIdString": email, "statuses": [row]} for email, row in rows])


@route("/statuses/batch/unsubscribe-all/read", "POST")
def batch_wide_status() -> Response:
    """Say for up to 100 addresses whether they are opted out."""
    _need_channel()
    return _complete(
        [{"subscriberIdString": email, "wideStatuses": _wide(email)} for email in _emails()]
    )


def _emails() -> list[str]:
    found = body().get("inputs")
    if not isinstance(found, list) or len(found) > MOST_ADDRESSES:
        raise invalid(f"inputs must be a list of at most {MOST_ADDRESSES} addresses")
    return [str(each) for each in found]


@route("/statuses/<email>", "GET")
def statuses(email: str) -> Response:
    """List the state of each subscription type for an address."""
    _need_channel()
    key = email.strip().lower()
    known = portal().preferences
    return _complete(
        [known.get((key, one), _status(key, one, {})) for one, _ in catalog.SUBSCRIPTION_TYPES]
    )


@route("/statuses/<email>", "POST")
def set_status(email: str) -> Response:
    """Set the state of one subscription type for an address."""
    wanted, key = body(), email.strip().lower()
    known = [one for one, _ in catalog.SUBSCRIPTION_TYPES]
    if wanted.get("statusState") not in STATES or wanted.get("channel") != "EMAIL":
        raise invalid("statusState or channel is not valid")
    if str(wanted.get("subscriptionId")) not in known:
        raise invalid(f"Subscription {wanted.get('subscriptionId')} does not exist")
    row = _status(key, str(wanted["subscriptionId"]), wanted)
    portal().preferences[key, str(wanted["subscriptionId"])] = row
    return answer(row)


def _status(key: str, subscription: str, wanted: Json) -> Json:
    return {
        "subscriptionId": int(subscription),
        "subscriberIdString": key,
        "channel": "EMAIL",
        "status": wanted.get("statusState", "NOT_SPECIFIED"),
        "source": "twin",
        "legalBasis": wanted.get("legalBasis"),
        "legalBasisExplanation": wanted.get("legalBasisExplanation"),
        "timestamp": iso(portal().now()),
    }
