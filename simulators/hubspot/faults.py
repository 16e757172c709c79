"""Faults on request: what the next matching call, or delivery, is to suffer."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from .shapes import Json

API_FAULTS = {
    "status": "answers `status` with `body` and `headers`, without doing anything",
    "429": "answers the 429 of `policy` (TEN_SECONDLY_ROLLING), with `retry_after` if given",
    "timeout": "does nothing, says nothing for `seconds` (30), then closes",
    "hang": "does the call, holds the answer back for `seconds` (30)",
    "delay": "waits `seconds` (1) and then does the call",
    "reset": "does nothing, resets the connection",
    "drop_reply": "does the call, then closes without an answer",
    "html502": "answers a 502 with an HTML page, without doing anything",
    "bad_json": "does the call, cuts the JSON of the answer in half",
    "partial": "does the call, but the rows `ids` fail in a 207 with `category`",
    "before": "a person edits {object, id, properties, user_id} just before the call is served",
    "after": "a person makes that edit just after the call was served",
}
WEBHOOK_FAULTS = {
    "duplicate": "sends the batch twice",
    "delay": "holds the batch back for `seconds` (1) while others overtake it",
    "reorder": "sends what was collected newest first, one event a POST if `split`",
    "drop": "never sends it",
    "bad_signature": "signs the batch with another secret",
}


@dataclass
class Fault:
    """One fault and how often it still strikes."""

    id: int
    do: str
    match: re.Pattern[str]
    method: str = ""
    times: int = 1
    skip: int = 0
    """So many matching calls pass unharmed first."""
    struck: int = 0
    more: Json = field(default_factory=dict)

    def fits(self, path: str, method: str) -> bool:
        """Say whether a call is one that this fault is meant for."""
        if self.times <= 0 or self.method not in {"", method}:
            return False
        return bool(self.match.search(path))

    def strike(self) -> bool:
        """Count a fitting call; the first `skip` of them pass."""
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.struck += 1
        return True

    def shown(self) -> Json:
        """Return it as the control API shows it."""
        plain = {"id": self.id, "do": self.do, "match": self.match.pattern}
        return plain | {"method": self.method, "times": self.times, "struck": self.struck}


class Faults:
    """The queue of faults, first come first served."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._queue: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, wanted: Json) -> Fault:
        """Queue a fault; ValueError names an unknown one."""
        do = str(wanted.get("do", ""))
        if do not in self._known:
            raise ValueError(f"do must be one of {', '.join(self._known)}")
        known = {"do", "match", "method", "times", "skip"}
        fault = Fault(
            next(self._ids),
            do,
            re.compile(wanted.get("match", "")),
            str(wanted.get("method", "")).upper(),
            int(wanted.get("times", 1)),
            int(wanted.get("skip", 0)),
            more={name: value for name, value in wanted.items() if name not in known},
        )
        with self._lock:
            self._queue.append(fault)
        return fault

    def take(
        self, path: str, method: str = "", among: Collection[str] | None = None
    ) -> Fault | None:
        """Return the fault that strikes this call, and count it."""
        with self._lock:
            for fault in self._queue:
                if among is not None and fault.do not in among:
                    continue
                if fault.fits(path, method) and fault.strike():
                    return fault
        return None

    def all(self) -> list[Json]:
        """Return every fault, struck or not."""
        with self._lock:
            return [fault.shown() for fault in self._queue]

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._queue.clear()
