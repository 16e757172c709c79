"""Where HubSpot's calls go: one table for the dated paths and the older numbered ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from connector.domain.errors import ConfigurationRefused, CrmRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGACY = "v3"
_DATED = re.compile(r"\d{4}-\d{2}(-beta)?", re.ASCII)


class Route(NamedTuple):
    """A call's method and its path in the dated and in the older form."""

    method: str
    dated: str
    legacy: str


_OBJECTS = ("/crm/objects/{version}/{kind}", "/crm/v3/objects/{kind}")
_STATUSES = (
    "/communication-preferences/{version}/statuses",
    "/communication-preferences/v4/statuses",
)


def _under(method: str, roots: tuple[str, str], tail: str = "") -> Route:
    return Route(method, *(root + tail for root in roots))


# The names are what errors and logs say, because a path may hold an e-mail address.
ROUTES: Mapping[str, Route] = {
    "account": Route("GET", "/account-info/{version}/details", "/account-info/v3/details"),
    "list": _under("GET", _OBJECTS),
    "read one": _under("GET", _OBJECTS, "/{id}"),
    "read": _under("POST", _OBJECTS, "/batch/read"),
    "search": _under("POST", _OBJECTS, "/search"),
    "create": _under("POST", _OBJECTS),
    "update": _under("POST", _OBJECTS, "/batch/update"),
    "ties": Route(
        "POST",
        "/crm/associations/{version}/{kind}/{to_kind}/batch/read",
        "/crm/v4/associations/{kind}/{to_kind}/batch/read",
    ),
    "tie": Route(
        "POST",
        "/crm/associations/{version}/{kind}/{to_kind}/batch/create",
        "/crm/v4/associations/{kind}/{to_kind}/batch/create",
    ),
    "properties": Route("GET", "/crm/properties/{version}/{kind}", "/crm/v3/properties/{kind}"),
    "pipelines": Route("GET", "/crm/pipelines/{version}/{kind}", "/crm/v3/pipelines/{kind}"),
    "owners": Route("GET", "/crm/owners/{version}", "/crm/v3/owners/"),
    "opt-outs": _under("POST", _STATUSES, "/batch/unsubscribe-all/read"),
    "opt-outs of one": _under("GET", _STATUSES, "/{email}/unsubscribe-all"),
    "opt out": _under("POST", _STATUSES, "/batch/unsubscribe-all"),
    "opt out one": _under("POST", _STATUSES, "/{email}/unsubscribe-all"),
    "token": Route("POST", "/oauth/{version}/token", "/oauth/v3/token"),
}


def check_version(version: str) -> str:
    """Return the version if it is one of HubSpot's; refuse it otherwise."""
    if version == LEGACY or _DATED.fullmatch(version):
        return version
    raise ConfigurationRefused([f"HubSpot API version is no YYYY-MM nor {LEGACY}"])


def path(name: str, version: str, places: Mapping[str, str]) -> str:
    """Return the path of a call with its places filled in."""
    route = ROUTES[name]
    if any(place in {"", ".", ".."} for place in places.values()):
        raise CrmRefused(f"nothing in HubSpot is found under that id ({name})", status=404)
    safe = {key: quote(place, safe="", errors="replace") for key, place in places.items()}
    template = route.legacy if version == LEGACY else route.dated
    return template.format(version=version, **safe)
