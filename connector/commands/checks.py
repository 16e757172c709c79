"""What `connector doctor` looks at here: database, disk, Redis, keys, what runs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from connector.commands.findings import Finding
from connector.commands.traffic_checks import check_traffic
from connector.domain.errors import ConnectorError
from connector.queue import Waker
from connector.store.migrate import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.pipeline.services import Services
    from connector.settings import Settings

ROOM = 500 * 1024 * 1024  # bytes
APART = 5.0  # seconds between two machines' clocks


def check_database(services: Services) -> Finding:
    """Look whether the database answers and has our schema, or that of newer code."""
    found = schema(services.store.database)
    if found == "current":
        return Finding("database", fine=True, text="reachable, with the newest schema")
    if found == "newer":
        text = "reachable; newer code made its schema, on which this one runs too"
        return Finding("database", fine=True, text=text)
    advice = "run `connector migrate`"
    return Finding("database", fine=False, text="its schema lacks migrations", advice=advice)


def check_house(own: Settings, services: Services) -> Iterator[Finding]:
    """Look at everything but the connections."""
    yield _disk(own)
    yield _writable(services)
    yield from _clocks(services)
    yield from _redis(own)
    yield _keys(services)
    yield from check_traffic(own, services)


def _disk(own: Settings) -> Finding:
    free = shutil.disk_usage(own.data_dir).free
    text = f"{free // 2**20:,} MB free in {own.data_dir}"
    advice = "make room: a full disk turns webhooks away"
    return Finding("disk", fine=free >= ROOM, text=text, advice=advice)


def _writable(services: Services) -> Finding:
    try:
        with services.store.writing() as unit:
            unit.probe()
    except ConnectorError as error:
        return Finding(
            "writes", fine=False, text=str(error), advice="check the disk and who holds it"
        )
    return Finding("writes", fine=True, text="the database takes writes")


def _clocks(services: Services) -> Iterator[Finding]:
    """Compare our clock with that of the database's machine: leases are dated by ours."""
    with services.store.reading() as unit:
        theirs = unit.watch.time()
    if theirs is not None:
        apart = abs((services.now() - theirs).total_seconds())
        advice = "set the clocks of both machines (NTP)"
        text = f"{apart:.1f} s from the database's"
        yield Finding("clock", fine=apart < APART, text=text, advice=advice)


def _redis(own: Settings) -> Iterator[Finding]:
    waker = Waker(own.redis_url)
    if not waker.ping():
        text = "not running: `connector up` starts it" if own.embedded else "it does not answer"
        advice = "check CONNECTOR_REDIS_URL; until then work is found by polling, a little later"
        yield Finding("redis", fine=own.embedded, text=text, advice=advice)
        return
    yield Finding("redis", fine=True, text="it answers")
    policy = waker.eviction()
    fine = not policy.startswith("allkeys")
    advice = "set maxmemory-policy noeviction: this one throws queued jobs away without a word"
    yield Finding("eviction", fine=fine, text=policy or "it does not tell", advice=advice)


def _keys(services: Services) -> Finding:
    advice = "put the key they were written with back into CONNECTOR_SECRET_KEYS"
    try:
        with services.store.reading() as unit:
            for account in unit.accounts():
                unit.seal(account.id, "")
            for connection in unit.connections():
                unit.secrets(connection.id)
    except ConnectorError as error:
        return Finding("keys", fine=False, text=str(error), advice=advice)
    return Finding("keys", fine=True, text="every stored secret can be read")
