"""A house with the API's front door: a database, an account, a connection, events put through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
from connector.mapping.table import Vocabulary
from connector.pipeline.drain import drain
from connector.ports import Event, Happening
from connector.settings import Settings
from connector.store.secrets import fingerprint
from connector.stored import Arrival, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

    from connector.pipeline.services import Services

NOW = datetime.now(UTC)
TOKEN = "bnb_ours"


class Door:
    """One account's way in: its events, and its calls of the API."""

    def __init__(self, services: Services, app: Flask, name: str = "ours") -> None:
        self.services = services
        self.app = app
        self.account_id = AccountId(f"acc_{name}")
        self.connection_id = ConnectionId(f"con_{name}")
        self.token = f"bnb_{name}"
        self._events = 0
        with services.store.writing() as unit:
            ids = (self.account_id, fingerprint(self.token), "seal")
            unit.add_account(name, ids, NOW)
            draft = Connection(
                *(self.connection_id, self.account_id, "hubspot", name, "1001"),
                *("http://127.0.0.1:9", "v3", "active", "", 0),
            )
            connection = unit.connect(draft, {"access_token": "t-secret"}, None, NOW)
            lookup = Lookup(preset("hubspot"), Pipeline(), Vocabulary())
            unit.add_version(connection, lookup, NOW)

    def tell(self, record_id: str, **fields: str) -> None:
        """Put changes of a contact through the pipeline, each a second after the one before."""
        for field, value in fields.items():
            self.keep(record_id, Happening.CHANGED, field=field, value=value)
        self.drain()

    def drain(self) -> None:
        """Work off the inbox."""
        drain(self.services, self.account_id)

    def keep(
        self, record_id: str, happening: Happening, kind: str = "contact", **data: object
    ) -> None:
        """Keep an event in the inbox, to be worked off later."""
        self._events += 1
        when = NOW - timedelta(hours=1) + timedelta(seconds=self._events)
        key = f"{self.account_id}-{self._events}"
        event = Event(key, happening, "", kind, record_id, when, key, data)
        with self.services.store.writing() as unit:
            unit.add_events(self.account_id, [Arrival(0, self.connection_id, event, NOW)])

    def lead(self, record_id: str = "101", email: str = "ann@example.com") -> str:
        """Make a lead in slot 3; return the profile's id."""
        self.tell(record_id, email=email, lifecyclestage="lead")
        found: str = self.get(f"profiles?record_id={record_id}").json["items"][0]["id"]
        return found

    def get(self, path: str, **more: Any) -> Any:
        """GET a path of the API."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Any:
        """POST to a path of the API."""
        return self.ask("POST", path, json=body, **more)

    def put(self, path: str, body: object) -> Any:
        """PUT to a path of the API."""
        return self.ask("PUT", path, json=body)

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Call the API with the account's token."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        client = self.app.test_client()
        return client.open(f"/api/v1/{path}", method=method, headers=headers, **more)


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """Return settings without Redis: its socket is not there."""
    return make_settings(sqlite_url, tmp_path)


def make_settings(database_url: str, folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        secret_keys=SecretStr(Fernet.generate_key().decode()),
        redis_url=f"unix://{folder}/no.sock",
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    found = bootstrap.build(settings)
    yield found
    found.store.database.close()


@pytest.fixture
def app(services: Services, settings: Settings) -> Flask:
    return make_app(services, settings)


@pytest.fixture
def door(services: Services, app: Flask) -> Door:
    return Door(services, app)


@pytest.fixture
def other(services: Services, app: Flask) -> Door:
    """Return another account's way in."""
    return Door(services, app, "theirs")


@pytest.fixture
def braked(settings: Settings, services: Services) -> Door:
    """Return a way in where a single lifecycle write is one too many."""
    strict = replace(services, brake_per_hour=0)
    return Door(strict, make_app(strict, settings))
