"""How HubSpot signs its requests.

developers.hubspot.com, "Validating requests from HubSpot".
"""

from __future__ import annotations

import base64
import hashlib
import hmac

# The only escapes that are decoded in the URI before it is hashed (section 1.5).
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


def v1(secret: str, body: bytes) -> str:
    """Sign as classic CRM webhooks do: the secret, then the body."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """Sign as workflow actions do: the secret, method, URI and body."""
    return hashlib.sha256(f"{secret}{method}{uri}".encode() + body).hexdigest()


def v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """Sign as OAuth apps' webhooks are: HMAC over method, decoded URI, body and time."""
    text = f"{method}{decoded(uri)}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()


def decoded(uri: str) -> str:
    """Decode the twelve escapes, in either case, and nothing else."""
    for escape, plain in _DECODED.items():
        uri = uri.replace(escape, plain).replace(escape.lower(), plain)
    return uri
