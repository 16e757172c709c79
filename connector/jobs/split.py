"""RQ's way in to splitting deliveries."""

from __future__ import annotations

from datetime import timedelta

from connector.bootstrap import services, waker
from connector.pipeline import split as pipeline

# Other jobs have their turn after so long.
TURN = timedelta(seconds=0.5)


def split(name: str = "all") -> None:
    """Split what waits and wake the accounts that it is for."""
    waker().clear("split", name)
    for account_id in sorted(pipeline.split(services(), TURN)):
        services().wake("drain", account_id)
