"""RQ's way in to splitting deliveries."""

from __future__ import annotations

from connector.bootstrap import services, waker
from connector.pipeline import split as pipeline


def split(name: str = "all") -> None:
    """Split what waits and wake the accounts that it is for."""
    waker().clear("split", name)
    for account_id in sorted(pipeline.split(services())):
        services().wake("drain", account_id)
