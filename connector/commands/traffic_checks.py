"""What `connector doctor` looks at in the traffic: queues, what was put aside, who works."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connector.api.metrics import LIVING
from connector.commands.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connector.pipeline.services import Services
    from connector.settings import Settings
    from connector.store.inbox import Backlog

# What waits for longer does so for a reason.
OLDEST = {"inbox": timedelta(seconds=60), "outbox": timedelta(minutes=15)}
NEEDED = ("clock", "trainer", "web", "worker")
# Parked rows are named before retention takes them.
WARNED = timedelta(days=14)


def check_traffic(own: Settings, services: Services) -> Iterator[Finding]:
    """Look at both boxes, at holds and at the processes."""
    now = services.now()
    with services.store.reading() as unit:
        boxes = {"inbox": unit.inbox_backlog(), "outbox": unit.outbox_backlog()}
        parked, holds = unit.watch.oldest_parked(), unit.holds()
        kinds = {one.kind for one in unit.watch.living(now - LIVING)}
    for name, box in boxes.items():
        yield _waiting(name, box, now)
        yield _parked(name, box, parked.get(name), now, timedelta(days=own.keep_parked_days))
    yield _holds(holds)
    yield _processes(kinds)


def _waiting(name: str, box: Backlog, now: datetime) -> Finding:
    age = now - box.since if box.since else timedelta()
    text = f"{box.pending:,} wait, the oldest for {age.total_seconds():.0f} s"
    advice = {
        "inbox": "see that a worker runs and what it logs; more workers share the accounts",
        "outbox": "see `connector connections` for why a CRM rests or is paused",
    }[name]
    return Finding(name, fine=age <= OLDEST[name], text=text, advice=advice)


def _parked(
    name: str, box: Backlog, since: datetime | None, now: datetime, kept: timedelta
) -> Finding:
    text = f"{box.parked:,} parked"
    advice = f"see why with GET /api/v1/{name}?state=parked, then `connector replay {name}`"
    if since is not None:
        text += f", the oldest for {(now - since).days} days"
        left = since + kept - now
        if left < WARNED:
            advice += f"; the oldest are deleted in {max(left.days, 0)} days"
    return Finding(f"parked {name}", fine=not box.parked, text=text, advice=advice)


def _holds(holds: list[dict[str, object]]) -> Finding:
    text = ", ".join(f"{hold['id']} ({hold['writes']} writes)" for hold in holds)
    advice = "`connector held` lists what waits, `connector release` lets it go"
    return Finding("holds", fine=not holds, text=text or "none", advice=advice)


def _processes(kinds: set[str]) -> Finding:
    """Look who lives; where nothing runs at all, nobody wanted it to."""
    missing = [kind for kind in NEEDED if kind not in kinds] if kinds else []
    text = f"no {', no '.join(missing)} has shown itself for {LIVING.seconds} s"
    if not missing:
        text = f"{', '.join(sorted(kinds))} alive" if kinds else "nothing runs now"
    advice = "start what is missing (see the Procfile), or read its log"
    return Finding("processes", fine=not missing, text=text, advice=advice)
