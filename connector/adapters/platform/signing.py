"""Signatures of the webhooks that we send (standardwebhooks.com, specification, "Signatures")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
# "between 24 bytes (192 bits) and 64 bytes (512 bits)" (specification, "Symmetric").
LEAST, MOST = 24, 64


def sign(secret: str, message_id: str, at: int, body: bytes) -> str:
    """Return the `webhook-signature` of a message sent at a time, in seconds since 1970."""
    signed = b".".join((message_id.encode(), str(at).encode(), body))
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for; raise ValueError where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is no base64") from error
    if not LEAST <= len(key) <= MOST:
        raise ValueError(f"the secret must stand for {LEAST} to {MOST} bytes")
    return key


def secret_of(key: bytes) -> str:
    """Return a key as secrets are written."""
    return PREFIX + base64.b64encode(key).decode()
