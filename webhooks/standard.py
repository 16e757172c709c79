"""Is this delivery the sender's? The Standard Webhooks way (standardwebhooks.com).

A secret is `whsec_` and base64; several may be active while one takes over from another. What is
signed is `id.timestamp.body`, and one header may carry several signatures.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from connector.domain.errors import DeliveryRefused
from webhooks.verify import WINDOW, Headers

PREFIX = "whsec_"
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def verify(secrets: Sequence[str], body: bytes, headers: Headers, now: datetime) -> None:
    """Verify that one of the secrets signed a body; raise DeliveryRefused."""
    keys = [key for key in map(_key, secrets) if key]
    if not keys:
        raise DeliveryRefused("there is no secret to verify by", status=401)
    named, stamp, told = (
        headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not (named and stamp and told):
        raise DeliveryRefused("the signature, its id or its timestamp is missing", status=401)
    _check_fresh(stamp, now)
    source = _bytes(f"{named}.{stamp}.") + body
    wanted = [b"v1," + base64.b64encode(hmac.digest(key, source, "sha256")) for key in keys]
    given = [_bytes(one) for one in told.split(" ")]
    # Every pair is compared, so that the time taken tells nothing of which one fits.
    fits = [hmac.compare_digest(one, other) for one in wanted for other in given]
    if not any(fits):
        raise DeliveryRefused("the signature does not match", status=401)


def _key(secret: str) -> bytes:
    """Return the bytes to sign with; b"" where a text is no secret."""
    # The platform's adapter has a reader of its own that demands a length: it signs with what an
    # admin types in. Here a secret was made by us, and no adapter may be imported.
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_fresh(stamp: str, now: datetime) -> None:
    if not _SECONDS.fullmatch(stamp):
        raise DeliveryRefused("the timestamp is not in seconds", status=401)
    if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise DeliveryRefused("the request is more than five minutes off", status=401)


def _bytes(text: str) -> bytes:
    """Return a header's bytes: a server hands them over as Latin-1 (PEP 3333)."""
    return text.encode("latin-1", "replace")
