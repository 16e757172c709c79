"""What the clock comes for: leads that nobody touched, and bad timing whose day has come."""

from __future__ import annotations

from connector.domain.handoffs import Part
from connector.pipeline.recycling import look_at_timings
from connector.pipeline.send import Sending
from connector.pipeline.untouched import want_tasks

AT_ONCE = 50


def hand_next(sending: Sending) -> bool:
    """See to what is due at a connection; say whether there was anything."""
    with sending.services.store.reading() as unit:
        due = unit.handoffs.due(sending.connection.id, sending.services.now(), AT_ONCE)
    tasks = [one for one in due if one.part is Part.TASK]
    timings = [one for one in due if one.part is Part.RECYCLE]
    if tasks:
        want_tasks(sending, tasks)
    if timings:
        look_at_timings(sending, timings)
    return bool(due)
