"""What HubSpot's refusals mean: status and category -> one error of ours.

No text of HubSpot's goes into an error, for it quotes e-mail addresses and values; only its
categories, codes, field names and the correlation id that its support asks for.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from connector.adapters.hubspot.shapes import Json, part, rows, text, texts
from connector.domain.errors import CrmBusy, CrmDenied, CrmDown, CrmError, CrmRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = 86_400.0
LOCK_WAIT = 2.0
MOVE_WAIT = 3_600.0
WINDOW_WAIT = 10.0

# These say that nothing of the account may be called for a while, not only this record.
BLOCKING = frozenset({429, 477})

_EXISTING = re.compile(r"Existing ID: (\d+)\s*$", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of HubSpot; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def body(self) -> Json:
        """The answer's JSON object, empty where there is none."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: a code and the fields it is about."""

    code: str
    names: tuple[str, ...] = ()


class Rejected(CrmRefused):
    """A refused request; `reason` is HubSpot's words alone, the same for the same fault.

    `existing` is the record that holds the value already, "" where none is named.
    """

    def __init__(self, message: str, *, status: int, body: Json) -> None:
        super().__init__(message, status=status)
        self.category = word(body.get("category"))
        self.faults = faults(body)
        self.reason = summary(body) or str(status)
        self.existing = existing(body)


def failure(reply: Reply, what: str, now: float, midnight: float) -> CrmError:
    """Return the error that an unsuccessful answer is; `midnight` is how far off it is."""
    said = [str(reply.status), summary(reply.body), word(reply.body.get("correlationId"))]
    message = f"HubSpot answered {' '.join(filter(None, said))} to {what}"
    told = retry_after(reply.headers, now)
    if reply.status in _WAITS:
        wait = _WAITS[reply.status](reply, told, midnight)
        return CrmBusy(message, retry_in=min(wait, DAY))
    if reply.status == _FORBIDDEN:
        return CrmDenied(message)
    if _is_transient(reply.status):
        return CrmDown(message, retry_in=told)
    return Rejected(message, status=reply.status, body=reply.body)


def is_daily(reply: Reply) -> bool:
    """Say whether a refused call was one too many for the day."""
    return "DAILY" in _policy(reply)


def _policy(reply: Reply) -> str:
    return text(reply.body.get("policyName")).upper()


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, if it makes sense."""
    told = headers.get("retry-after", "").strip()
    try:
        wait = float(told)
    except ValueError:
        wait = _until(told, now)
    return min(wait, DAY) if math.isfinite(wait) and wait >= 0 else None


def word(value: object) -> str:
    """Return a category, code or field name, empty where it is no such word."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def faults(body: Json) -> tuple[Fault, ...]:
    """Return what HubSpot names as wrong, from its list or from inside its message."""
    listed = [
        Fault(word(row.get("code") or row.get("subCategory")), _names(part(row, "context")))
        for row in rows(body, "errors")
    ]
    return tuple(listed) or _buried(body.get("message"))


def summary(body: Json) -> str:
    """Return category, codes and fields of a refusal, and nothing that it quotes."""
    found = [word(body.get("category") or body.get("errorType")), word(body.get("subCategory"))]
    for fault in faults(body):
        found += [fault.code, *fault.names]
    return " ".join(dict.fromkeys(part for part in found if part))


def existing(body: Json) -> str:
    """Return the record that a conflict names: its message ends "Existing ID: 123"."""
    found = _EXISTING.search(text(body.get("message")))
    return found.group(1) if found else ""


def innermost(error: BaseException) -> BaseException | None:
    """Return the deepest cause, which holds no URL and so no address; None if there is none."""
    found = error
    while inner := found.__cause__ or found.__context__:
        found = inner
    return None if found is error else found


def _names(context: Json) -> tuple[str, ...]:
    return tuple(filter(None, map(word, texts(context, "propertyName"))))


def _buried(message: object) -> tuple[Fault, ...]:
    """Read `Property values were not valid: [{...}]`, which older paths answer."""
    told = text(message)
    try:
        found = json.loads(told[told.index("[{") :])
    except (ValueError, RecursionError):
        return ()
    return tuple(
        Fault(word(row.get("error")), tuple(filter(None, [word(row.get("name"))])))
        for row in rows({"found": found}, "found")
    )


def _until(told: str, now: float) -> float:
    try:
        when = parsedate_to_datetime(told)
    except (ValueError, IndexError, TypeError, OverflowError):
        return math.nan
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now


def _is_transient(status: int) -> bool:
    return status in _AGAIN or not _CLIENT_ERRORS[0] <= status < _CLIENT_ERRORS[1]


def _rate_wait(reply: Reply, told: float | None, midnight: float) -> float:
    if is_daily(reply):
        return midnight
    if told is not None:
        return told
    if _policy(reply) == "SECONDLY":
        return 1.0
    interval = reply.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    return float(interval) / 1000 if interval.isascii() and interval.isdigit() else WINDOW_WAIT


def _lock_wait(_reply: Reply, told: float | None, _midnight: float) -> float:
    return max(LOCK_WAIT, told or 0.0)


def _move_wait(_reply: Reply, told: float | None, _midnight: float) -> float:
    return told or MOVE_WAIT


_FORBIDDEN = 403
_CLIENT_ERRORS = (400, 500)
_AGAIN = frozenset({408, 425})
_WAITS: Mapping[int, Callable[[Reply, float | None, float], float]] = {
    423: _lock_wait,
    429: _rate_wait,
    477: _move_wait,
}
