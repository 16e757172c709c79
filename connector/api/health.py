"""What load balancers and Prometheus ask."""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST

from connector.api import metrics as told
from connector.api.dispatch import account
from connector.domain.errors import ConnectorError, StoreBusy

if TYPE_CHECKING:
    from connector.pipeline.services import Services

# A proxy in front of us is on the loopback interface too; it says for whom it asks.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
# With less room than this a delivery is soon turned away anyway.
ROOM = 64 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is to know beside the store: Redis, the schema, the disk, who may see all."""

    ping: Callable[[], bool]
    schema: Callable[[], str]
    free: Callable[[], int]
    token: str = ""


class NotReady(ConnectorError):
    """Nothing can be taken in at the moment."""


def blueprint(services: Services, around: Surroundings) -> Blueprint:
    """Return the three endpoints."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok"})

    @health.get("/readyz")
    def readyz() -> Response:
        try:
            _check(services, around)
        except (StoreBusy, NotReady) as error:
            response = _json({"status": "unavailable", "reason": str(error)})
            response.status_code = 503
            response.headers["Retry-After"] = "2"
            return response
        # Without Redis everything still converges: what waits is found in SQL.
        return _json({"status": "ok" if around.ping() else "degraded"})

    @health.get("/metrics")
    def metrics() -> Response:
        if _is_local() or _has_token(around.token):
            room = {"bb_disk_free_bytes": around.free(), "bb_redis_up": float(around.ping())}
            text = told.of_house(services, room)
        else:
            text = told.of_account(services, account(services).id)
        return Response(text, content_type=CONTENT_TYPE_LATEST)

    return health


def _check(services: Services, around: Surroundings) -> None:
    """Prove that a delivery could be kept and worked on."""
    free = around.free()
    if free < ROOM:
        raise NotReady(f"the disk is full: {free // 2**20} MB free")
    with services.store.writing() as unit:
        unit.probe()
    if around.schema() == "older":
        raise NotReady("the database waits for its migrations")


def _json(found: dict[str, str]) -> Response:
    return Response(json.dumps(found), content_type="application/json")


def _has_token(token: str) -> bool:
    """Say whether the caller brought the installation's own token, where one is set."""
    sent = request.authorization
    given = sent.token if sent is not None and sent.type == "bearer" else None
    return bool(token and given) and hmac.compare_digest(str(given).encode(), token.encode())


def _is_local() -> bool:
    """Say whether the caller sits on this machine, not behind a proxy on it."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
