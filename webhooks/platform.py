"""The platform's webhooks: signed (Standard Webhooks), or with a token by those who can't sign."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

from connector import figures
from connector.domain.errors import DeliveryRefused
from webhooks.intake import prove
from webhooks.standard import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webhooks.door import Call
    from webhooks.intake import Intake, Sender

SYSTEM = "platform"
MOST = 8 * 1024 * 1024
TOKEN = "X-BB-Token"  # noqa: S105 - a header's name
PROOFS = "bb_platform_proofs_total"
# What an id of ours looks like; anything else is not even looked up.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class Platform:
    """`/{connection_id}`, signed or with the token in a header; `/{connection_id}/{token}`."""

    success = 202

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def receive(self, call: Call, names: Sequence[str], trace: str) -> None:
        """Verify and keep a delivery; raise DeliveryRefused, StoreBusy."""
        sender = self._sender(names)
        token = names[1] if len(names) > 1 else call.get(TOKEN)
        by_token = len(names) > 1 or bool(token)
        if by_token:
            prove(self._intake, SYSTEM, sender, lambda one: _check_token(one.tokens, token))
        body = call.body(MOST)
        if not by_token:
            now = self._intake.now()
            prove(self._intake, SYSTEM, sender, lambda one: verify(one.secrets, body, call, now))
        self._intake.keep(SYSTEM, sender, body, trace)
        proof = "token" if by_token else "signature"
        figures.count(PROOFS, connection=sender.connection_id, proof=proof)

    def _sender(self, names: Sequence[str]) -> Sender:
        name = names[0] if len(names) in {1, 2} else ""
        sender = self._intake.sender(SYSTEM, name) if _NAME.fullmatch(name) else None
        if sender is None:
            raise DeliveryRefused("there is no such connection", status=404)
        return sender


def _check_token(tokens: Sequence[str], told: str) -> None:
    given = told.encode("utf-8", "surrogatepass")
    fits = [hmac.compare_digest(one.encode(), given) for one in tokens if one]
    if not any(fits):
        raise DeliveryRefused("the token is not this connection's", status=401)
