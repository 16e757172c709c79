"""The way in for webhooks: a piece of WSGI in front of Flask, which costs more than a webhook does.

Flask's request, routing and response take longer than verifying and keeping a delivery together
(docs/adr/0013-webhooks-before-flask.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from connector import figures, trace
from connector.domain.errors import DeliveryRefused, StoreBusy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)
PREFIX = "/webhooks/"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# So much of a body that is too large is read all the same: a sender who is still sending when the
# line is closed sees a broken connection, not the answer.
MOST_PASSED_OVER = 64 * 1024 * 1024
_PIECE = 64 * 1024
CONTENT_TYPE = ("Content-Type", "text/plain; charset=utf-8")


class Call:
    """A request as the server hands it over (PEP 3333)."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    @property
    def method(self) -> str:
        """The method."""
        return str(self._environ["REQUEST_METHOD"])

    @property
    def target(self) -> str:
        """Path and query as the sender wrote them; the host never comes from a header."""
        raw = self._environ.get("RAW_URI") or self._environ.get("REQUEST_URI") or ""
        if raw.startswith("/"):
            return str(raw)
        path, query = self._environ.get("PATH_INFO", ""), self._environ.get("QUERY_STRING", "")
        return f"{path}?{query}" if query else str(path)

    def get(self, name: str, default: str = "", /) -> str:
        """Return a header's text, or the default."""
        return str(self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", default))

    def body(self, most: int) -> bytes:
        """Return the bytes that were sent; refuse more than `most`.

        A body that comes in chunks has no length to look at: it is cut one byte behind the limit.
        """
        told = self._environ.get("CONTENT_LENGTH")
        length = int(told) if told and told.isdecimal() else None
        if length is not None and length > most:
            self._pass_over(length)
            raise _too_large(most)
        cut = None if length is not None else most + 1
        try:
            body = bytes(get_input_stream(self._environ, max_content_length=cut).read())
        except RequestEntityTooLarge as error:
            raise _too_large(most) from error
        except ClientDisconnected as error:
            raise _hung_up() from error
        if len(body) > most:
            self._pass_over(MOST_PASSED_OVER)
            raise _too_large(most)
        if length is not None and len(body) < length:
            raise _hung_up()
        return body

    def _pass_over(self, length: int) -> None:
        """Read what nobody wants, a piece at a time; what is very much is left."""
        stream, left = self._environ["wsgi.input"], min(length, MOST_PASSED_OVER)
        while left > 0 and (piece := stream.read(min(left, _PIECE))):
            left -= len(piece)


def _too_large(most: int) -> DeliveryRefused:
    return DeliveryRefused(f"the body is larger than {most} bytes", status=413)


def _hung_up() -> DeliveryRefused:
    return DeliveryRefused("the sender hung up", status=400)


class Endpoint(Protocol):
    """One sender's side of the door: `success` is the status that it takes for a yes."""

    success: int

    def receive(self, call: Call, names: Sequence[str], trace: str) -> None:
        """Verify and keep a delivery; `names`: what the path says behind the system.

        Raises DeliveryRefused with the status to answer, StoreBusy when it can't be kept now.
        """
        ...


class Answer(NamedTuple):
    """What to say to a sender, and what that is called in the figures."""

    result: str
    status: int
    text: str = ""
    headers: Sequence[tuple[str, str]] = ()


class Door:
    """Answers what is posted under `/webhooks/{system}`; all else goes on to the app.

    `headers` guard every answer.
    """

    def __init__(
        self, app: WSGIApplication, endpoints: Mapping[str, Endpoint], headers: Mapping[str, str]
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._headers = [CONTENT_TYPE, *headers.items()]
        self._log = log.bind()  # made once: a logger that is looked up costs more than a line

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request, and say so in the log once."""
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(PREFIX):
            return self._app(environ, start)
        system, *names = path[len(PREFIX) :].split("/")
        if system not in self._endpoints:
            return self._app(environ, start)
        answer = self._answer(system, Call(environ), names)
        text = answer.text.encode()
        length = [] if answer.status == HTTPStatus.NO_CONTENT else [_length(text)]
        start(STATUS_LINES[answer.status], [*self._headers, *answer.headers, *length])
        return [text]

    def _answer(self, system: str, call: Call, names: Sequence[str]) -> Answer:
        if call.method != "POST":
            return Answer("refused", 405, "webhooks are posted", [("Allow", "POST")])
        began = time.perf_counter()
        told = {"system": system, "trace": trace.accept(call.get(trace.HEADER))}
        answer = self._received(self._endpoints[system], call, names, told)
        figures.count("bb_ingest_requests_total", source=system, result=answer.result)
        if answer.result == "kept":
            seconds = time.perf_counter() - began
            figures.observe("bb_ingest_ack_seconds", seconds)
            took = round(seconds * 1000, 1)
            self._log.info("delivery_kept", **told, status=answer.status, dur_ms=took)
        return answer

    def _received(
        self, endpoint: Endpoint, call: Call, names: Sequence[str], told: Mapping[str, str]
    ) -> Answer:
        """Let an endpoint receive; turn its errors into an answer that the sender understands."""
        try:
            endpoint.receive(call, names, told["trace"])
        except DeliveryRefused as error:
            self._log.warning("delivery_refused", **told, status=error.status, reason=str(error))
            return Answer("refused", error.status, str(error))
        except StoreBusy as error:
            self._log.warning("delivery_put_off", **told, status=503, reason=str(error))
            return Answer("put_off", 503, "try again", [("Retry-After", "2")])
        except Exception:  # noqa: BLE001
            # Nothing is said to the sender of what broke: that is in the log.
            self._log.exception("request_failed", **told)
            return Answer("failed", 500)
        return Answer("kept", endpoint.success)


def _length(text: bytes) -> tuple[str, str]:
    return "Content-Length", str(len(text))
