"""The load generator: a process of its own, raw sockets, requests made before the clock starts.

`python -m bench.load` reads a plan as JSON and prints what it saw as JSON. Closed loop: each
connection sends its next request when the last is answered. Open loop (`rate`): requests are due
at fixed times, and their latency runs from then, however late they could be sent.
"""

from __future__ import annotations

import itertools
import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.events import body, journeys, request

PATIENCE = 30.0  # seconds that answers may be outstanding at the end
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `most` requests at most, for `seconds` at most."""

    host: str
    port: int
    path: str
    secret: str
    events: int = 10
    connections: int = 8
    seconds: float = 4.0
    most: int = 10_000
    first: int = 0
    people: int = 20_000
    rate: float = 0.0


@dataclass(slots=True)
class Seen:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    seconds: float = 0.0
    unanswered: int = 0


class Line:
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.since = 0.0
        self._got = b""

    def send(self, content: bytes, since: float) -> None:
        """Send a request whose latency runs from `since`."""
        self.since = since
        self.socket.sendall(content)

    def receive(self) -> int:
        """Read what there is; return the status once the answer is whole, else 0."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._got += piece
        head, end, rest = self._got.partition(_END)
        if not end or len(rest) < _length(head):
            return 0
        self._got = b""
        return int(head[9:12])


def _length(head: bytes) -> int:
    place = head.lower().find(_LENGTH)
    return int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0


def prepare(plan: Plan) -> list[bytes]:
    """Make every request, each with events that no other has."""
    changes = journeys(plan.first, plan.people)
    address = (plan.host, plan.port)
    bodies = (body(list(itertools.islice(changes, plan.events))) for _ in range(plan.most))
    return [request(address, plan.path, plan.secret, content) for content in bodies]


def run(plan: Plan, requests: Sequence[bytes]) -> Seen:
    """Send, closed or open loop."""
    lines = [Line((plan.host, plan.port)) for _ in range(plan.connections)]
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        try:
            return (
                _open(plan, requests, lines, selector)
                if plan.rate
                else _closed(plan, requests, lines, selector)
            )
        finally:
            for line in lines:
                line.socket.close()


def _closed(plan: Plan, requests: Sequence[bytes], lines: Sequence[Line], selector: Any) -> Seen:
    seen, waiting, clock = Seen(), iter(requests), time.perf_counter
    began = now = clock()
    end, busy = began + plan.seconds, 0
    for line, content in zip(lines, waiting, strict=False):
        line.send(content, clock())
        busy += 1
    while busy and now < end + PATIENCE:
        for key, _ in selector.select(1.0):
            line = key.data
            status = line.receive()
            if not status:
                continue
            now = clock()
            seen.statuses[status] += 1
            seen.latencies.append(now - line.since)
            content = next(waiting, b"") if now < end else b""
            if content:
                line.send(content, now)
            else:
                busy -= 1
    seen.seconds, seen.unanswered = now - began, busy
    return seen


def _open(plan: Plan, requests: Sequence[bytes], lines: Sequence[Line], selector: Any) -> Seen:
    seen, clock = Seen(), time.perf_counter
    free, sent, answered, began = deque(lines), 0, 0, clock() + 0.05
    due = [began + number / plan.rate for number in range(len(requests))]
    end = due[-1] + PATIENCE
    while answered < len(requests) and clock() < end:
        while free and sent < len(requests) and due[sent] <= clock():
            seen.lateness.append(clock() - due[sent])
            free.popleft().send(requests[sent], due[sent])
            sent += 1
        until = due[sent] - clock() if sent < len(requests) and free else 0.1
        for key, _ in selector.select(max(until, 0.0)):
            status = key.data.receive()
            if status:
                now = clock()
                seen.statuses[status] += 1
                seen.latencies.append(now - key.data.since)
                free.append(key.data)
                answered += 1
    seen.seconds, seen.unanswered = clock() - began, len(requests) - answered
    return seen


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return percentiles in milliseconds; `100` is the worst."""
    ordered = sorted(values) or [0.0]
    last = len(ordered) - 1
    return {
        str(part): round(ordered[min(round(part / 100 * last), last)] * 1000, 2)
        for part in (50, 75, 90, 95, 99, 99.5, 99.9, 100)
    }


def main() -> None:
    """Read a plan, carry it out, say what was seen."""
    plan = Plan(**json.load(sys.stdin))
    seen = run(plan, prepare(plan))
    told = {
        "answers": {str(status): count for status, count in sorted(seen.statuses.items())},
        "unanswered": seen.unanswered,
        "seconds": round(seen.seconds, 3),
        "per_s": round(sum(seen.statuses.values()) / seen.seconds, 1),
        "latency_ms": percentiles(seen.latencies),
    }
    if seen.lateness:
        told["sent_late_ms"] = percentiles(seen.lateness)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
