"""How the CRM in memory pages: by id, and by change date and id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector.ports import Changed, Mark


def next_ids(ids: Sequence[str], after: str | None, size: int) -> tuple[list[str], str | None]:
    """Return the next ids in order, and where to go on."""
    left = sorted((one for one in ids if int(one) > int(after or 0)), key=int)
    some = left[:size]
    return some, some[-1] if len(left) > size else None


def next_changes(
    stamps: Sequence[tuple[datetime, int]], since: datetime, after: str | None, size: int
) -> Changed:
    """Return the next changes in order of time."""
    when, _, record_id = (after or f"{since.isoformat()} 0").partition(" ")
    left = sorted(one for one in stamps if one > (datetime.fromisoformat(when), int(record_id)))
    some = left[:size]
    more = f"{some[-1][0].isoformat()} {some[-1][1]}" if len(left) > size else None
    return Changed([Mark(str(number), stamp) for stamp, number in some], more)
