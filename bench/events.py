"""Deliveries as HubSpot sends them: bodies, signatures and requests. Standard library only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

PORTAL, APP = 4242, 1001
FIRST_CONTACT = 7_000_001
# Each contact goes through these, one event a stage, in order of time.
STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one contact gets one value."""

    number: int
    contact: int
    field: str
    value: str
    at_ms: int
    source: str = "CRM_UI"


def body(changes: list[Change]) -> bytes:
    """Return a webhook's body; about 320 bytes an event."""
    return json.dumps([_row(change) for change in changes]).encode()


def _row(change: Change) -> dict[str, object]:
    return {
        "eventId": change.number,
        "subscriptionId": 412_077,
        "portalId": PORTAL,
        "appId": APP,
        "occurredAt": change.at_ms,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": change.contact,
        "propertyName": change.field,
        "propertyValue": change.value,
        "changeSource": change.source,
        "sourceId": "userId:9001",
        "changeFlag": "UPDATED",
    }


def journeys(first: int, people: int) -> Iterator[Change]:
    """Yield endless changes of so many contacts, from the number `first` on; no two are alike."""
    began = int(time.time() * 1000) - 3_600_000
    number = first
    while True:
        stage = STAGES[number // people % len(STAGES)]
        contact = FIRST_CONTACT + number % people
        yield Change(number, contact, "lifecyclestage", stage, began + number)
        number += 1


def sign(secret: str, url: str, content: bytes, stamp: str) -> str:
    """Return HubSpot's v3 signature of a POST."""
    source = f"POST{url}".encode() + content + stamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), source, hashlib.sha256).digest()).decode()


def request(address: tuple[str, int], path: str, secret: str, content: bytes) -> bytes:
    """Return the bytes of a signed request, to be sent within five minutes."""
    host, port = address
    stamp = str(time.time_ns() // 1_000_000)
    head = (
        f"POST {path} HTTP/1.1\r\n"
        f"Host: {host}:{port}\r\n"
        "User-Agent: HubSpot Webhooks\r\n"
        "Content-Type: application/json\r\n"
        f"X-HubSpot-Request-Timestamp: {stamp}\r\n"
        f"X-HubSpot-Signature-v3: {sign(secret, f'http://{host}:{port}{path}', content, stamp)}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
