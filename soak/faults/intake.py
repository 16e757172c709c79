"""Faults of what comes in and of where it is kept: deliveries, clocks, disk, database."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from simulators.hubspot import signatures
from soak import compare, processes, visited
from soak.installation import Installation
from soak.processes import wait_for
from soak.story import Story

if TYPE_CHECKING:
    from soak.campaign import Campaign

LOCKED_FOR = 20.0
FULL_FOR = 6.0
MOST_BODIES = 200
MINUTES = 60_000
POISON = (
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'[{"a":' * 3000 + b"1" + b"}]" * 3000,
    b'[{"subscriptionType":"contact.propertyChange","propertyValue":"\\ud800"}]',
    b'[{"subscriptionType":"contact.propertyChange","objectId":' + b"9" * 5000 + b"}]",
    b'[{"subscriptionType":"contact.creation","portalId":4242,"objectId":"\\u0000"}]',
    json.dumps(
        [
            {
                "subscriptionType": "contact.propertyChange",
                "portalId": 4242,
                "appId": 1001,
                "objectId": 999_999_999,
                "occurredAt": 10**30,
                "propertyName": "firstname\x00",
                "propertyValue": "x" * 900_000,
            }
        ]
    ).encode(),
)


def post(c: Campaign, body: bytes, *, offset: int = 0, secret: str = "") -> int:
    """Deliver a signed body by hand; return the status, 0 without an answer."""
    stamp = str(time.time_ns() // 1_000_000 + offset)
    key = secret or c.twin.config.client_secret
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": signatures.v3(key, "POST", c.webhook, body, stamp),
    }
    try:
        return requests.post(c.webhook, data=body, headers=headers, timeout=10).status_code
    except requests.RequestException:
        return 0


def duplicates(c: Campaign) -> None:
    """F5: every delivery comes twice for a while, then everything of the last minute once more."""
    c.twin.webhook_fault("duplicate", times=200)
    c.during(3)
    c.twin.clear_faults()
    c.twin.resend(int((time.time() - 60) * 1000))
    c.during(2)


def shuffled(c: Campaign) -> None:
    """F5: deliveries are collected, turned round and split; some are late by up to 12 s."""
    c.twin.settings(collect_seconds=1.0)
    c.twin.webhook_fault("reorder", times=6, split=True)
    for seconds in (3, 7, 12):
        c.twin.webhook_fault("delay", times=4, seconds=seconds)
    c.during(6)
    c.twin.settings(collect_seconds=0.05)
    c.during(4)


def held_back(c: Campaign) -> None:
    """F5: the sender is silent for 6 s and then sends all at once."""
    c.twin.pause()
    c.during(6)
    c.twin.resume()
    c.during(1)


def skew(c: Campaign) -> None:
    """F6: stamps of +-10 min are refused with 401 and come again; +-4 min are taken."""
    for offset, wanted in ((10, 401), (-10, 401), (4, 204), (-4, 204)):
        c.expect(
            post(c, b"[]", offset=offset * MINUTES) == wanted,
            f"a delivery stamped {offset:+} min was not answered {wanted}",
        )
    c.expect(post(c, b"[]", secret="forged") == 401, "a forged delivery was not answered 401")
    for offset in (10, -10):
        began = time.time()
        c.twin.settings(signature_offset_ms=offset * MINUTES)
        c.during(1.5)
        told = {row["status"] for row in c.deliveries(began + 0.3)}
        c.expect(told <= {0, 401, 503}, f"stamped {offset:+} min: {told}")
    c.twin.settings(signature_offset_ms=4 * MINUTES)
    c.during(1)


def poison(c: Campaign) -> None:
    """F11: bodies that nobody can read are kept and parked; no process dies of them."""
    before = sorted(one.pid for one in c.own.family() if one.role)
    statuses = [post(c, body) for body in POISON]
    c.expect(set(statuses) <= {204, 503}, f"poison was answered {statuses}")
    c.during(2)
    after = sorted(one.pid for one in c.own.family() if one.role)
    c.expect(before == after, f"processes changed: {before} -> {after}")


def locked(c: Campaign) -> None:
    """F12: somebody else locks the database for 20 s: 503, not 500, and retries win."""
    began = time.time()
    if c.postgres is not None:
        with c.postgres.connect() as connection:
            c.postgres.lock_everything(connection)
            c.during(LOCKED_FOR)
            connection.rollback()
    else:
        connection_ = sqlite3.connect(database(c), timeout=10, isolation_level=None)
        connection_.execute("BEGIN EXCLUSIVE")
        c.during(LOCKED_FOR)
        connection_.execute("ROLLBACK")
        connection_.close()
    told = [row["status"] for row in c.deliveries(began + 1)]
    c.expect(503 in told, f"nothing was put off while the database was locked: {set(told)}")


def database(c: Campaign) -> Path:
    """Return the SQLite file."""
    return c.folder / "data" / "connector.db"


def disk_full(c: Campaign) -> None:
    """F13: the disk fills up: 503, no ack without a row; with room again all goes on by itself."""
    if c.small_disk:
        ballast = (c.postgres.data if c.postgres else c.folder / "data") / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        full(c)
        ballast.unlink()
        if c.postgres is not None and not c.postgres.answers():
            c.postgres.start()  # it gives up where its own log has no room, as its service would
    elif c.postgres is not None:
        c.say("only a small disk can be filled under PostgreSQL, and none could be mounted")
    else:
        limits = {one.pid: _limited(one.pid, 4096) for one in c.own.family()}
        full(c)
        for pid, limit in limits.items():
            if limit is not None:
                _limited(pid, limit)
    c.expect(
        wait_for(lambda: post(c, b"[]") == 204, 10 * c.plan.patience),
        "no delivery is taken once there is room again",
    )


def full(c: Campaign) -> None:
    """Deliver until the disk has no more room, and for a while after that."""
    body = b"[" + b" " * 400_000 + b"]"
    until = time.monotonic() + FULL_FOR
    told: list[int] = []
    while time.monotonic() < until or (503 not in told and len(told) < MOST_BODIES):
        told.append(post(c, body + str(len(told)).encode()))
    c.expect(set(told) <= {204, 503, 0}, f"answers on a full disk: {set(told)}")
    c.expect(503 in told, "the disk was never full")


def _limited(pid: int, most: int) -> int | None:
    try:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, before[1]))
    except OSError:
        return None
    return before[0]


def power_loss(c: Campaign) -> None:
    """F14: database and log are copied mid-write and opened: all that was acked is there."""
    for number in range(3):
        c.during(c.chance.random())
        _lose_power(c, c.folder / f"copy{number}", is_replayed=number == 0)


def _lose_power(c: Campaign, place: Path, *, is_replayed: bool) -> None:
    family = c.own.family()
    for one in family:
        processes.send(one.pid, signal.SIGSTOP)
    events = list(c.twin.world.sender.events)
    acked = compare.acked_events(c.twin.world.sender.deliveries)
    puts = list(c.work.puts)
    visits = (c.walking.site.acked(), list(c.walking.site.told))
    place.mkdir(mode=0o700)
    for path in (c.folder / "data").iterdir():
        if path.is_file() and path.name != "ballast":
            shutil.copy2(path, place / path.name)
    for one in family:
        processes.send(one.pid, signal.SIGCONT)
    copied = sqlite3.connect(place / "connector.db")
    answer = copied.execute("PRAGMA integrity_check").fetchone()[0]
    copied.close()
    c.expect(answer == "ok", f"integrity_check says {answer}")
    if is_replayed:
        _reopen(c, place, acked, (events, puts), visits)
    shutil.rmtree(place, ignore_errors=True)


def _reopen(
    c: Campaign,
    place: Path,
    acked: compare.Acked,
    told: compare.Told,
    visits: tuple[list[compare.Json], list[compare.Json]],
) -> None:
    """Run the product on the copy, without a CRM, and look for every acknowledged event."""
    more = {
        **{k: v for k, v in c.own.environment.items() if k.startswith("CONNECTOR_")},
        "CONNECTOR_DATA_DIR": str(place),
        "CONNECTOR_DATABASE_URL": f"sqlite:///{place}/connector.db",
        "CONNECTOR_REDIS_URL": f"unix://{place}/nobody.sock",
        "CONNECTOR_WEB_WORKERS": "1",
    }
    copy = Installation(place, "procfile", more)
    copy.environment["CONNECTOR_PORT"] = str(copy.port)
    copy.token = c.own.token
    try:
        copy.command("pause", c.connection)
        copy.spawn("web")
        copy.spawn("worker")
        c.expect(wait_for(copy.answers, 45), "the product does not start on the copy")
        # Longer than a lease: its holder is only stopped, so that the copy takes it for alive.
        drained = wait_for(lambda: not copy.get("status")["inbox"]["pending"], 60)
        c.expect(drained, "the copy does not work off what waits")
        story = Story([row for row in told[0] if compare.key(row) in acked], told[1], [])
        counted = compare.account_for(copy, c.work, acked, story.erased)
        for row in [*counted.lost[:5], *visited.missing(copy, *visits)[:5]]:
            c.found(f"lost with the power: {row}")
    finally:
        copy.close()


def database_gone(c: Campaign) -> None:
    """PostgreSQL is shut down at once and is away for 4 s; 503, and no hand is needed."""
    if c.postgres is None:
        return
    c.postgres.end(signal.SIGQUIT)
    c.kills["postgres"] += 1
    c.during(4)
    c.postgres.start()
