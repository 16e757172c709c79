"""Visitors' events come in: once per event id; what no human did is counted, not kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from connector import figures
from connector.domain.facts import ProfileId
from connector.domain.journeys import Happened, JourneyEvent
from connector.domain.visits import RIGHTS, is_bot
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.unit import Unit


def arrive(
    unit: Unit,
    connection: Connection,
    events: Iterable[JourneyEvent],
    received_at: datetime,
    *,
    trace: str = "",
    silent: bool = False,
) -> None:
    """Keep events to be worked on; those seen before are left as they are."""
    human = []
    bots = 0
    for event in events:
        if is_bot(event) and event.type not in RIGHTS:
            bots += 1
        else:
            human.append(Happened(0, ProfileId(""), event, received_at, silent))
    unit.visits.arrive(connection, human, trace)
    if bots:
        figures.count("bb_events_total", bots, outcome="bot")
