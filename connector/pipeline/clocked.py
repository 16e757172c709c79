"""What the clock comes for: leads that nobody touched, and bad timing whose day has come."""

from __future__ import annotations

from connector.domain.handoffs import WHILE_OFF, Part
from connector.pipeline.recycling import look_at_timings
from connector.pipeline.send import Sending
from connector.pipeline.untouched import want_tasks

AT_ONCE = 50
_SEE_TO = {Part.TASK: want_tasks, Part.RECYCLE: look_at_timings}


def hand_next(sending: Sending) -> bool:
    """See to what is due at a connection; say whether there was anything.

    What was entered while a switch was on waits as long as it is off.
    """
    now = sending.services.now()
    with sending.services.store.reading() as unit:
        due = unit.handoffs.due(sending.connection.id, now, AT_ONCE)
    if not due:
        return False
    lookup = sending.lookup()
    handoff = lookup.mapping.handoff
    on = {Part.TASK: handoff.untouched_task.enabled, Part.RECYCLE: handoff.recycle.enabled}
    for part, see_to in _SEE_TO.items():
        own = [one for one in due if one.part is part]
        if own and on[part]:
            see_to(sending, lookup, own)
        elif own:
            with sending.services.store.writing(sending.fence) as unit:
                for one in own:
                    unit.handoffs.postpone(one.key, now + WHILE_OFF)
    return True
