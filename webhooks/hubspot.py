"""HubSpot's webhooks: verify over the raw bytes, keep, wake, 204. Nothing else."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from connector.domain.errors import DeliveryRefused
from webhooks.intake import Intake, Sender, answer, read_body
from webhooks.verify import hubspot_v1, hubspot_v3

SYSTEM = "hubspot"
MOST = 1024 * 1024
# What an id of ours looks like; anything else is not even looked up.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def blueprint(intake: Intake, public_url: str) -> Blueprint:
    """Return HubSpot's two endpoints: one a connection, and the app's."""
    routes = Blueprint("webhooks_hubspot", __name__)

    @routes.post("/webhooks/hubspot/<connection_id>")
    def of_connection(connection_id: str) -> Response:
        def receive(trace: str) -> None:
            sender = (
                intake.sender(SYSTEM, connection_id) if _NAME.fullmatch(connection_id) else None
            )
            if sender is None:
                raise DeliveryRefused("there is no such connection", status=404)
            body = read_body(request, MOST)
            _verify(intake, sender, f"{public_url}{_target()}", body)
            intake.keep(SYSTEM, sender, body, trace)

        return answer(SYSTEM, receive, success=204)

    @routes.post("/webhooks/hubspot")
    def of_app() -> Response:
        def receive(trace: str) -> None:
            body = read_body(request, MOST)
            secret = intake.app_secret(SYSTEM)
            if not secret:
                raise DeliveryRefused(
                    "no app secret is set: CONNECTOR_HUBSPOT_CLIENT_SECRET", status=401
                )
            url = f"{public_url}{_target()}"
            hubspot_v3(secret, request.method, url, body, request.headers, intake.now())
            intake.keep(SYSTEM, None, body, trace)

        return answer(SYSTEM, receive, success=204)

    return routes


def _target() -> str:
    """Return path and query as the sender wrote them; the host never comes from a header."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if raw.startswith("/"):
        return str(raw)
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path


def _verify(intake: Intake, sender: Sender, url: str, body: bytes) -> None:
    if sender.signature == "v1":
        hubspot_v1(sender.secret, body, request.headers)
    else:
        hubspot_v3(sender.secret, request.method, url, body, request.headers, intake.now())
