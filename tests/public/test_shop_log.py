"""A public event log runs in through the webhook; every count agrees with the file's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from connector import bootstrap
from connector.app import make_app
from connector.domain.facts import AccountId
from connector.pipeline.drain import drain
from connector.pipeline.hooking import Keys, hook
from connector.pipeline.split import split
from connector.settings import Settings
from connector.store.secrets import fingerprint
from tests.public import shop

pytestmark = pytest.mark.skipif(
    not shop.LOG.exists(), reason=f"no public data in {shop.FOLDER}: set CONNECTOR_BENCH_DATA"
)
ACCOUNT, TOKEN = AccountId("acc_shop"), "token"
KEY = b"a secret of the shop's platform."
A_REQUEST = 500


class Shop:
    """An installation that a shop's events come into; asked by HTTP only."""

    def __init__(self, url: str, folder: Path) -> None:
        settings = Settings(
            data_dir=folder,
            database_url=url,
            redis_url=f"unix://{folder}/nobody.sock",
            secret_keys=SecretStr(Fernet.generate_key().decode()),
            log_level="ERROR",
        )
        self.services = bootstrap.build(settings)
        self.client = make_app(self.services, settings).test_client()
        with self.services.store.writing() as unit:
            unit.add_account("shop", (ACCOUNT, fingerprint(TOKEN), "00" * 32), self.services.now())
        secret = f"whsec_{base64.b64encode(KEY).decode()}"
        made, _ = hook(self.services, ACCOUNT, Keys(secret, "unused"), rotate=False)
        self.path = f"/webhooks/platform/{made.id}"

    def send(self, told: list[dict[str, Any]]) -> int:
        """Post events, signed; return the status."""
        body = json.dumps(told).encode()
        name, stamp = f"msg_{told[0]['id']}", str(int(time.time()))
        source = f"{name}.{stamp}.".encode() + body
        digest = base64.b64encode(hmac.new(KEY, source, hashlib.sha256).digest()).decode()
        headers = {
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{digest}",
        }
        return self.client.post(self.path, data=body, headers=headers).status_code

    def work(self) -> None:
        """Work off whatever waits."""
        split(self.services)
        drain(self.services, ACCOUNT)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API; anything but a yes is an error."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        reply = self.client.open(f"/api/v1/{path}", method=method, json=body, headers=headers)
        assert reply.status_code in {200, 201}, reply.text
        return reply.json


@pytest.fixture
def visited(sqlite_url: str, tmp_path: Path) -> Iterator[Shop]:
    """Return the shop with its rules, after the whole log has come in."""
    made = Shop(sqlite_url, tmp_path)
    for rule in shop.rules():
        made.call("POST", "rules", rule)
    events = shop.told(shop.rows())
    while some := list(itertools.islice(events, A_REQUEST)):
        assert made.send(some) == 202
        made.work()
    yield made
    made.services.store.database.close()


def test_every_count_of_the_reports_is_the_logs_own(visited: Shop) -> None:
    log = shop.rows()
    funnel = visited.call("GET", "reports/funnel")["items"]
    counted = {row["slot"]: row["profiles"] for row in funnel if row["profiles"]}
    assert counted == dict(shop.count(log, "acquisition_channel").funnel)
    for by, column in (("source", "acquisition_channel"), ("campaign", "user_cohort")):
        found = {
            row["key"]: row for row in visited.call("GET", f"reports/feedback?by={by}")["items"]
        }
        own = shop.count(log, column).entries
        assert found.keys() == own.keys()
        for key, one in own.items():
            row = found[key]
            assert (row["mql"], row["accepted"], row["sql"]) == (one.mql, one.accepted, one.sql)
            assert row["mql_to_sql"] == pytest.approx(one.sql / one.mql, abs=0.0005)
