"""Every table that has a module of its own: imported here, they are all known."""

from __future__ import annotations

from connector.store.answers import answer
from connector.store.columns import metadata
from connector.store.ledgers import entry
from connector.store.rules import rule
from connector.store.tables_creation import creation
from connector.store.tables_handoff import handoff
from connector.store.tables_journeys import alias, journey
from connector.store.tables_polls import poll
from connector.store.tables_pulse import pulse, tally
from connector.store.tables_scores import score
from connector.store.wordings import wording

__all__ = [
    "alias",
    "answer",
    "creation",
    "entry",
    "handoff",
    "journey",
    "metadata",
    "poll",
    "pulse",
    "rule",
    "score",
    "tally",
    "wording",
]
