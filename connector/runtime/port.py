"""Whether a port is free, asked before anything is started on it."""

from __future__ import annotations

import errno
import socket
import time

from connector.domain.errors import ConnectorError

PATIENCE = 3.0  # seconds; an old process may be leaving just now


class PortTaken(ConnectorError):
    """Another program listens where we should."""

    advice = "stop it, or set CONNECTOR_PORT (or CONNECTOR_HOST) to something else"


def wait_for_port(host: str, port: int, patience: float = PATIENCE) -> None:
    """Return when nobody listens there; granian itself would share the port without a word."""
    until = time.monotonic() + patience
    while (reason := _why_not(host, port)) is not None:
        if time.monotonic() >= until:
            raise PortTaken(f"can't listen on {host} port {port}: {reason}")
        time.sleep(0.1)


def _why_not(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            return "another program listens there" if taken else str(error)
    return None
