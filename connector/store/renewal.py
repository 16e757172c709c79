"""Keeps a lease while its holder is at work for longer than a lease lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connector.domain.errors import ConnectorError


@contextmanager
def renewed(renew: Callable[[], None], every: float) -> Iterator[None]:
    """Renew again and again until the block ends, or the lease is lost: then the fence tells."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(every):
            try:
                renew()
            except ConnectorError:
                continue  # busy now: there is time for another try; lost: the next write says so

    thread = threading.Thread(target=work, name="renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
