"""HubSpot: reads and writes its records, reads its webhooks, installs our fields in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.adapters.hubspot.client import Client, open_session
from connector.adapters.hubspot.events import read as read_events
from connector.adapters.hubspot.limiter import Limiter
from connector.adapters.hubspot.records import HubSpot

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

__all__ = ["HubSpot", "Limiter", "open_hubspot", "open_session", "read_events"]


def open_hubspot(
    base_url: str,
    version: str,
    token: Callable[[], str],
    limiter: Limiter | None = None,
    session: requests.Session | None = None,
    renew: Callable[[str], str] | None = None,
) -> HubSpot:
    """Return a portal; without `renew` the token is static and a refused one is revoked."""
    client = Client(
        base_url, version, token, limiter or Limiter(), session or open_session(), renew
    )
    return HubSpot(client)
