"""Feedback to marketing: what sales did with the leads that it was given, by where they came from.

Every figure is counted from the entries to MQL as they were then (DESIGN 4).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import urlsplit

from connector.domain.entries import Entry
from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId
from connector.pipeline.services import Services

UNKNOWN = "unknown"  # no journey before the entry
DIRECT = "direct"
NONE = "none"
_HOUR = 3600.0
_DAY = timedelta(days=1)
_LONGEST_DAY = len("2026-05-31")

Origin = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What came of the entries of one key; `touched` is the count behind the median."""

    key: str
    mql: int
    accepted: int
    sql: int
    touched: int
    dispositions: Mapping[str, int]
    median_hours_to_first_touch: float | None
    mql_to_sql: float


def feedback(
    services: Services,
    account_id: AccountId,
    by: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Feedback]:
    """Return the feedback of the entries from one time up to another, the most leads first."""
    with services.store.reading() as unit:
        return counted(unit.entries.told(account_id, since, until), by)


def span(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """Read two ISO dates or times; a day without a time counts whole. Raises ConfigurationRefused.

    A time without an offset is UTC.
    """
    faults: list[str] = []
    found = (_moment("from", since, timedelta(0), faults), _moment("to", until, _DAY, faults))
    if faults:
        raise ConfigurationRefused(faults)
    return found


def _moment(name: str, text: str, more: timedelta, faults: list[str]) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
        is_day = len(text) <= _LONGEST_DAY
        return found and _in_utc(found) + (more if is_day else timedelta(0))
    except (ValueError, OverflowError):
        faults.append(f"{name}: {text!r} is no date such as 2026-05-31 or 2026-05-31T12:00:00Z")
        return None


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def counted(entries: Iterable[tuple[Entry, Origin]], by: str) -> list[Feedback]:
    """Count entries by a key."""
    key = KEYS[by]
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry, origin in entries:
        groups[key(entry, origin)].append(entry)
    rows = [_row(name, group) for name, group in groups.items()]
    return sorted(rows, key=lambda row: (-row.mql, row.key))


def _row(key: str, entries: list[Entry]) -> Feedback:
    waits = [one.touched_at - one.occurred_at for one in entries if one.touched_at]
    hours = [wait.total_seconds() / _HOUR for wait in waits]
    sql = sum(one.sql_at is not None for one in entries)
    return Feedback(
        key,
        len(entries),
        sum(one.accepted_at is not None for one in entries),
        sql,
        len(hours),
        dict(sorted(Counter(word for one in entries for word in one.dispositions).items())),
        round(median(hours), 2) if hours else None,
        round(sql / len(entries), 4),
    )


def source(_: Entry, origin: Origin) -> str:
    """Name where the visitor first came from: the campaign's word, or else the site before."""
    if origin is None:
        return UNKNOWN
    host = _host(origin.get("referrer", ""))
    return origin.get("utm_source", "").strip() or host or DIRECT


def _host(referrer: str) -> str:
    try:
        host = urlsplit(referrer if "//" in referrer else f"//{referrer}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _campaign(_: Entry, origin: Origin) -> str:
    if origin is None:
        return UNKNOWN
    return origin.get("utm_campaign", "").strip() or NONE


KEYS: Mapping[str, Callable[[Entry, Origin], str]] = {
    "source": source,
    "campaign": _campaign,
    "rule": lambda entry, _: entry.rule,
    "owner": lambda entry, _: entry.owner or NONE,
    "score": lambda entry, _: NONE if entry.score is None else str(entry.score),
}
