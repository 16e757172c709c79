"""What every endpoint does: read bytes, keep one durable row, wake a worker, answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from flask import Request, Response
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

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
    """Run an endpoint and turn its errors into the answer that the sender understands."""
    trace = uuid.uuid4().hex
    try:
        receive(trace)
    except DeliveryRefused as error:
        log.warning("delivery_refused", system=system, status=error.status, reason=str(error))
        return _plain(error.status, str(error))
    except StoreBusy as error:
        log.warning("delivery_put_off", system=system, reason=str(error))
        response = _plain(503, "try again")
        response.headers["Retry-After"] = "2"
        return response
    return _plain(success, "")


def _plain(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
