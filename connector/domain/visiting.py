"""The system's own moves: what a visitor's events do to slots 1, 2, 3 and 10.

Each is a step dated by its event, so that late events give the same slot. Standard library only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.domain.journeys import JourneyEvent, Known, Visitor
from connector.domain.moves import Go, judge
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor, Kind
from connector.domain.visits import OPT_OUT, known_by

# The id by which the platform shows that a change is the echo of one that we told it.
ECHO = "bnb_move_"
CLAIM = "incentive_claimed"
OFFER = "incentive_offered"
ENDS = frozenset({"incentive_expired", "incentive_dismissed"})
STAGE = "stage_changed"


class Capture(StrEnum):
    """Which event leads an unknown visitor into slot 3."""

    TYPED = "identity_conversion"
    PROVEN = "verified_conversion"


@dataclass(frozen=True, slots=True)
class Deed:
    """A step that an event, or the clock, makes; `rank` orders what happens at one moment."""

    kind: Kind
    rank: int
    why: str
    when: datetime
    slot: Slot | None = None
    start: Slot | None = None
    actor: Actor = Actor.SYSTEM

    def id(self, *source: str) -> str:
        """Return its id: the same for the same event however often it is worked on."""
        told = "|".join((*source, self.why, str(self.start), self.when.isoformat()))
        return f"stp_{self.rank}{hashlib.sha256(told.encode()).hexdigest()[:31]}"


def deeds(
    visitor: Visitor,
    event: JourneyEvent,
    when: datetime,
    capture: Capture,
    pipeline: Pipeline,
    *,
    heard: bool,
) -> Iterator[Deed]:
    """Return what an event does to a visitor's slot; `visitor` is what was known without it.

    `heard` says whether an opt-out comes from somebody who may speak for the visitor.
    """
    captured = captured_at(visitor, capture)
    unknown = captured is None or when < captured
    found = list(_while_unknown(event, when, capture)) if unknown else []
    is_first = visitor.first_at is None or when < visitor.first_at
    if is_first and all(one.start is not None for one in found):
        yield Deed(Kind.SHIFT, 0, "visit", when, Slot.ANONYMOUS)
    yield from found
    if event.type == OPT_OUT and heard:
        yield opt_out(when)
    if event.type == STAGE:
        yield from _told(event, when, pipeline)


def opt_out(when: datetime) -> Deed:
    """Return what an opt-out that counts does."""
    return Deed(Kind.OPT_OUT, 6, OPT_OUT, when, Slot.DO_NOT_CONTACT)


def captured_at(visitor: Visitor, capture: Capture) -> datetime | None:
    """Return when a visitor became known enough for slot 3, as far as we know."""
    return visitor.verified_at if capture is Capture.PROVEN else visitor.identified_at


def _while_unknown(event: JourneyEvent, when: datetime, capture: Capture) -> Iterator[Deed]:
    known = known_by(event)
    if known is Known.VERIFIED or (known is Known.IDENTIFIED and capture is Capture.TYPED):
        # A reward is claimed by a sign-in; under an address that was typed it stays open.
        why = CLAIM if event.type == CLAIM and known is Known.VERIFIED else "identity"
        for start in (None, Slot.ANONYMOUS, Slot.INCENTIVIZED):
            yield Deed(Kind.SHIFT, 4, why, when, Slot.QUALIFIED, start)
    elif event.type == OFFER:
        yield Deed(Kind.SHIFT, 1, OFFER, when, Slot.INCENTIVIZED, Slot.ANONYMOUS)
    elif event.type in ENDS:
        yield Deed(Kind.SHIFT, 3, event.type, when, Slot.ANONYMOUS, Slot.INCENTIVIZED)


def _told(event: JourneyEvent, when: datetime, pipeline: Pipeline) -> Iterator[Deed]:
    """Return a person's step in the platform, unless it is the echo of ours or not allowed."""
    echo = str(event.more.get("move_id", "")).startswith(ECHO)
    known = event.lead_stage in set(Slot)
    if echo or not known or event.lead_stage is None:
        return
    goal = Slot(event.lead_stage)
    if isinstance(judge(None, goal, Actor.PLATFORM, pipeline), Go):
        yield Deed(Kind.PUT, 5, STAGE, when, goal, actor=Actor.PLATFORM)


def timeout(shown: datetime, lasts: timedelta) -> Deed:
    """Return how a reward that was shown then ends by the clock."""
    return Deed(
        Kind.SHIFT, 2, "incentive_timeout", shown + lasts, Slot.ANONYMOUS, Slot.INCENTIVIZED
    )


def timeouts(
    shown: Collection[datetime], fresh: Collection[datetime], now: datetime, lasts: timedelta
) -> list[Deed]:
    """Return the ends by the clock of rewards that we learn of only now."""
    return [
        timeout(one, lasts)
        for one in sorted(set(fresh))
        if one + lasts <= now and not any(one < other <= one + lasts for other in shown)
    ]


def untrue(
    ended: Collection[datetime], fresh: Collection[datetime], lasts: timedelta
) -> set[datetime]:
    """Return the ends by the clock before which, as we learn now, another reward was shown."""
    return {end for end in ended if any(end - lasts < one <= end < one + lasts for one in fresh)}
