"""Rate limits: a rolling window per account, one for search, and a daily count (section 6)."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
import zoneinfo
from collections import deque
from typing import TYPE_CHECKING

from .errors import ApiError

if TYPE_CHECKING:
    from .config import Config
    from .shapes import Json


def local_time(config: Config) -> dt.datetime:
    """Return the portal's wall clock; the daily limit ends at its midnight."""
    try:
        zone: dt.tzinfo = zoneinfo.ZoneInfo(config.time_zone)
    except zoneinfo.ZoneInfoNotFoundError:
        zone = dt.UTC
    return dt.datetime.now(zone) + dt.timedelta(milliseconds=config.clock_offset_ms)


class Window:
    """Calls within the last so many seconds; a refused call does not count."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def take(self, limit: int, seconds: float) -> int | None:
        """Count one call and return what remains; None when the window is full."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - seconds:
            self._times.popleft()
        if len(self._times) >= limit:
            return None
        self._times.append(now)
        return limit - len(self._times)


class Limits:
    """What one portal still allows."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all calls made so far."""
        self._burst, self._search = Window(), Window()
        self.today = 0
        self._day = local_time(self._config).date()

    def pass_one(self, *, search: bool) -> dict[str, str]:
        """Count one call; return its headers, or raise the 429."""
        with self._lock:
            self._pass_day()
            return self._pass_search() if search else self._pass_burst()

    def _pass_day(self) -> None:
        day = local_time(self._config).date()
        if day != self._day:
            self._day, self.today = day, 0
        if self._config.daily_limit and self.today >= self._config.daily_limit:
            raise too_many("DAILY", self._headers(0))
        self.today += 1

    def _pass_search(self) -> dict[str, str]:
        # Its own bucket, without rate headers (section 2.3).
        if self._search.take(self._config.search_limit, 1.0) is None:
            raise too_many("SECONDLY", {})
        return {}

    def _pass_burst(self) -> dict[str, str]:
        left = self._burst.take(self._config.limit, self._config.limit_seconds)
        if left is None:
            raise too_many("TEN_SECONDLY_ROLLING", self._headers(0))
        return self._headers(left)

    def _headers(self, left: int) -> dict[str, str]:
        headers = {
            "X-HubSpot-RateLimit-Max": str(self._config.limit),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(
                int(self._config.limit_seconds * 1000)
            ),
        }
        if self._config.daily_limit:
            remaining = max(self._config.daily_limit - self.today, 0)
            headers["X-HubSpot-RateLimit-Daily"] = str(self._config.daily_limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(remaining)
        return headers


_WORDS = {
    "TEN_SECONDLY_ROLLING": "ten_secondly_rolling",
    "SECONDLY": "secondly",
    "DAILY": "daily",
}


def too_many(policy: str, headers: dict[str, str]) -> ApiError:
    """Build the 429; Retry-After is not documented on it, so it is not there (section 6)."""
    body: Json = {
        "status": "error",
        "message": f"You have reached your {_WORDS.get(policy, policy)} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
        "requestId": uuid.uuid4().hex,
    }
    return ApiError(429, body, headers)
