"""What the endpoints need of the inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connector.domain.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """The connection that a webhook URL belongs to, with what it is verified by now.

    While one secret takes over from another both are active; the newest stands first.
    """

    account_id: str
    connection_id: str
    signature: str
    secrets: tuple[str, ...] = field(repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)


class Intake(Protocol):
    """Who sends, where it is kept, what time it is."""

    def sender(self, system: str, connection_id: str, *, anew: bool = False) -> Sender | None:
        """Return who a URL belongs to, None if nobody; `anew` looks it up whatever is known."""
        ...

    def app_secret(self, system: str) -> str:
        """Return the secret of our app at a vendor, "" while none is set."""
        ...

    def keep(self, system: str, sender: Sender | None, body: bytes, trace: str) -> None:
        """Keep a delivery durably, then wake a worker; raise StoreBusy."""
        ...

    def now(self) -> datetime:
        """Return the time."""
        ...


def prove(intake: Intake, system: str, sender: Sender, check: Callable[[Sender], None]) -> None:
    """Check a delivery by what its sender is verified by; raise DeliveryRefused.

    What fails is checked once more by what is stored now: keys may have been replaced meanwhile.
    """
    try:
        check(sender)
    except DeliveryRefused:
        now = intake.sender(system, sender.connection_id, anew=True)
        if now is None or now == sender:
            raise
        check(now)
