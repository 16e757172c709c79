"""Rules and parts of rules that tests are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

START = datetime(2026, 5, 1, tzinfo=UTC)
PRICING = {"event": "page_view", "url": {"glob": "*/pricing*"}}


def many(times: int, within: str) -> dict[str, Any]:
    """Return the condition that the prices were looked at so often."""
    return {"count": {**PRICING, "within": within}, "at_least": times}
