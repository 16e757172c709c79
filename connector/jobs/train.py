"""RQ's way in to learning a model."""

from __future__ import annotations

from connector.bootstrap import services, waker
from connector.domain.facts import AccountId


def train(account_id: str) -> None:
    """Learn from an account's customers, where that is wanted."""
    from connector.pipeline import training  # noqa: PLC0415 - scikit-learn is for the trainer only

    waker().clear("train", account_id)
    training.train(services(), AccountId(account_id))
