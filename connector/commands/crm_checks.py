"""What `connector doctor` looks at in each connection: the CRM, our fields, URLs, clocks."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from connector.commands.findings import Finding
from connector.domain.errors import ConnectorError
from connector.pipeline.installing import install
from connector.pipeline.lines import on_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connector.pipeline.services import Services
    from connector.settings import Settings
    from connector.stored import Connection

# Signatures older than five minutes are refused.
SKEW = timedelta(minutes=2)
# A pass over much may take as long.
_ROUND = timedelta(hours=1)
_TIMEOUT = (3.05, 10.0)


def check_crm(own: Settings, services: Services, one: Connection) -> Iterator[Finding]:
    """Look at one connection to a CRM."""
    yield state(one)
    yield webhooks(own, one)
    crm = _crm(services, one)
    yield crm
    if crm.fine:
        yield from _clock(services, one)
        yield _fields(services, one)
        yield _poll(services, one)


def state(one: Connection) -> Finding:
    """Look whether a connection is active."""
    text = f"{one.state}: {one.reason}" if one.reason else one.state
    advice = {"revoked": "connect the CRM again with `connector connect`"}.get(
        one.state, f"run `connector resume {one.id}` when it is time"
    )
    return Finding(f"{one.id} state", fine=one.state == "active", text=text, advice=advice)


def webhooks(own: Settings, one: Connection) -> Finding:
    """Look whether the sender can reach us; a simulator next door always can."""
    url = f"{own.public_url}/webhooks/{one.system}/{one.id}"
    parts = urlsplit(own.public_url)
    is_public = parts.scheme == "https" and not _is_loopback(parts.hostname)
    next_door = (
        _is_loopback(urlsplit(one.api_url).hostname) if one.api_url else own.allow_loopback_crm
    )
    fine = is_public or next_door
    advice = "set CONNECTOR_PUBLIC_URL to the https address that the sender reaches us by"
    return Finding(f"{one.id} webhooks", fine=fine, text=url, advice=advice)


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _crm(services: Services, one: Connection) -> Finding:
    name = f"{one.id} crm"
    try:
        with on_line(services, one) as (_, crm):
            told = crm.prove()
    except ConnectorError as error:
        advice = error.advice or "check the network and the credentials of the connection"
        return Finding(name, fine=False, text=str(error), advice=advice)
    text = f"{one.system} {told} answers"
    advice = f"the credentials are not those of {one.portal}: connect it again"
    return Finding(name, fine=told == one.portal, text=text, advice=advice)


def _clock(services: Services, one: Connection) -> Iterator[Finding]:
    """Compare our clock with the CRM's, where it tells the time."""
    theirs = _date(one.api_url)
    if theirs is None:
        return
    skew = abs(services.now() - theirs)
    text = f"{skew.total_seconds():.0f} s apart"
    advice = "set this machine's clock (NTP): webhooks are refused when it is off"
    yield Finding(f"{one.id} clock", fine=skew < SKEW, text=text, advice=advice)


def _date(url: str) -> datetime | None:
    try:
        answer = requests.head(url, timeout=_TIMEOUT, allow_redirects=False)
        return parsedate_to_datetime(answer.headers["Date"])
    except (OSError, KeyError, ValueError):
        return None


def _poll(services: Services, one: Connection) -> Finding:
    """Look whether the poller comes round."""
    name, every = f"{one.id} reconcile", services.poll_every
    with services.store.reading() as unit:
        poll = unit.polls.get(one.id)
    if poll is None or poll.ended_at is None or every is None:
        text = "no pass has ended yet" if every else "switched off"
        return Finding(name, fine=True, text=text)
    age = services.now() - poll.ended_at
    text = f"ended {age.total_seconds() / 60:.0f} min ago, {poll.found} records differed"
    fine = age < max(4 * every, _ROUND)
    advice = f"{poll.reason or 'no worker does it'}; try `connector reconcile {one.id}`"
    return Finding(name, fine=fine, text=text, advice=advice)


def _fields(services: Services, one: Connection) -> Finding:
    name = f"{one.id} fields"
    advice = f"run `connector install {one.id} --apply`"
    try:
        steps = install(services, one.id, apply=False, token=None)
    except ConnectorError as error:
        return Finding(name, fine=False, text=str(error), advice=error.advice or advice)
    missing = [step.what for step in steps if step.action != "keep"]
    text = f"not as they should be: {', '.join(missing)}" if missing else "installed"
    return Finding(name, fine=not missing, text=text, advice=advice)
