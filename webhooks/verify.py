"""Is this webhook really the vendor's? Pure functions of bytes, headers and a clock.

HubSpot's schemes: developers.hubspot.com, "Validating requests".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Protocol

from connector.domain.errors import DeliveryRefused

WINDOW = timedelta(minutes=5)
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
# The only escapes that HubSpot decodes before it signs a URL.
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_ESCAPES = re.compile("|".join(_DECODED), re.IGNORECASE)


class Headers(Protocol):
    """What we ask of a request's headers."""

    def get(self, name: str, default: str, /) -> str:
        """Return a header's text, or the default."""
        ...


def hubspot_v3(
    secret: str, method: str, url: str, body: bytes, headers: Headers, now: datetime
) -> None:
    """Verify a v3 signature: base64 HMAC-SHA256 of method, URL, body and timestamp."""
    _check_secret(secret)
    told = headers.get("X-HubSpot-Signature-v3", "")
    stamp = headers.get("X-HubSpot-Request-Timestamp", "")
    if not told or not stamp:
        raise DeliveryRefused("the signature or its timestamp is missing", status=401)
    _check_fresh(stamp, now)
    source = f"{method}{decode(url)}".encode() + body + stamp.encode()
    digest = hmac.digest(secret.encode(), source, "sha256")
    _compare(base64.b64encode(digest), told)


def hubspot_v1(secret: str, body: bytes, headers: Headers) -> None:
    """Verify a v1 signature: hex SHA-256 of secret and body. It carries no time."""
    _check_secret(secret)
    told = headers.get("X-HubSpot-Signature", "")
    if not told:
        raise DeliveryRefused("the signature is missing", status=401)
    _compare(hashlib.sha256(secret.encode() + body).hexdigest().encode(), told)


def decode(url: str) -> str:
    """Decode the twelve escapes that HubSpot decodes, and no others."""
    return _ESCAPES.sub(lambda found: _DECODED[found.group().upper()], url)


def _check_secret(secret: str) -> None:
    # Anybody can sign with an empty secret.
    if not secret:
        raise DeliveryRefused("there is no secret to verify by", status=401)


def _check_fresh(stamp: str, now: datetime) -> None:
    if not _MILLISECONDS.fullmatch(stamp):
        raise DeliveryRefused("the timestamp is not in milliseconds", status=401)
    age = abs(now.timestamp() * 1000 - int(stamp))
    if age > WINDOW.total_seconds() * 1000:
        raise DeliveryRefused("the request is more than five minutes off", status=401)


def _compare(wanted: bytes, told: str) -> None:
    # Header text may hold anything; as bytes the comparison never raises.
    if not hmac.compare_digest(wanted, told.encode("utf-8", "surrogatepass")):
        raise DeliveryRefused("the signature does not match", status=401)
