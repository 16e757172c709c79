"""Moves and scores as they are told to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.domain.facts import AccountId, ConnectionId, ProfileId
from connector.domain.slots import Slot
from connector.domain.steps import Actor


@dataclass(frozen=True, slots=True)
class Target:
    """Where a connection's moves are told, with the secret that signs them; `silent` ones too."""

    connection_id: ConnectionId
    url: str
    secret: str = field(repr=False)
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A profile that stands in another slot now; `message` is the same for every attempt.

    `step_key` and `occurred_at` name the move that led there. With a `score_state` it is a new
    score that is told, of a profile that stays where it is.
    """

    message: str
    profile_id: ProfileId
    start: Slot | None
    goal: Slot
    actor: Actor
    step_key: str
    occurred_at: datetime
    silent: bool = False
    score: int | None = None
    score_state: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A move or a score that waits to be told, or was."""

    id: int
    account_id: AccountId
    connection_id: ConnectionId
    profile_id: ProfileId
    message: str
    move_id: int
    start: int | None
    goal: int
    actor: str
    occurred_at: datetime
    attempts: int = 0
    score: int | None = None
    score_state: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """The names by which the platform knows a visitor, oldest first."""

    devices: Sequence[str] = ()
    users: Sequence[str] = ()
    emails: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self.devices or self.users or self.emails)
