"""RQ's way in to a connection's traffic with its CRM."""

from __future__ import annotations

from connector.bootstrap import services, waker
from connector.pipeline import outgoing as pipeline


def deliver(connection_id: str) -> None:
    """Do what waits at a connection."""
    waker().clear("deliver", connection_id)
    pipeline.deliver(services(), connection_id)
