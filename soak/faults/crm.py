"""Faults of the CRM's API: limits, errors, lost replies, tokens, people who opt out meanwhile."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

from soak.processes import wait_for
from soak.stage import connect_twin

if TYPE_CHECKING:
    from soak.campaign import Campaign

UPDATE = "/batch/update"
CALLS = "/crm/"
RETRY_AFTER = 4
HOT_LOOP = 30  # calls in 8 s


def too_many(c: Campaign) -> None:
    """F7: 429 with Retry-After; nobody calls before it is over."""
    began = time.time()
    c.twin.fault("429", CALLS, retry_after=RETRY_AFTER)
    wait_for(lambda: any(row["fault"] == "429" for row in c.calls(began)), 10)
    c.during(RETRY_AFTER)
    struck = [row for row in c.calls(began) if row["fault"] == "429"]
    if struck:
        told = struck[0]["at"] + struck[0]["ms"]
        early = [
            row["at"] - told
            for row in c.calls(began)
            if told + 100 < row["at"] < told + RETRY_AFTER * 1000 - 500 and CALLS in row["path"]
        ]
        c.expect(not early, f"calls {early} ms after a 429 that said {RETRY_AFTER} s")


def _fault(c: Campaign, do: str, times: int, match: str = CALLS, **more: object) -> None:
    c.twin.fault(do, match, times=times, **more)
    wait_for(lambda: all(one["times"] <= 0 for one in _left(c)), 12)


def _left(c: Campaign) -> list[dict[str, int]]:
    return [{"times": one.times} for one in c.twin.world.faults._queue]  # noqa: SLF001


def errors_500(c: Campaign) -> None:
    """F7: the API answers 500, five times."""
    _fault(c, "status", 5, status=500)


def html_502(c: Campaign) -> None:
    """F7: a proxy answers 502 with a page, four times."""
    _fault(c, "html502", 4)


def invalid_json(c: Campaign) -> None:
    """F7: the call is done and answered 200 with half a JSON, three times."""
    _fault(c, "bad_json", 3)


def reset(c: Campaign) -> None:
    """F7: the connection is reset, five times."""
    _fault(c, "reset", 5)


def slow(c: Campaign) -> None:
    """F7: answers take 4 s, and one never comes; acks go on meanwhile."""
    began = time.time()
    c.twin.fault("delay", CALLS, times=2, seconds=4)
    c.twin.fault("timeout", CALLS, times=1, seconds=12)
    c.during(10)
    slow_acks = [row["ms"] for row in c.deliveries(began) if row["ms"] > 4000]
    c.expect(not slow_acks, f"acks took {slow_acks} ms while the CRM was slow")


def lost_reply(c: Campaign) -> None:
    """F8: the CRM applies the write, then drops the line, five times: values are absolute."""
    _fault(c, "drop_reply", 5, UPDATE)


def partial(c: Campaign) -> None:
    """F10: some rows of a batch fail in a 207; they alone are sent again."""
    ids = [one.id for one in c.work.live()][:40]
    for one in ids[::7]:
        c.twin.fault("partial", UPDATE, times=2, ids=[one], category="RATE_LIMITS")
    c.during(4)


def token_expiry(c: Campaign) -> None:
    """F9: the token expires in the middle, three times; never two refreshes at once."""
    began = time.time()
    for _ in range(3):
        c.twin.ask("POST", "tokens/expire")
        c.during(1.5)
    c.during(1)
    rows = sorted(_refreshes(c, began), key=lambda row: row["at"])
    c.expect(len(rows) <= 6, f"{len(rows)} refreshes for 3 expiries")
    at_once = [
        (one["at"], other["at"])
        for one, other in pairwise(rows)
        if other["at"] < one["at"] + one["ms"]
    ]
    c.expect(not at_once, f"refreshes at once: {at_once}")


def _refreshes(c: Campaign, since: float) -> list[dict[str, float]]:
    return [row for row in c.calls(since) if "/oauth/" in row["path"] and "token" in row["path"]]


def token_revoked(c: Campaign) -> None:
    """F9: the admin uninstalls the app: the connection pauses; connected anew, it goes on."""
    c.twin.ask("POST", "tokens/revoke")
    c.during(3)
    began = time.time()
    c.during(8)
    calls = c.calls(began)
    c.expect(len(calls) <= HOT_LOOP, f"{len(calls)} calls in 8 s with a revoked token")
    # Where the fault before has made it rest, the next call is made a minute later at most.
    c.expect(wait_for(lambda: _connection(c)["state"] != "active", 70), "not paused")
    c.twin.world.tokens.installed = True
    connect_twin(c)
    c.own.command("resume", c.connection)


def _connection(c: Campaign) -> dict[str, object]:
    return next(one for one in c.own.get("status")["connections"] if one["id"] == c.connection)


def optout_race(c: Campaign) -> None:
    """F20: people opt out while moves of them are being pushed; then only our marks are written."""
    for _ in range(6):
        with c.work.lock:
            one = c.work.someone(may_be_out=False)
            goal = c.chance.choice((4, 6, 8))
            if one is None:
                continue
            c.work.put(one, goal)
            time.sleep(c.chance.random() * 0.3)
            c.work.unsubscribe(one)
        c.during(0.3)
