"""What load balancers and Prometheus ask."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from connector.api.dispatch import account
from connector.api.reports import age
from connector.domain.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.domain.facts import AccountId
    from connector.pipeline.services import Services

# A proxy in front of us is on the loopback interface too; it says for whom it asks.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def blueprint(services: Services, ping: Callable[[], bool]) -> Blueprint:
    """Return the three endpoints; `ping` says whether Redis answers."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok"})

    @health.get("/readyz")
    def readyz() -> Response:
        try:
            with services.store.writing() as unit:
                unit.probe()
        except StoreBusy as error:
            response = _json({"status": "unavailable", "reason": str(error)})
            response.status_code = 503
            response.headers["Retry-After"] = "2"
            return response
        # Without Redis everything still converges: what waits is found in SQL.
        return _json({"status": "ok" if ping() else "degraded"})

    @health.get("/metrics")
    def metrics() -> Response:
        own = None if _is_local() else account(services).id
        return Response(_metrics(services, own), content_type=CONTENT_TYPE_LATEST)

    return health


def _json(told: dict[str, str]) -> Response:
    return Response(json.dumps(told), content_type="application/json")


def _is_local() -> bool:
    """Say whether the caller sits on this machine, not behind a proxy on it."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _metrics(services: Services, account_id: AccountId | None) -> bytes:
    """Count in SQL, so that every process of the web server tells the same."""
    with services.store.reading() as unit:
        came, goes = unit.inbox_backlog(account_id), unit.outbox_backlog(account_id)
    values = {
        "bb_inbox_pending": ("Deliveries and events that wait", came.pending),
        "bb_outbox_pending": ("Writes to CRMs that wait", goes.pending),
        "bb_outbox_held": ("Writes to CRMs that a person has to release", goes.held),
        "bb_dead_letters": ("Rows put aside with their reason", came.parked + goes.parked),
        "bb_inbox_oldest_age_seconds": (
            "Age of the oldest that waits",
            age(came, services.now()) or 0.0,
        ),
    }
    registry = CollectorRegistry()
    for name, (text, value) in values.items():
        Gauge(name, text, registry=registry).set(value)
    return generate_latest(registry)
