"""HubSpot's webhooks: verify over the raw bytes, keep, wake, 204. Nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connector.domain.errors import DeliveryRefused
from webhooks.intake import prove
from webhooks.verify import hubspot_v1, hubspot_v3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webhooks.door import Call
    from webhooks.intake import Intake, Sender

SYSTEM = "hubspot"
MOST = 1024 * 1024
# What an id of ours looks like; anything else is not even looked up.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class HubSpot:
    """HubSpot's two endpoints: one a connection (`/{connection_id}`), and the app's."""

    success = 204

    def __init__(self, intake: Intake, public_url: str) -> None:
        self._intake = intake
        self._public_url = public_url

    def receive(self, call: Call, names: Sequence[str], trace: str) -> None:
        """Verify and keep a delivery; raise DeliveryRefused, StoreBusy."""
        sender = self._sender(names) if names else None
        body = call.body(MOST)
        if sender is None:
            self._verify_app(call, body)
        else:
            prove(self._intake, SYSTEM, sender, lambda one: self._verify(one, call, body))
        self._intake.keep(SYSTEM, sender, body, trace)

    def _sender(self, names: Sequence[str]) -> Sender:
        name = names[0] if len(names) == 1 else ""
        sender = self._intake.sender(SYSTEM, name) if _NAME.fullmatch(name) else None
        if sender is None:
            raise DeliveryRefused("there is no such connection", status=404)
        return sender

    def _verify(self, sender: Sender, call: Call, body: bytes) -> None:
        secret = sender.secrets[0]
        if sender.signature == "v1":
            hubspot_v1(secret, body, call)
        else:
            self._verify_v3(secret, call, body)

    def _verify_app(self, call: Call, body: bytes) -> None:
        secret = self._intake.app_secret(SYSTEM)
        if not secret:
            raise DeliveryRefused(
                "no app secret is set: CONNECTOR_HUBSPOT_CLIENT_SECRET", status=401
            )
        self._verify_v3(secret, call, body)

    def _verify_v3(self, secret: str, call: Call, body: bytes) -> None:
        url = f"{self._public_url}{call.target}"
        hubspot_v3(secret, call.method, url, body, call, self._intake.now())
