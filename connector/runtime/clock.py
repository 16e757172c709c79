"""The clock process: wakes workers for whatever waits in SQL, and keeps house.

It holds nothing, so two of them side by side only ask twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector import logs
from connector.queue import JOBS, Waker
from connector.runtime.beat import Beat, Stop, load
from connector.runtime.pulse import beats as signs_of_life
from connector.runtime.pulse import end as take_leave

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.runtime.lifeline import Lifeline
    from connector.runtime.sweeper import Due
    from connector.settings import Settings

DUE = "connector.bootstrap.due"
HOUSEKEEPING = "connector.bootstrap.housekeeping"
PULSE = "connector.bootstrap.pulse"
WAKE_EVERY = 1.0
OLDER_THAN = 1.0
KEEP_HOUSE_EVERY = 60.0


def run_clock(
    settings: Settings,
    lifeline: Lifeline,
    *,
    due: str = DUE,
    housekeeping: str = HOUSEKEEPING,
    pulse: str = PULSE,
    jobs: Mapping[str, str] = JOBS,
) -> None:
    """Beat until SIGTERM; the functions are dotted names."""
    lifeline.hold()
    logs.configure(settings)
    stop = Stop()
    stop.listen()
    tell = load(pulse)
    waker, find = Waker(settings.redis_url, jobs), load(due)
    beats = [
        Beat("wake", WAKE_EVERY, lambda: wake_all(waker, find), stop),
        Beat("housekeeping", KEEP_HOUSE_EVERY, load(housekeeping), stop),
        signs_of_life(tell, "clock", stop),
    ]
    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join()
    take_leave(tell, "clock")


def wake_all(waker: Waker, due: Due) -> None:
    """Wake the workers for what waits; without Redis they look for themselves."""
    if waker.ping():
        for job, key in due(OLDER_THAN):
            waker.wake(job, key)
