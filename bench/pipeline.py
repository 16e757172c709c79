"""Deliveries of a hundred events each, through inbox, split, fold and outbox; no CRM is called."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr

from connector import bootstrap
from connector.domain.facts import AccountId, ConnectionId
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.pipeline.drain import drain
from connector.pipeline.services import Services
from connector.pipeline.split import split
from connector.settings import Settings
from connector.stored import Connection, Parcel

ACCOUNT, CONNECTION = AccountId("acc_bench"), ConnectionId("con_bench")
STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
A_DELIVERY = 100


def measure(folder: Path, events: int) -> dict[str, Any]:
    """Return events per second of each step; every contact goes through five stages."""
    services = _services(folder)
    bodies = [_body(start) for start in range(0, events, A_DELIVERY)]
    kept = _timed(lambda: _keep(services, bodies))
    cut = _timed(lambda: split(services))
    drained = _timed(lambda: drain(services, ACCOUNT))
    with services.store.reading() as unit:
        standing = unit.people.funnel(ACCOUNT)
    services.store.database.close()
    return {
        "events": events,
        "profiles": sum(standing.values()),
        "durable_deliveries_per_s": round(len(bodies) / kept),
        "split_events_per_s": round(events / cut),
        "drained_events_per_s": round(events / drained),
    }


def _services(folder: Path) -> Services:
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'bench.db'}",
        redis_url=f"unix://{folder / 'nobody.sock'}",
        secret_keys=SecretStr(Fernet.generate_key().decode()),
    )
    services = bootstrap.build(settings)
    draft = Connection(
        *(CONNECTION, ACCOUNT, "hubspot", "4242", "1001", "http://127.0.0.1:9", "v3"),
        *("active", "", 0),
    )
    with services.store.writing() as unit:
        now = services.now()
        unit.add_account("bench", (ACCOUNT, "hash", "seal"), now)
        connection = unit.connect(draft, {"access_token": "t"}, None, now)
        unit.add_version(connection, Lookup(preset("hubspot")), now)
    return services


def _body(start: int) -> bytes:
    began = int(time.time() * 1000) - 1_000_000
    return json.dumps([_row(number, began) for number in range(start, start + A_DELIVERY)]).encode()


def _row(number: int, began: int) -> dict[str, Any]:
    return {
        "eventId": number,
        "portalId": 4242,
        "occurredAt": began + number,
        "subscriptionType": "contact.propertyChange",
        "objectId": 1000 + number // len(STAGES),
        "propertyName": "lifecyclestage",
        "propertyValue": STAGES[number % len(STAGES)],
        "changeSource": "CRM_UI",
        "sourceId": "userId:1",
    }


def _keep(services: Services, bodies: Sequence[bytes]) -> None:
    """Keep deliveries, each in a transaction of its own, as the endpoint does."""
    for body in bodies:
        with services.store.writing() as unit:
            unit.keep([Parcel("hubspot", (ACCOUNT, CONNECTION), body, services.now(), "bench")])


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
