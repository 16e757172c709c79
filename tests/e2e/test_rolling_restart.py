"""Every process is stopped and started again in turn while a sender sends: no event is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import requests

from tests.e2e.conftest import SECRET, Installation, Make, wait_for
from tests.webhooks.conftest import change

NAMES = ("web", "worker", "worker", "clock")


class Source:
    """Sends one event a request, as often as it takes to be acknowledged."""

    def __init__(self, own: Installation) -> None:
        self._url = own.connection["webhook_url"]
        self._port = own.port
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._send_all)
        self.acknowledged: list[int] = []
        self.refused: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _send_all(self) -> None:
        number = 0
        while not self._done.is_set():
            number += 1
            body = json.dumps([change(eventId=number, objectId=number)]).encode()
            while not self._is_taken(body):
                if self._done.wait(0.1):
                    return
            self.acknowledged.append(number)

    def _is_taken(self, body: bytes) -> bool:
        stamp = str(int(time.time() * 1000))
        source = f"POST{self._url}".encode() + body + stamp.encode()
        mac = hmac.new(SECRET.encode(), source, hashlib.sha256).digest()
        headers = {
            "X-HubSpot-Signature-v3": base64.b64encode(mac).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        where = f"http://127.0.0.1:{self._port}{urlsplit(self._url).path}"
        try:
            status = requests.post(where, data=body, headers=headers, timeout=10).status_code
        except requests.RequestException:
            return False
        if status not in {204, 503}:
            self.refused.add(status)
        return status == 204


def states(own: Installation) -> dict[int, str]:
    """Return the state of every event that was kept, by the number that it was sent with."""
    path = Path(own.environment["CONNECTOR_DATA_DIR"], "connector.db")
    query = "SELECT record_id, state FROM event WHERE happening = 'changed'"
    with closing(sqlite3.connect(path, timeout=30)) as store:
        return {int(record): state for record, state in store.execute(query)}


def test_a_rolling_restart_loses_no_event_of_a_sender_who_tries_again(make: Make) -> None:
    own = make({}, NAMES)
    with Source(own) as source:
        for place, name in enumerate(NAMES):
            before = len(source.acknowledged)
            wait_for(lambda before=before: len(source.acknowledged) > before + 20)  # type: ignore[misc]
            old = own.processes[place]
            old.send_signal(signal.SIGTERM)
            assert old.wait(20) == 0
            own.start(name)
        before = len(source.acknowledged)
        wait_for(lambda: len(source.acknowledged) > before + 20)

    sent = set(source.acknowledged)
    wait_for(lambda: sent <= {number for number, state in states(own).items() if state == "done"})
    assert source.refused == set()
