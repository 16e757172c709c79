"""What has to be done now and then, by whichever clock comes first."""

from __future__ import annotations

from datetime import timedelta

from connector.pipeline.services import Services

# A portal's options are read again this often.
WORDS_LAST = timedelta(hours=1)
_ROUNDS = 20


def keep_house(services: Services) -> None:
    """Prune what has served its time, and have stale vocabularies read again."""
    fence = services.store.take("housekeeping")
    if fence is None:
        return
    try:
        for _ in range(_ROUNDS):
            with services.store.writing(fence) as unit:
                if not unit.prune(services.now()):
                    break
        with services.store.reading() as unit:
            connections = unit.connections()
        stale = services.now() - WORDS_LAST
        for one in connections:
            if one.state == "active" and (one.read_at is None or one.read_at < stale):
                services.wake("deliver", one.id)
    finally:
        services.store.drop(fence)
