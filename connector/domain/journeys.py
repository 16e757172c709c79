"""Journeys: what visitors did, in our words. Standard library only.

Batches make tens of thousands of these: a named tuple is made in a third of the time that a frozen
dataclass takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from connector.domain.facts import ProfileId

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Known(StrEnum):
    """How well a visitor is known; it only ever grows."""

    ANONYMOUS = "anonymous"
    IDENTIFIED = "identified"  # typed an e-mail, which proves nothing
    VERIFIED = "verified"  # signed in


class Alias(NamedTuple):
    """A name by which a visitor comes: a device, the platform's user, an e-mail in lower case."""

    kind: str  # device, user, email
    value: str


class JourneyEvent(NamedTuple):
    """Something a visitor did.

    `key` is the same for every delivery of the same event of one connection. Texts are "" where
    nothing was said. `origin` holds referrer and utm_*; `person` first_name, last_name, company,
    provider; `engagement` numbers by name; `more` whatever else the sender said, with the `move_id`
    of the move that it tells of.
    """

    key: str
    type: str
    occurred_at: datetime
    code: str = ""
    device_id: str = ""
    user_id: str = ""
    email: str = ""
    known: Known = Known.ANONYMOUS
    lead_stage: int | None = None
    url: str = ""
    title: str = ""
    form_id: str = ""
    form_name: str = ""
    origin: Mapping[str, str] = _NOTHING
    person: Mapping[str, str] = _NOTHING
    client: Mapping[str, str] = _NOTHING
    engagement: Mapping[str, float] = _NOTHING
    more: Mapping[str, object] = _NOTHING

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """The names that the visitor came by, the best first."""
        told = (("email", self.email), ("user", self.user_id), ("device", self.device_id))
        return tuple(Alias(kind, value) for kind, value in told if value)


class Happened(NamedTuple):
    """A journey event of a profile, as it is kept; `id` grows in the order of arrival."""

    id: int
    profile_id: ProfileId
    event: JourneyEvent
    received_at: datetime
    silent: bool = False


class Visitor(NamedTuple):
    """What a profile's journey says of it so far.

    `origin` is that of the first visit that told one, made at `origin_at`; `reward_at` is when an
    open reward was shown, None where there is none.
    """

    profile_id: ProfileId
    known: Known = Known.ANONYMOUS
    origin: Mapping[str, str] = _NOTHING
    person: Mapping[str, str] = _NOTHING
    first_at: datetime | None = None
    last_at: datetime | None = None
    identified_at: datetime | None = None
    verified_at: datetime | None = None
    reward_at: datetime | None = None
    origin_at: datetime | None = None
