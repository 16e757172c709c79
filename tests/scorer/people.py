"""Made-up people whose fate is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=180)
KEY = b"a key of the tests"


def table(rows: int = 400, seed: int = 0, base: float = -1.5) -> tuple[dict[str, Any], Any]:
    """Return a table of mixed columns and who won: those who spend time, more so at firms."""
    chance = np.random.default_rng(seed)
    time = np.exp(chance.normal(3, 1.5, rows))
    kind = chance.choice(["firm", "person", ""], rows)
    told = 0.8 * (np.log1p(time) - 3) + 1.2 * (kind == "firm") + base
    columns = {
        "time": np.where(chance.random(rows) < 0.1, np.nan, time),
        "kind": [word or None for word in kind],
        "asked": chance.random(rows) < 0.5,
        "visits": chance.integers(0, 9, rows),
    }
    return columns, chance.random(rows) < 1 / (1 + np.exp(-told))


def journeys(
    people: int = 300, seed: int = 0, told: float = 0.9
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return an event log and customers; the keen look at prices, with a chance `told`."""
    chance = np.random.default_rng(seed)
    events, customers = [], []
    for number in range(people):
        profile, keen = f"p{number:04}", chance.random() < 0.25
        at = START + timedelta(days=float(chance.uniform(0, 150)))
        looks = keen == (chance.random() < told)
        for step in range(int(chance.integers(2, 8))):
            page = (
                "/pricing" if looks and step % 2 else str(chance.choice(["/", "/blog/a", "/docs"]))
            )
            events.append(
                event(profile, at + timedelta(hours=7 * step), f"https://x.example{page}")
            )
        if keen:
            won = at + timedelta(days=float(chance.uniform(4, 14)))
            customers.append({"profile_id": profile, "customer_at": won.isoformat()})
    return events, customers


def event(profile: str, at: datetime, url: str, **more: Any) -> dict[str, Any]:
    """Return one page view."""
    words = {"profile_id": profile, "type": "page_view", "code": "", "url": url}
    return {**words, "occurred_at": at.isoformat(), **more}
