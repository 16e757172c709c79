"""What an admin does before anything flows: account, connection, our fields, the backfill."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass

from connector import bootstrap, logs
from connector.adapters.platform.signing import LEAST, secret_of
from connector.demo.http import Json
from connector.demo.site import Site
from connector.domain.facts import AccountId
from connector.domain.systems import PLATFORM
from connector.pipeline import documents
from connector.pipeline.backfilling import backfill
from connector.pipeline.connecting import Request, connect
from connector.pipeline.hooking import Keys, hook
from connector.pipeline.importing import import_journeys
from connector.pipeline.installing import install
from connector.pipeline.services import Services
from connector.settings import Settings
from connector.store.secrets import fingerprint

# The twin's own made-up credentials: see simulators/hubspot/README.md.
PORTAL, APP = "4242", "1001"
DEAL = {
    "enabled": True,
    "status": ["CONNECTED"],
    "pipeline": "default",
    "stage": "appointmentscheduled",
    "name": "{firstname} {lastname}",
}
SECRETS = {"access_token": "twin-token", "client_secret": "twin-secret"}


@dataclass(frozen=True, slots=True)
class Office:
    """One account with one connection; the same calls as the commands make."""

    services: Services
    account_id: AccountId
    token: str
    connection_id: str
    public_url: str

    @property
    def webhook_url(self) -> str:
        """Where HubSpot's webhooks go."""
        return f"{self.public_url}/webhooks/hubspot/{self.connection_id}"

    def open_site(self, owners: Sequence[str]) -> Site:
        """Turn the hand-off on for these owners, connect the platform, and return the website."""
        with self.services.store.reading() as unit:
            connection = unit.connection(self.connection_id)
        document = documents.current(self.services, connection)
        document["handoff"] = {
            "assign_owner": {"enabled": True, "owners": list(owners)},
            "reset_status": {"enabled": True, "value": "NEW"},
            "create_deal": DEAL,
        }
        documents.save(self.services, connection, document, dry_run=False, reevaluate=False)
        self.install()  # the field that keeps deals at one each
        keys = Keys(secret_of(random.token_bytes(LEAST)), random.token_urlsafe(32))
        made, _ = hook(self.services, self.account_id, keys, rotate=False)
        return Site(f"{self.public_url}/webhooks/platform/{made.id}", keys.secret)

    def bring(self, events: Sequence[Json]) -> int:
        """Take in the history of a website; return how many events that were."""
        with self.services.store.reading() as unit:
            own = unit.connections(self.account_id)
        site = next(one for one in own if one.system == PLATFORM)
        lines = (json.dumps(event) for event in events)
        return import_journeys(self.services, site, lines, lambda _count: None).events

    def install(self) -> int:
        """Make our fields in the portal; return how many steps that took."""
        return len(install(self.services, self.connection_id, apply=True, token=None))

    def backfill(self) -> int:
        """Read every record there is; return how many contacts that were."""
        return backfill(self.services, self.connection_id, lambda *_: None)["contact"]


def open_office(twin_url: str) -> Office:
    """Create an account and connect the twin's portal to it."""
    settings = Settings.load()
    logs.configure(settings.model_copy(update={"log_level": "ERROR"}))
    services = bootstrap.build(settings)
    account_id, token = _account(services)
    request = Request(account_id, "hubspot", PORTAL, APP, twin_url, "v3", SECRETS)
    connection = connect(services, request)
    return Office(services, account_id, token, connection.id, settings.public_url)


def _account(services: Services) -> tuple[AccountId, str]:
    made, token = services.new_id("acc"), f"bnb_{random.token_urlsafe(32)}"
    with services.store.writing() as unit:
        unit.add_account("Demo", (made, fingerprint(token), random.token_hex(32)), services.now())
    return AccountId(made), token
