"""Account information and the uninstall call (sections 2.1 and 5.1)."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response

from .errors import answer
from .limits import local_time
from .paths import Both
from .world import world

account = Blueprint("account", __name__)
route = Both(account, "/account-info/v3", "/account-info/<version>")


@route("/details", "GET")
def details() -> Response:
    """Say which portal a token is for."""
    config = world().config
    offset = local_time(config).utcoffset() or dt.timedelta()
    return answer(
        {
            "portalId": config.portal_id,
            "accountType": "STANDARD",
            "timeZone": config.time_zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{local_time(config):%z}",
            "utcOffsetMilliseconds": offset // dt.timedelta(milliseconds=1),
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
    )


@account.delete("/appinstalls/<version>/external-install")
def uninstall() -> Response:
    """Uninstall the app: every token of it is over."""
    world().tokens.installed = False
    return Response(status=204)
