"""RQ's way in to a connection's traffic with its CRM."""

from __future__ import annotations

from datetime import timedelta

from connector.bootstrap import services, waker
from connector.pipeline import outgoing as pipeline

# Other jobs have their turn after so long.
TURN = timedelta(seconds=0.5)


def deliver(connection_id: str) -> None:
    """Do what waits at a connection."""
    waker().clear("deliver", connection_id)
    pipeline.deliver(services(), connection_id, TURN)
