"""Errors as RFC 9457 problem details; webhooks have a door of their own."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from connector.api.words import Problem
from connector.domain.errors import (
    ConfigurationRefused,
    ConnectorError,
    CrmError,
    LeaseLost,
    MoveRefused,
    NotFound,
    Refused,
    StoreBusy,
    Unauthorized,
)

log = structlog.get_logger(__name__)
CONTENT_TYPE = "application/problem+json"
# The first that fits; what is not here is our own fault.
STATUSES: tuple[tuple[type[ConnectorError], HTTPStatus], ...] = (
    (ConfigurationRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MoveRefused, HTTPStatus.CONFLICT),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (Refused, HTTPStatus.CONFLICT),
    (StoreBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (LeaseLost, HTTPStatus.SERVICE_UNAVAILABLE),
    (CrmError, HTTPStatus.BAD_GATEWAY),
)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def speak(app: Flask) -> None:
    """Have the app answer errors as problems, and guard every answer with headers."""
    app.register_error_handler(ConnectorError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
    app.after_request(_guard)


def problem(status: int, detail: str, faults: tuple[str, ...] | None = None) -> Response:
    """Return an error as a problem."""
    told = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        faults=list(faults) if faults is not None else None,
    )
    body = told.model_dump_json(exclude_none=True)
    return Response(body, status=status, content_type=CONTENT_TYPE)


def _refused(error: ConnectorError) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), None)
    if status is None:
        return _broken(error)
    faults = error.faults if isinstance(error, ConfigurationRefused) else None
    response = problem(status, str(error), faults)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="connector"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(ceil(error.retry_in or 1.0))
    return response


def _http(error: HTTPException) -> HTTPException | Response:
    """Keep an error's status and headers (Allow, say); a redirect stays what it is."""
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if code < HTTPStatus.BAD_REQUEST:
        return error
    response = problem(code, error.description or "")
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _broken(error: Exception) -> Response:
    """Say nothing to the caller of what broke: that is in the log."""
    rule = request.url_rule.rule if request.url_rule else ""
    log.error("request_failed", method=request.method, rule=rule, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, "something broke here; the log of the web process says what")


def _guard(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
