"""A website's visitors as the platform's webhooks tell of them. Standard library only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

PAGES = 200
CODES = ("trial_click", "video_played", "docs_opened", "chat_opened")
SOURCES = ("ads", "news", "partner", "")
IDENTIFIED = 0.03  # of the events; a visitor gives an address once
SPAN = timedelta(days=60)  # over which the events are spread


def events(piece: range, total: int, visitors: int, until: datetime) -> Iterator[Any]:
    """Yield a piece of a history of so many events, in order of time; the last is at `until`."""
    chance = random.Random(piece.start)
    known: set[int] = set()
    start, gap = until - SPAN, SPAN / total
    for number in piece:
        who = chance.randrange(visitors)
        yield _event(number, who, start + gap * number, chance, known)


def _event(
    number: int, who: int, at: datetime, chance: random.Random, known: set[int]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"evt_{number}",
        "occurred_at": at.isoformat(),
        "visitor": {"device_id": f"{who:024x}", "state": "anonymous"},
    }
    roll = chance.random()
    if roll < IDENTIFIED and who not in known:
        known.add(who)
        told["visitor"] |= {"email": f"visitor{who}@example.com", "state": "identified"}
        return told | {"type": "identity_conversion"}
    if roll < 0.2:  # noqa: PLR2004 - one in five is a custom event
        return told | {"type": "custom", "code": chance.choice(CODES)}
    page = f"https://www.example.com/p{chance.randrange(PAGES)}/pricing"
    return told | {
        "type": "page_view",
        "page": {"url": page, "title": "A page"},
        "origin": {"utm_source": SOURCES[who % len(SOURCES)]},
    }


def rules(count: int) -> Iterator[dict[str, Any]]:
    """Yield so many rules: three visits of some page within a week escalate."""
    for number in range(count):
        url = {"glob": f"*/p{number}/pricing*"}
        counted = {"event": "page_view", "url": url, "within": "7d"}
        yield {
            "name": f"page {number}",
            "trigger": {"event": "page_view", "url": url},
            "conditions": {"all": [{"count": counted, "at_least": 2}]},
            "to": 6,
            "cooldown": "30d",
        }


def request(address: tuple[str, int], path: str, secret: str, told: list[Any]) -> bytes:
    """Return the bytes of a request signed after Standard Webhooks, to be sent within minutes."""
    host, port = address
    content = json.dumps(told, separators=(",", ":")).encode()
    stamp = str(int(time.time()))
    name = f"msg_{told[0]['id']}"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    source = f"{name}.{stamp}.".encode() + content
    signature = base64.b64encode(hmac.new(key, source, hashlib.sha256).digest()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\n"
        f"Host: {host}:{port}\r\n"
        "Content-Type: application/json\r\n"
        f"webhook-id: {name}\r\n"
        f"webhook-timestamp: {stamp}\r\n"
        f"webhook-signature: v1,{signature}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def soon() -> datetime:
    """Return the time that journeys lead up to."""
    return datetime.now(UTC) - timedelta(minutes=1)
