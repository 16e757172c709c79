"""RQ's way in to learning a model."""

from __future__ import annotations

from connector.bootstrap import services, waker
from connector.domain.facts import AccountId
from connector.pipeline.modelling import give_up


def train(account_id: str) -> None:
    """Learn from an account's customers, where that is wanted."""
    waker().clear("train", account_id)
    try:
        from connector.pipeline import training  # noqa: PLC0415 - scikit-learn is for the trainer
    except (ImportError, MemoryError) as error:  # there is not even the memory to load it
        give_up(services(), AccountId(account_id), f"{type(error).__name__}: {error}")
        raise
    training.train(services(), AccountId(account_id))
