"""How Standard Webhooks are signed and verified.

github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE = 300  # seconds
NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def signature(secret: str, name: str, stamp: str, body: bytes) -> str:
    """Sign a message: base64 of HMAC-SHA256 over id, timestamp and body with dots between."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((name.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets: list[str], name: str, now: float, body: bytes) -> dict[str, str]:
    """Return a message's headers, signed with every secret that is in use."""
    stamp = str(int(now))
    told = " ".join(signature(secret, name, stamp, body) for secret in secrets)
    return dict(zip(NAMES, (name, stamp, told), strict=True))


def fault(secret: str, sent: Mapping[str, str], body: bytes, now: float) -> str:
    """Say what is wrong with a message, "" where nothing is."""
    name, stamp, told = (sent.get(one, "") for one in NAMES)
    if not (name and stamp and told):
        return "a header is missing"
    if not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE:
        return "the timestamp is off"
    wanted = signature(secret, name, stamp, body)
    if not any(hmac.compare_digest(wanted, one) for one in told.split(" ")):
        return "no signature fits"
    return ""
