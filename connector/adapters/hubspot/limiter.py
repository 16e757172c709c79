"""Keeps one connection inside the customer's quota; it never waits, it says how long to.

Searches have a quota of their own (5 a second), of which no header tells; HubSpot's page
"CRM API: search", section "Limitations". They count for the day all the same.
"""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connector.domain.errors import CrmBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLANNED = 0.9  # of a limit: HubSpot's window and ours don't start at the same moment
DAY = 86_400.0
BULK = 0.8  # of what may be used at all: an import never takes the room of single edits
SEARCHES, SEARCH_WINDOW = 5, 1.0
SPARE = 8  # whoever must wait waits until an eighth of the window is free
TICK = 0.001  # so that whoever waits as long as told does find room
_PREFIX = "x-hubspot-ratelimit-"
# A header's name and the largest number in it that makes sense.
_TOLD = {
    "max": 10_000,
    "remaining": 10_000,
    "interval-milliseconds": 3_600_000,
    "daily": 100_000_000,
    "daily-remaining": 100_000_000,
}


def remaining(note: object) -> int | None:
    """Return the calls that the day still had when a limiter's state was noted, if it knew."""
    state = note if isinstance(note, dict) else {}
    daily = _count(state.get("daily"), _TOLD["daily"])
    return None if daily is None else max(daily - (_count(state.get("day_used"), daily) or 0), 0)


class Limiter:
    """A sliding window and a daily budget, with a share of both kept for urgent calls."""

    def __init__(
        self,
        per_window: int = 110,
        window_s: float = 10.0,
        daily: int | None = None,
        reserve: float = 0.05,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._per_window = per_window
        self._window = window_s
        self._daily = daily
        self._reserve = reserve
        self._clock = clock
        self.wall = wall
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._blocked = -math.inf
        self._searches_blocked = -math.inf
        self._zone = "UTC"
        self._day_used = 0
        self._day_ends = wall() + self.midnight()

    def take(self, *, urgent: bool = False) -> None:
        """Take the room for one call; raise CrmBusy with the wait when there is none."""
        self.expect(1, urgent=urgent)
        self._calls.append(self._clock())
        self._day_used += 1

    def take_search(self) -> None:
        """Take the room for one search; raise CrmBusy with the wait when there is none."""
        now = self._clock()
        _forget(self._searches, now - SEARCH_WINDOW)
        full = len(self._searches) >= math.floor(SEARCHES * PLANNED)
        waits = (
            self._blocked - now,
            self._searches_blocked - now,
            self._searches[0] + SEARCH_WINDOW - now + TICK if full else 0.0,
            self._day_wait(urgent=False),
        )
        if max(waits) > 0:
            raise CrmBusy("no room for a search in HubSpot within its limits", retry_in=max(waits))
        self._searches.append(now)
        self._day_used += 1

    def expect(self, calls: int, *, urgent: bool = False) -> None:
        """Raise CrmBusy unless so many calls, or a whole window of them, have room now.

        Work of several calls asks first: begun again whenever one call's room is free, it would
        use that up and never end. For the same reason the wait told is for a little more.
        """
        if calls < 1:
            return
        now = self._clock()
        waits = (
            self._blocked - now,
            self._window_wait(now, calls, urgent=urgent),
            self._day_wait(urgent=urgent),
        )
        if max(waits) > 0:
            raise CrmBusy("no room for a call to HubSpot within its limits", retry_in=max(waits))

    def bulk_wait(self) -> float:
        """Return the seconds until bulk work has room for a call, 0 where it has; it never raises.

        Others' calls count too: the more people do, the less is left for bulk.
        """
        now = self._clock()
        room = max(1, math.floor(self._room(self._per_window, urgent=False) * BULK))
        return max(self._blocked - now, self._wait_for(now, 1, room), 0.0)

    def heard(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer's rate headers, names in lower case: the vendor counts best."""
        told = {name: _count(headers.get(_PREFIX + name), most) for name, most in _TOLD.items()}
        self._per_window = told["max"] or self._per_window
        if told["interval-milliseconds"]:
            self._window = told["interval-milliseconds"] / 1000
        self._catch_up(told["max"], told["remaining"])
        self._daily = told["daily"] or self._daily
        if self._daily is not None and told["daily-remaining"] is not None:
            self._roll_day()
            self._day_used = self._daily - told["daily-remaining"]

    def block(self, seconds: float) -> None:
        """Let no call begin for so long, at most a day."""
        self._blocked = max(self._blocked, self._clock() + min(seconds, DAY))

    def block_searches(self, seconds: float) -> None:
        """Let no search begin for so long, at most a day."""
        self._searches_blocked = max(self._searches_blocked, self._clock() + min(seconds, DAY))

    def midnight(self) -> float:
        """Return the seconds until the portal's next midnight, at most a day."""
        now = self.wall()
        local = datetime.fromtimestamp(now, ZoneInfo(self._zone)) + timedelta(days=1)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return min(max(day.timestamp() - now, TICK), DAY)

    def live_in(self, zone: str) -> None:
        """Count days in the portal's time zone; an unknown one changes nothing."""
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            return
        self._zone = zone
        self._day_ends = self.wall() + self.midnight()

    def state(self) -> dict[str, object]:
        """Return all it knows as plain JSON with times of day, for the lease's next holder."""
        shift = self.wall() - self._clock()
        return {
            "calls": [call + shift for call in self._calls],
            "searches": [search + shift for search in self._searches],
            "blocked_until": max(self._blocked + shift, 0.0),
            "searches_blocked_until": max(self._searches_blocked + shift, 0.0),
            "per_window": self._per_window,
            "window_s": self._window,
            "daily": self._daily,
            "day_used": self._day_used,
            "day_ends": self._day_ends,
            "zone": self._zone,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from what the lease's last holder knew; what makes no sense is passed over."""
        now, wall = self._clock(), self.wall()
        self._calls = _times(state.get("calls"), wall, now) or self._calls
        self._searches = _times(state.get("searches"), wall, now) or self._searches
        self._blocked = now + min(_number(state.get("blocked_until"), 0.0) - wall, DAY)
        until = _number(state.get("searches_blocked_until"), 0.0)
        self._searches_blocked = now + min(until - wall, DAY)
        self._per_window = _count(state.get("per_window"), _TOLD["max"]) or self._per_window
        self._window = max(_number(state.get("window_s"), self._window), TICK)
        self._daily = _count(state.get("daily"), _TOLD["daily"]) or self._daily
        self.live_in(str(state.get("zone", "")))
        self._day_used = _count(state.get("day_used"), _TOLD["daily"]) or 0
        self._day_ends = min(_number(state.get("day_ends"), wall), wall + DAY)

    def _room(self, limit: int, *, urgent: bool) -> int:
        planned = limit * PLANNED
        return max(1, math.floor(planned if urgent else planned - limit * self._reserve))

    def _window_wait(self, now: float, calls: int, *, urgent: bool) -> float:
        return self._wait_for(now, calls, self._room(self._per_window, urgent=urgent))

    def _wait_for(self, now: float, calls: int, room: int) -> float:
        _forget(self._calls, now - self._window)
        if len(self._calls) + min(calls, room) <= room:
            return 0.0
        roomy = min(calls + max(1, room // SPARE), room)
        last = self._calls[len(self._calls) + roomy - room - 1]
        return last + self._window - now + TICK

    def _day_wait(self, *, urgent: bool) -> float:
        if self._daily is None:
            return 0.0
        self._roll_day()
        full = self._day_used >= self._room(self._daily, urgent=urgent)
        return self._day_ends - self.wall() + TICK if full else 0.0

    def _roll_day(self) -> None:
        if self.wall() >= self._day_ends:
            self._day_used = 0
            self._day_ends = self.wall() + self.midnight()

    def _catch_up(self, limit: int | None, remaining: int | None) -> None:
        """Count the calls that others made with the same credentials as made just now."""
        if limit is None or remaining is None:
            return
        now = self._clock()
        _forget(self._calls, now - self._window)
        others = limit - remaining - len(self._calls)
        self._calls.extend([now] * others)


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


def _times(told: object, wall: float, now: float) -> deque[float]:
    """Return stored times of day on our own clock, none of them in the future."""
    known = [_number(one, wall) for one in told] if isinstance(told, list) else []
    return deque(sorted(min(one - wall, 0.0) + now for one in known))


def _count(value: object, most: int) -> int | None:
    told = str(value)
    good = told.isascii() and told.isdigit() and len(told) <= len(str(most))
    return int(told) if good and int(told) <= most else None


def _number(value: object, otherwise: float) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return otherwise
    return float(value)
