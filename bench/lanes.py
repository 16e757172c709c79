"""What still waits in an installation, by lane of its way through."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from bench.house import wait_for
from connector.pipeline.services import Services
from connector.store import tables as t

_UNSENT = ("pending", "sending")


def left(services: Services) -> dict[str, int]:
    """Count deliveries to split, events to apply, records to read and writes to send."""
    asked = t.record.c.ask_at.is_not(None)
    with services.store.reading() as unit:
        return {
            "deliveries": _count(unit.tx, t.delivery.c.state == "pending"),
            "events": _count(unit.tx, t.event.c.state == "pending"),
            "reads": _count(unit.tx, asked),
            "writes": _count(unit.tx, t.outbox.c.state.in_(_UNSENT)),
        }


def rest(services: Services, within: float) -> None:
    """Wait until nothing waits."""
    wait_for(lambda: not any(left(services).values()), "a quiet house", within)


def _count(tx: Any, condition: Any) -> int:
    return int(tx.execute(select(func.count()).where(condition)).scalar_one())
