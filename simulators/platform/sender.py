"""Posts events as the platform does: signed, again where not taken, out of order on demand."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import requests

from .signatures import headers
from .visitors import Json

# Seconds until a delivery that was not taken is tried again.
BACKOFF = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_TIMEOUT = (3.0, 10.0)
_AGAIN = frozenset({408, 425, 429})
_OURS = 500
_TAKEN = 2  # hundred and something


def _dumps(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


SHAPES: dict[str, Callable[[list[Json]], bytes]] = {
    "array": _dumps,
    "events": lambda events: _dumps({"events": events}),
    "ndjson": lambda events: b"\n".join(map(_dumps, events)),
    "object": lambda events: _dumps(events[0]),
}


@dataclass
class Sender:
    """Sends to one URL; `secrets` sign, and where there are none a token does for them.

    `shape` says how events are put into a body; as an object each goes alone.
    """

    target: str
    secrets: list[str] = field(default_factory=list)
    token: str = ""
    shape: str = "events"
    at_once: int = 100
    backoff: tuple[float, ...] = BACKOFF
    now: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    posts: int = 0
    taken: int = 0
    refused: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._number = 0

    def send(
        self, events: list[Json], *, doubled: float = 0.0, shuffled: int | None = None
    ) -> None:
        """Send events; a part of them twice, and (with a seed) in another order than theirs."""
        chance = random.Random(shuffled or 0)
        queue = [one for one in events for _ in range(1 + (chance.random() < doubled))]
        if shuffled is not None:
            chance.shuffle(queue)
        for some in _slices(queue, 1 if self.shape == "object" else self.at_once):
            self.deliver(SHAPES[self.shape](some))

    def deliver(self, body: bytes) -> int:
        """Post a body until it is taken, refused for good, or given up; return the last status."""
        self._number += 1
        name = f"msg_{self._number:08}"
        status = 0
        for wait in (*self.backoff, None):
            status = self._post(name, body)
            if status and status < _OURS and status not in _AGAIN:
                break
            if wait is not None:
                self.pause(wait)
        if status // 100 == _TAKEN:
            self.taken += 1
        else:
            self.refused.append(status)
        return status

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def _post(self, name: str, body: bytes) -> int:
        """Post once; 0 where nobody answers. The id stays, the timestamp is that of the attempt."""
        self.posts += 1
        sent = {"Content-Type": "application/json"}
        if self.secrets:
            sent |= headers(self.secrets, name, self.now(), body)
        url = f"{self.target}/{self.token}" if self.token and not self.secrets else self.target
        try:
            answer = self._session.post(url, data=body, headers=sent, timeout=_TIMEOUT)
        except requests.RequestException:
            return 0
        return answer.status_code


def _slices(events: list[Json], size: int) -> Iterator[list[Json]]:
    for start in range(0, len(events), size):
        yield events[start : start + size]
