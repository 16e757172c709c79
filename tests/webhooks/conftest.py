"""The front door with a connection behind it, and a sender who signs as HubSpot does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from connector import bootstrap
from connector.app import make_app
from connector.domain.facts import AccountId, ConnectionId
from connector.domain.slots import Pipeline
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.pipeline.drain import drain
from connector.pipeline.split import split
from connector.settings import Settings
from connector.stored import Connection

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

SECRET = "connection-secret"
APP_SECRET = "app-secret"
PUBLIC = "https://bnb.example.com"
Rows = bytes | list[Any]


class Sender:
    """Sends webhooks to an installation of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.settings = Settings(
            data_dir=folder,
            database_url=url,
            redis_url=f"unix://{folder}/nobody.sock",
            secret_keys=SecretStr(Fernet.generate_key().decode()),
            public_url=PUBLIC,
            hubspot_client_secret=SecretStr(APP_SECRET),
            hubspot_app_id=1001,
        )
        self.services = bootstrap.build(self.settings)
        self.client = make_app(self.services, self.settings).test_client()
        now = self.services.now()
        with self.services.store.writing() as unit:
            unit.add_account("ours", ("acc_1", "hash", "seal"), now)
        self.connect("con_1", "4242", "v3")
        self.connect("con_old", "4243", "v1")

    def connect(self, name: str, portal: str, signature: str) -> None:
        """Store a connection to a portal."""
        api = "http://127.0.0.1:9"
        draft = Connection(
            *(ConnectionId(name), AccountId("acc_1"), "hubspot", portal, "1001", api, signature),
            *("active", "", 0),
        )
        with self.services.store.writing() as unit:
            now = self.services.now()
            secrets = {"access_token": "t", "client_secret": SECRET}
            connection = unit.connect(draft, secrets, None, now)
            unit.add_version(connection, Lookup(preset("hubspot"), Pipeline()), now)

    def post(
        self,
        rows: Rows,
        path: str = "/webhooks/hubspot/con_1",
        *,
        secret: str = SECRET,
        age: float = 0.0,
        **headers: str,
    ) -> TestResponse:
        """Send a body with a v3 signature, made `age` seconds ago."""
        body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        stamp = str(int((time.time() - age) * 1000))
        source = f"POST{PUBLIC}{path}".encode() + body + stamp.encode()
        digest = hmac.new(secret.encode(), source, hashlib.sha256).digest()
        signed = {
            "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        return self.client.post(path, data=body, headers={**signed, **headers})

    def work(self) -> None:
        """Split and work off whatever was taken in."""
        for account_id in split(self.services):
            drain(self.services, account_id)

    def parked(self) -> list[str]:
        """Return why events and deliveries were put aside."""
        with self.services.store.reading() as unit:
            events = unit.listed_events(AccountId("acc_1"), "parked", 0, 100)
            deliveries = unit.listed_deliveries(AccountId("acc_1"), "parked", 0, 100)
        return [row.reason for row in [*events, *deliveries]]

    def kept(self) -> int:
        """Return how many deliveries are kept."""
        with self.services.store.reading() as unit:
            return len(unit.waiting_deliveries(100))

    def slots(self) -> dict[int, int]:
        """Return how many profiles stand in which slot."""
        with self.services.store.reading() as unit:
            return unit.people.funnel(AccountId("acc_1"))


@pytest.fixture
def sender(sqlite_url: str, tmp_path: Path) -> Iterator[Sender]:
    """Return a sender to a fresh installation without Redis."""
    made = Sender(sqlite_url, tmp_path)
    yield made
    made.services.store.database.close()


def change(portal: int = 4242, **more: Any) -> dict[str, Any]:
    """Return a property change as HubSpot sends it."""
    row = {
        "eventId": 1,
        "subscriptionId": 7,
        "portalId": portal,
        "appId": 1001,
        "occurredAt": int(time.time() * 1000) - 1000,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": 501,
        "propertyName": "lifecyclestage",
        "propertyValue": "marketingqualifiedlead",
        "changeSource": "CRM_UI",
        "sourceId": "userId:9001",
    }
    return row | more
