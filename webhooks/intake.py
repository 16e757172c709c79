"""What every endpoint does: read bytes, keep one durable row, wake a worker, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from flask import Request, Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from connector import figures, trace
from connector.domain.errors import DeliveryRefused, StoreBusy

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """The connection that a webhook URL belongs to, with what it is verified by."""

    account_id: str
    connection_id: str
    signature: str
    secret: str


class Intake(Protocol):
    """What the endpoints need of the inside."""

    def sender(self, system: str, connection_id: str) -> Sender | None:
        """Return who a URL belongs to, None if nobody."""
        ...

    def app_secret(self, system: str) -> str:
        """Return the secret of our app at a vendor, "" while none is set."""
        ...

    def keep(self, system: str, sender: Sender | None, body: bytes, trace: str) -> None:
        """Keep a delivery durably, then wake a worker; raise StoreBusy."""
        ...

    def now(self) -> datetime:
        """Return the time."""
        ...


def read_body(request: Request, most: int) -> bytes:
    """Return the bytes of a request; refuse more than `most`.

    A body that comes in chunks has no length to look at: it is cut one byte behind the limit.
    """
    request.max_content_length = most + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise DeliveryRefused(f"the body is larger than {most} bytes", status=413) from error
    except ClientDisconnected as error:
        raise DeliveryRefused("the sender hung up", status=400) from error
    if len(body) > most:
        raise DeliveryRefused(f"the body is larger than {most} bytes", status=413)
    return body


def answer(system: str, receive: Callable[[str], None], *, success: int) -> Response:
    """Run an endpoint, turn its errors into the answer that the sender understands, say so once."""
    began = time.perf_counter()
    own = trace.accept(request.headers.get(trace.HEADER))
    told = {"system": system, "trace": own}
    try:
        receive(own)
    except DeliveryRefused as error:
        response, result = _plain(error.status, str(error)), "refused"
        log.warning("delivery_refused", **told, status=error.status, reason=str(error))
    except StoreBusy as error:
        response, result = _plain(503, "try again"), "put_off"
        response.headers["Retry-After"] = "2"
        log.warning("delivery_put_off", **told, status=503, reason=str(error))
    else:
        response, result = _plain(success, ""), "kept"
    seconds = time.perf_counter() - began
    figures.count("bb_ingest_requests_total", source=system, result=result)
    if result == "kept":
        figures.observe("bb_ingest_ack_seconds", seconds)
        log.info("delivery_kept", **told, status=success, dur_ms=round(seconds * 1000, 1))
    return response


def _plain(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
