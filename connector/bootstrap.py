"""The composition root: settings become services, once a process."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from connector import figures, holder
from connector.adapters import platform
from connector.adapters.hubspot import Limiter, open_hubspot, open_session, read_events
from connector.adapters.hubspot.fields import BULK_ORIGINS
from connector.adapters.hubspot.oauth import App, Grant, Issued, renew
from connector.adapters.platform.outward import Outward
from connector.domain.errors import ConfigurationRefused
from connector.domain.keeping import Keeping
from connector.domain.systems import PLATFORM
from connector.domain.visiting import Capture
from connector.pipeline import wording
from connector.pipeline.housekeeping import keep_house
from connector.pipeline.rule_clock import every_account
from connector.pipeline.services import Keep, Line, Services, Visiting
from connector.ports import Tokens
from connector.queue import Waker
from connector.settings import Settings, current
from connector.store.engine import Database
from connector.store.migrate import upgrade
from connector.store.secrets import SecretBox
from connector.store.store import Store
from connector.stored import Connection

VENDOR_HOSTS: Mapping[str, tuple[str, ...]] = {"hubspot": ("api.hubapi.com",)}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@cache
def services() -> Services:
    """Return the services of this process, on a database that has the newest schema."""
    return build(current())


@cache
def waker() -> Waker:
    """Return what wakes this installation's workers."""
    return Waker(current().redis_url)


def build(own: Settings) -> Services:
    """Wire the services for some settings; applies migrations."""
    upgrade(own.database_url)
    waker = Waker(own.redis_url)
    return Services(
        store=Store(Database(own.database_url), SecretBox(own.keys), holder.name(), holder.is_dead),
        wake=waker.wake,
        dial=Lines(own),
        readers={"hubspot": read_events},
        journey_readers={PLATFORM: wording.read},
        platform=platform,
        bulk_origins={"hubspot": BULK_ORIGINS},
        apps={"hubspot": str(own.hubspot_app_id or "")},
        now=lambda: datetime.now(UTC),
        new_id=lambda prefix: f"{prefix}_{uuid.uuid4().hex}",
        pause=time.sleep,
        brake_per_hour=own.brake_per_hour,
        keeping=Keeping(
            inbox=timedelta(days=own.keep_inbox_days),
            outbox=timedelta(days=own.keep_outbox_days),
            written=timedelta(days=own.keep_written_days),
            audit=timedelta(days=own.keep_audit_days),
            parked=timedelta(days=own.keep_parked_days),
            journeys=timedelta(days=own.keep_journeys_days),
        ),
        visiting=Visiting(
            Capture(own.capture), timedelta(days=own.reward_days), own.events_per_day
        ),
        poll_every=timedelta(minutes=own.reconcile_minutes) if own.reconcile_minutes else None,
        poll_overlap=timedelta(minutes=own.reconcile_overlap_minutes),
        courier=Outward(allow_loopback=own.allow_loopback_crm),
    )


class Lines:
    """Opens lines to CRMs; HTTP sessions are kept per thread and CRM."""

    def __init__(self, own: Settings) -> None:
        self._settings = own
        self._kept = threading.local()

    def __call__(
        self, connection: Connection, secrets: Mapping[str, str], keep: Keep, note: Any, /
    ) -> Line:
        """Return an open line."""
        limiter = Limiter()
        if isinstance(note, dict):
            limiter.restore(note)
        session = self._session(connection.api_url)
        version = self._settings.hubspot_api_version
        if not secrets.get("refresh_token"):
            crm = open_hubspot(
                connection.api_url, version, lambda: secrets["access_token"], limiter, session
            )
            return Line(crm, limiter.state)
        grant = self._grant(connection, secrets, keep)
        crm = open_hubspot(connection.api_url, version, grant.token, limiter, session, grant.renew)
        return Line(crm, limiter.state)

    def _session(self, url: str) -> Any:
        sessions = self._kept.__dict__.setdefault("sessions", {})
        if url not in sessions:
            sessions[url] = open_session()
        return sessions[url]

    def _grant(self, connection: Connection, secrets: Mapping[str, str], keep: Keep) -> Grant:
        own = self._settings
        client_id = secrets.get("client_id") or own.hubspot_client_id or ""
        app = App(connection.api_url, own.hubspot_api_version, client_id, secrets["client_secret"])
        session = self._session(connection.api_url)

        def ask(refresh_token: str) -> Issued:
            return renew(app, refresh_token, session, datetime.now(UTC))

        def store(issued: Issued) -> None:
            keep(
                {
                    "access_token": issued.tokens.access_token,
                    "refresh_token": issued.tokens.refresh_token,
                    "expires_at": issued.tokens.expires_at.isoformat(),
                },
                issued.renew_at,
            )

        return Grant(
            ask,
            store,
            lambda: datetime.now(UTC),
            secrets["refresh_token"],
            _issued(secrets, connection.renew_at),
        )


def _issued(secrets: Mapping[str, str], renew_at: datetime | None) -> Issued | None:
    """Return the tokens that were stored, None where there are none yet."""
    if not secrets.get("expires_at") or renew_at is None:
        return None
    expires_at = datetime.fromisoformat(secrets["expires_at"])
    return Issued(Tokens(secrets["access_token"], secrets["refresh_token"], expires_at), renew_at)


def check_crm_url(url: str, system: str, own: Settings) -> str:
    """Return a CRM's address; refuse one that is not the vendor's (or loopback, if allowed)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_vendor = (
        parts.scheme == "https" and host in VENDOR_HOSTS[system] and parts.port in {None, 443}
    )
    is_twin = own.allow_loopback_crm and parts.scheme == "http" and host in _LOOPBACK
    clean = not (parts.username or parts.password or parts.query or parts.fragment)
    if clean and (is_vendor or is_twin):
        return url.rstrip("/")
    raise ConfigurationRefused(
        [f"{url} is not an address of {system}; set CONNECTOR_ALLOW_LOOPBACK_CRM=1 for a simulator"]
    )


def due(older_than_s: float) -> list[tuple[str, str]]:
    """Return (job, id) for what has waited for so long in SQL."""
    now = datetime.now(UTC)
    polls = services().poll_every is not None
    rewards = now - services().visiting.reward_lasts
    with services().store.reading() as unit:
        since = now - timedelta(seconds=older_than_s)
        return unit.due(now, since, polls=polls, rewards=rewards)


def pulse(kind: str, /, *, last: bool = False) -> None:
    """Say that this process lives, or (the last time) that it ends, and what it has counted."""
    store, now, counts = services().store, datetime.now(UTC), figures.taken()
    try:
        with store.writing() as unit:
            unit.watch.beat(store.holder, kind, counts, now)
            if last:
                unit.watch.leave(store.holder)
    except BaseException:
        figures.give_back(counts)
        raise


def housekeeping() -> None:
    """Do what has to be done now and then."""
    keep_house(services())
    every_account(services())
