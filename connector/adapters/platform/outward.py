"""Webhooks out: to a place that an admin named, and never to one inside the network.

The name is resolved once, every address that it has is checked, and the connection goes to the
very address that was checked: what the name means a moment later does not matter. No redirect
is followed.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_bytes
from socket import SHUT_RDWR, SOCK_STREAM, create_connection, getaddrinfo
from threading import Thread, Timer
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from connector.adapters.platform.signing import key_of, secret_of, sign
from connector.domain.errors import CrmDown, CrmRefused
from connector.ports_platform import Message, Reply

Resolve = Callable[[str, int], Sequence[str]]

TIMEOUT = 5.0  # of one step: to connect, to wait for bytes
DEADLINE = 15.0  # of the whole call, the look-up of the name and slowly dripping bytes included
MOST = 64 * 1024
LONGEST_WAIT = 24 * 3600.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Addresses that carry another one, or mean something inside one site (RFC 3056, 4380, 6052, 3879,
# 7526), and those for documents that Python does not know of yet (RFC 9637).
_CLOSED = tuple(
    ip_network(one)
    for one in (
        *("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "fec0::/10"),
        *("192.88.99.0/24", "3fff::/20"),
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: `address` is the one that was checked."""

    host: str
    port: int
    path: str
    tls: bool
    address: str


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host."""
    return [str(found[4][0]) for found in getaddrinfo(host, port, type=SOCK_STREAM)]


class Outward:
    """Posts signed messages; with `allow_loopback` also to http://127.0.0.1, for simulators."""

    def __init__(
        self, *, allow_loopback: bool, resolve: Resolve = resolved, deadline: float = DEADLINE
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolve = resolve
        self._deadline = deadline

    def fault(self, url: str) -> str:
        """Say why nothing may be sent there, "" where it may."""
        try:
            self._place(url)
        except (CrmRefused, CrmDown) as error:
            return str(error)
        return ""

    def secret(self, given: str = "") -> str:
        """Return a secret that signs: the one given, or a new one. Raises ValueError."""
        if given:
            key_of(given)
        return given or secret_of(token_bytes(32))

    def tell(self, url: str, secret: str, message: Message) -> Reply:
        """Send a message; raise CrmRefused for a forbidden place, CrmDown where nobody answers."""
        end = monotonic() + self._deadline
        place = self._place(url)
        headers = {
            "content-type": "application/json",
            "user-agent": "breadbutter-connector",
            "webhook-id": message.id,
            "webhook-timestamp": str(message.at),
            "webhook-signature": sign(secret, message.id, message.at, message.body),
        }
        try:
            with _line(place, max(end - monotonic(), 0.0)) as line:
                line.request("POST", place.path, message.body, headers)
                reply = line.getresponse()
                reply.read(MOST)
                wait = reply.headers.get("retry-after", "")
        except (OSError, HTTPException) as error:
            raise CrmDown(f"{place.host} did not answer: {type(error).__name__}") from error
        return Reply(reply.status, min(float(wait), LONGEST_WAIT) if wait.isdecimal() else None)

    def _place(self, url: str) -> Place:
        parts = _split(url)
        host, tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        is_twin = self._allow_loopback and parts.scheme == "http" and host in _LOOPBACK
        if not (tls or is_twin):
            raise CrmRefused(f"{url} is no https address")
        try:
            addresses = _in_time(lambda: self._resolve(host, port), self._deadline)
        except (OSError, UnicodeError) as error:
            raise CrmDown(f"{host} has no address") from error
        wrong = [one for one in addresses if not (is_public(one) or (is_twin and is_loopback(one)))]
        if wrong or not addresses:
            raise CrmRefused(f"{host} is an address inside a network: nothing is sent there")
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        return Place(host, port, path, tls, addresses[0])


def _in_time(look_up: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """Return what a look-up finds; raise TimeoutError (an OSError) where it takes too long.

    Nothing ends one from outside, so that it is left behind in a thread of its own.
    """
    found: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            found.set_result(look_up())
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    Thread(target=run, daemon=True).start()
    return found.result(seconds)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        clean = parts.hostname and parts.port != 0 and not (parts.username or parts.password)
    except ValueError as error:
        raise CrmRefused(f"{url} is no address") from error
    if not clean or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise CrmRefused("the address must have a host, and neither a login nor a fragment")
    return parts


def is_public(address: str) -> bool:
    """Say whether an address is one of the open internet."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return is_public(str(found.ipv4_mapped))
    if any(found in closed for closed in _CLOSED):
        return False
    inner = found.is_private or found.is_loopback or found.is_link_local or found.is_unspecified
    return found.is_global and not (inner or found.is_multicast or found.is_reserved)


def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own."""
    return ip_address(address).is_loopback


class _Line(HTTPConnection):
    """A connection to the address that was checked; TLS is to the name."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.host, place.port, timeout=TIMEOUT)
        self._place = place
        self.default_port = 443 if place.tls else 80

    def connect(self) -> None:
        """Connect."""
        self.sock = create_connection((self._place.address, self._place.port), TIMEOUT)
        if self._place.tls:
            # The handshake comes after, so that it too can be cut.
            tls = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self._place.host, do_handshake_on_connect=False
            )
            self.sock = tls
            tls.do_handshake()

    def cut(self) -> None:
        """End the call from outside: whoever waits for it gets an error."""
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(SHUT_RDWR)


@contextmanager
def _line(place: Place, deadline: float) -> Iterator[_Line]:
    line = _Line(place)
    timer = Timer(deadline, line.cut)
    timer.daemon = True
    timer.start()
    try:
        yield line
    finally:
        timer.cancel()
        line.close()
