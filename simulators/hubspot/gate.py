"""What happens around a call: faults, the token, scopes, limits, and the log of calls."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from flask import Response, g, request

from . import people
from .errors import ApiError
from .limits import too_many
from .paths import check_version
from .tokens import missing_scope
from .wire import WIRE
from .world import world

if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Fault

CONTROL = "/_twin"
BEFORE_SERVING = {"status", "429", "timeout", "reset", "html502"}

# Which scope a path needs (section 5.2): to read, to write.
SCOPES = (
    (r"^/crm/(v\d/)?objects/.*(contacts|0-1)\b", "crm.objects.contacts"),
    (r"^/crm/(v\d/)?objects/.*(companies|0-2)\b", "crm.objects.companies"),
    (r"^/crm/(v\d/)?objects/.*(deals|0-3)\b", "crm.objects.deals"),
    (r"^/crm/(v\d/)?properties/.*contacts?\b", "crm.schemas.contacts"),
    (r"^/crm/(v\d/)?properties/.*(company|companies)\b", "crm.schemas.companies"),
    (r"^/crm/(v\d/)?properties/.*deals?\b", "crm.schemas.deals"),
    (r"^/crm/(v\d/)?owners", "crm.objects.owners"),
    (r"^/communication-preferences/.*/batch/", "communication_preferences.statuses.batch"),
    (r"^/communication-preferences/", "communication_preferences"),
)
READS = re.compile(r"/(search|batch/read|unsubscribe-all/read)$")


def before() -> Response | None:
    """Let a call through, or answer it here; control calls always pass."""
    g.started, g.inputs, g.fault, g.headers = time.perf_counter(), 0, None, {}
    if request.path.startswith(CONTROL):
        return None
    g.at = world().portal.now()
    g.fault = world().faults.take(request.path, request.method)
    if g.fault:
        reply = _strike(g.fault)
        if reply is not None:
            return reply
    return _admit()


def _admit() -> Response | None:
    try:
        check_version()
        if request.path.startswith("/oauth/"):
            return None
        g.source = world().tokens.check(request.headers.get("Authorization"))
        _check_scope()
        g.headers = world().limits.pass_one(search=request.path.endswith("/search"))
    except ApiError as error:
        return error.response()
    return None


def _check_scope() -> None:
    reading = request.method == "GET" or bool(READS.search(request.path))
    for pattern, stem in SCOPES:
        if re.search(pattern, request.path):
            scope = f"{stem}.{'read' if reading else 'write'}"
            if scope in world().config.missing_scopes:
                raise missing_scope(scope)
            return


def _strike(fault: Fault) -> Response | None:
    act = _BEFORE.get(fault.do)
    return act(fault) if act else None


def _status(fault: Fault) -> Response:
    body = fault.more.get("body", {"status": "error", "message": "internal error"})
    headers = {name: str(value) for name, value in fault.more.get("headers", {}).items()}
    return ApiError(int(fault.more.get("status", 500)), body, headers).response()


def _too_many(fault: Fault) -> Response:
    after = fault.more.get("retry_after")
    headers = {} if after is None else {"Retry-After": str(after)}
    return too_many(fault.more.get("policy", "TEN_SECONDLY_ROLLING"), headers).response()


def _silence(fault: Fault) -> Response:
    _wait(fault, 30)
    return _cut("close")


def _delay(fault: Fault) -> None:
    _wait(fault, 1)


def _bad_gateway(_: Fault) -> Response:
    html = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"
    return Response(html, 502, content_type="text/html")


def _edit(fault: Fault) -> None:
    with world().portal.lock:
        people.edit(world().portal, fault.more)


def _cut(how: str) -> Response:
    request.environ[WIRE] = how
    return Response(status=499)


def _wait(fault: Fault, default: float) -> None:
    world().stopping.wait(float(fault.more.get("seconds", default)))


_BEFORE: dict[str, Callable[[Fault], Response | None]] = {
    "status": _status,
    "429": _too_many,
    "timeout": _silence,
    "delay": _delay,
    "reset": lambda _: _cut("reset"),
    "html502": _bad_gateway,
    "before": _edit,
}


def after(reply: Response) -> Response:
    """Add the rate headers, let a fault spoil the answer, and write the call down."""
    if request.path.startswith(CONTROL):
        return reply
    reply.headers.extend(g.headers)
    if g.fault:
        _spoil(g.fault, reply)
    world().calls.append(
        {
            "at": g.at,
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "status": reply.status_code,
            "inputs": g.inputs,
            "ms": round((time.perf_counter() - g.started) * 1000, 2),
            "app_id": g.source.id if "source" in g else None,
            "fault": g.fault.do if g.fault else None,
        }
    )
    return reply


def _spoil(fault: Fault, reply: Response) -> None:
    if fault.do == "hang":
        _wait(fault, 30)
    elif fault.do == "drop_reply":
        _cut("close")
    elif fault.do == "bad_json":
        reply.set_data(reply.get_data()[: len(reply.get_data()) // 2])
    elif fault.do == "after":
        _edit(fault)
