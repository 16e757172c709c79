"""What the pipeline works with; built once by connector.bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from connector.domain.journeys import JourneyEvent
from connector.domain.keeping import Keeping
from connector.domain.visiting import Capture
from connector.pipeline.serving import Shelf
from connector.ports import Crm, Reader, Unread
from connector.ports_platform import Courier, JourneyReader
from connector.stored import Connection, Delivery

if TYPE_CHECKING:
    from connector.store.store import Store


JobName = Literal["split", "drain", "deliver", "train"]


class Wake(Protocol):
    """Wakes a worker; may fail silently, because whatever waits is found in SQL anyway."""

    def __call__(self, job: JobName, key: str, /) -> bool:
        """Wake a worker for one job on one key; say whether the call went through."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """An open line to a CRM; `state` is what the next holder of the lease goes on with."""

    crm: Crm
    state: Callable[[], Any]


Keep = Callable[[Mapping[str, str], "datetime | None"], None]


class Dial(Protocol):
    """Opens a line to a CRM; `keep` stores tokens that were renewed, before they are used."""

    def __call__(
        self, connection: Connection, secrets: Mapping[str, str], keep: Keep, note: Any, /
    ) -> Line:
        """Return an open line, going on from the last holder's note; raise CrmError."""
        ...


# Reads a delivery's journey events; raises Unreadable.
ReadJourneys = Callable[["Services", Delivery], Sequence[JourneyEvent | Unread]]


@dataclass(frozen=True, slots=True)
class Visiting:
    """What an operator sets about visitors.

    `reward_lasts` is how long a reward stays open, `per_day` how many events of one type are kept
    of a profile and day.
    """

    capture: Capture = Capture.TYPED
    reward_lasts: timedelta = timedelta(days=14)
    per_day: int = 200


@dataclass(frozen=True, slots=True)
class Services:
    """Everything with an outside; `now`, ids and calls come from here."""

    store: Store
    wake: Wake
    dial: Dial
    readers: Mapping[str, Reader]
    platform: JourneyReader
    bulk_origins: Mapping[str, frozenset[str]]
    apps: Mapping[str, str]
    now: Callable[[], datetime]
    new_id: Callable[[str], str]
    pause: Callable[[float], None]
    brake_per_hour: int = 500
    bulk_per_minute: int = 300
    keeping: Keeping = field(default_factory=Keeping)
    poll_every: timedelta | None = None
    poll_overlap: timedelta = timedelta(minutes=5)
    journey_readers: Mapping[str, ReadJourneys] = field(default_factory=dict)
    visiting: Visiting = field(default_factory=Visiting)
    rules_rest: timedelta = timedelta(days=30)
    courier: Courier | None = None
    shelf: Shelf = field(default_factory=Shelf)
