"""What `connector doctor` looks at here: database, disk, Redis, keys, what is stuck."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.domain.errors import ConnectorError
from connector.queue import Waker
from connector.store.migrate import is_current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.pipeline.services import Services
    from connector.settings import Settings

ROOM = 500 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look showed; `advice` says what to do where it is not fine."""

    name: str
    fine: bool
    text: str
    advice: str = ""


def check_database(own: Settings) -> Finding:
    """Look whether the database answers and has our schema."""
    if is_current(own.database_url):
        return Finding("database", fine=True, text="reachable, with the newest schema")
    advice = "run `connector migrate`; if it stays, the database is newer than this program"
    return Finding("database", fine=False, text="its schema is not this program's", advice=advice)


def check_house(own: Settings, services: Services) -> Iterator[Finding]:
    """Look at everything but the connections."""
    yield _disk(own)
    yield _writable(services)
    yield _redis(own)
    yield _keys(services)
    yield from _stuck(services)


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


def _redis(own: Settings) -> Finding:
    if Waker(own.redis_url).ping():
        return Finding("redis", fine=True, text="it answers")
    if own.embedded:
        return Finding("redis", fine=True, text="not running: `connector up` starts it")
    advice = "check CONNECTOR_REDIS_URL; until then work is found by polling, a little later"
    return Finding("redis", fine=False, text="it does not answer", advice=advice)


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


def _stuck(services: Services) -> Iterator[Finding]:
    with services.store.reading() as unit:
        boxes = {"inbox": unit.inbox_backlog(), "outbox": unit.outbox_backlog()}
    for name, backlog in boxes.items():
        text = f"{backlog.pending} wait, {backlog.parked} parked, {backlog.held} held"
        advice = []
        if backlog.parked:
            advice.append(
                f"see why with GET /api/v1/{name}?state=parked, then `connector replay {name}`"
            )
        if backlog.held:
            advice.append("`connector held` lists what waits for a release")
        yield Finding(name, fine=not advice, text=text, advice="; ".join(advice))
