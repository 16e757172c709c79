"""What the inside asks of the platform's side: its bodies read, our moves told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connector.domain.journeys import JourneyEvent
from connector.mapping.journey_words import Words
from connector.ports import Unread


class JourneyReader(Protocol):
    """Reads deliveries of the platform by the words of their connection; pure."""

    def read(self, body: bytes, received_at: datetime, words: Words) -> list[JourneyEvent | Unread]:
        """Return every event of a body; raise Unreadable when there is no telling them apart."""
        ...

    def shape(self, body: bytes) -> object:
        """Return what a body looks like, without what is private in it."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook to be sent; `at` is when, in seconds since 1970."""

    id: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, and in how many seconds to come again, if it said so."""

    status: int
    retry_in: float | None = None


class Courier(Protocol):
    """Sends webhooks to places that admins name."""

    def fault(self, url: str) -> str:
        """Say why nothing may be sent there, "" where it may."""
        ...

    def secret(self, given: str = "") -> str:
        """Return a secret that signs: the one given, or a new one. Raises ValueError."""
        ...

    def tell(self, url: str, secret: str, message: Message) -> Reply:
        """Send a message; raise CrmRefused for a forbidden place, CrmDown where nobody answers."""
        ...
