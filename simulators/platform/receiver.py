"""The platform's ear: a tiny server that keeps what is posted to it and looks at its signature."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .signatures import NAMES, fault


@dataclass(frozen=True, slots=True)
class Post:
    """One post; `fault` says what is wrong with its signature, `again` that its id came before."""

    path: str
    name: str
    body: bytes
    fault: str
    status: int
    again: bool


@dataclass
class Receiver:
    """Keeps posts in the order in which they came; `failing` are statuses to answer with first."""

    secret: str
    failing: list[int] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def taken(self) -> list[Post]:
        """Return the posts that were answered with a yes."""
        return [post for post in self.posts if post.status == HTTPStatus.ACCEPTED]

    def take(self, path: str, sent: dict[str, str], body: bytes) -> int:
        """Keep a post; return the status to answer with."""
        with self._lock:
            wrong = fault(self.secret, sent, body, time.time())
            status = int(HTTPStatus.UNAUTHORIZED if wrong else HTTPStatus.ACCEPTED)
            if self.failing:
                status = self.failing.pop(0)
            name = sent.get(NAMES[0], "")
            again = any(post.name == name for post in self.taken)
            self.posts.append(Post(path, name, body, wrong, status, again))
        return status


@contextmanager
def listening(secret: str, port: int = 0) -> Iterator[Receiver]:
    """Listen on a loopback port while the block runs."""
    receiver = Receiver(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(self.path, sent, self.rfile.read(length)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
