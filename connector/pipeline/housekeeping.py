"""What has to be done now and then, by whichever clock comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connector.pipeline.services import Services

if TYPE_CHECKING:
    from connector.store.leases import Fence

# A portal's options are read again this often.
WORDS_LAST = timedelta(hours=1)
# Pieces deleted in one go; the next minute goes on.
_MOST = 800
_TABLES = (
    *("delivery", "event", "outbox", "written", "journal"),
    *("journey", "journey_aside", "notice", "audit"),
)


def keep_house(services: Services) -> None:
    """Prune what has served its time, and have stale vocabularies read again."""
    fence = services.store.take("housekeeping")
    if fence is None:
        return
    try:
        _prune(services, fence)
        with services.store.reading() as unit:
            connections = unit.crms()
        stale = services.now() - WORDS_LAST
        for one in connections:
            if one.state == "active" and (one.read_at is None or one.read_at < stale):
                services.wake("deliver", one.id)
    finally:
        services.store.drop(fence)


def _prune(services: Services, fence: Fence) -> None:
    """Delete what is past its time: looked for in reads, deleted in many short writes."""
    now, left = services.now(), _MOST
    with services.store.writing(fence) as unit:
        unit.watch.forget_dead(now)
    for table in _TABLES:
        last: int | None = 0
        while last is not None and left > 0:
            with services.store.reading() as unit:
                piece = unit.past(table, last, services.keeping, now)
            for ids in piece.parts():
                with services.store.writing(fence) as unit:
                    unit.remove(table, ids)
                left -= 1
            last = piece.last
    pruned = 1
    while pruned and left > 0:
        with services.store.writing(fence) as unit:
            pruned = unit.prune(services.keeping, now)
        left -= 1
