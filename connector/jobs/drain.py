"""RQ's way in to working an account's events off."""

from __future__ import annotations

from datetime import timedelta

from connector import figures
from connector.bootstrap import services, waker
from connector.domain.facts import AccountId
from connector.pipeline import drain as pipeline

# Other jobs have their turn after so long.
TURN = timedelta(seconds=0.5)


def drain(account_id: str) -> None:
    """Work off what waits for an account."""
    waker().clear("drain", account_id)
    with figures.timed("bb_drain_seconds"):
        pipeline.drain(services(), AccountId(account_id), TURN)
