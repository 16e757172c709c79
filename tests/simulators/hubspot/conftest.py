import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from simulators.hubspot.testing import Twin


class Api:
    """An app's HTTP client."""

    def __init__(self, twin: Twin, token: str) -> None:
        self.twin = twin
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self._session.request(
            method, self.twin.url + path, json=body, params=query, timeout=10
        )

    def contact(self, **values: str) -> str:
        """Create a contact; return its id."""
        reply = self("POST", "/crm/objects/2026-09/contacts", {"properties": values})
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def patch(self, record_id: str, **values: str) -> Any:
        """Write some properties of a contact; return the record answered."""
        path = f"/crm/objects/2026-09/contacts/{record_id}"
        reply = self("PATCH", path, {"properties": values})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def close(self) -> None:
        self._session.close()


class Listener:
    """A webhook endpoint that answers as it is told."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posts.append((dict(self.headers), body))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def events(self) -> list[Any]:
        """Every event received, in order of receipt."""
        return [event for _, body in self.posts for event in json.loads(body)]

    def types(self) -> list[str]:
        """The types of the events received."""
        return [event["subscriptionType"] for event in self.events]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def start() -> Iterator[Callable[..., Twin]]:
    """Start a twin with some settings; it ends with the test."""
    running: list[Twin] = []

    def begin(**settings: Any) -> Twin:
        running.append(Twin(**{"collect_seconds": 0.01, **settings}))
        return running[-1]

    yield begin
    for twin in running:
        twin.close()


@pytest.fixture
def twin(start: Callable[..., Twin]) -> Twin:
    """Run a twin with its usual settings."""
    return start()


@pytest.fixture
def login() -> Iterator[Callable[..., Api]]:
    """Connect an app to a twin."""
    opened: list[Api] = []

    def connect(twin: Twin, token: str = "") -> Api:
        opened.append(Api(twin, token or twin.token))
        return opened[-1]

    yield connect
    for api in opened:
        api.close()


@pytest.fixture
def api(twin: Twin, login: Callable[..., Api]) -> Api:
    """Connect the app to the usual twin."""
    return login(twin)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Run a webhook endpoint."""
    found = Listener()
    yield found
    found.close()


@pytest.fixture
def sending(start: Callable[..., Twin], listener: Listener) -> Twin:
    """Run a twin that sends its webhooks to the listener, and retries at once."""
    return start(target=listener.url, retry_delays=[0.01] * 10)
