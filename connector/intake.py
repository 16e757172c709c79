"""The inside of the webhook endpoints: who sends, where it is kept, whom to wake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from connector.domain.errors import NotFound
from connector.pipeline.hooking import proofs
from connector.pipeline.services import Services
from connector.runtime.bell import Bell
from connector.settings import Settings
from connector.stored import Parcel
from webhooks.intake import Sender

Proofs = tuple[tuple[str, ...], tuple[str, ...]]  # secrets, tokens


def _of_app(kept: Mapping[str, str], now: datetime) -> Proofs:
    """Return the secret of the app whose webhooks come."""
    del now
    return (kept.get("client_secret", ""),), ()


# What a delivery of a system is verified by, out of what its connection keeps.
_PROOFS: Mapping[str, Callable[[Mapping[str, str], datetime], Proofs]] = {
    "hubspot": _of_app,
    "platform": proofs,
}
# A secret that is taken away is good for this many seconds more; a new one is seen at once.
FRESH_FOR = 5.0


class StoreIntake:
    """Keeps deliveries in the store; senders are looked up once in a while, not per request."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._bell = Bell(lambda: services.wake("split", "all"))
        self._lock = threading.Lock()
        self._senders: dict[tuple[str, str], tuple[float, Sender | None]] = {}

    def sender(self, system: str, connection_id: str, *, anew: bool = False) -> Sender | None:
        """Return who a URL belongs to, None if nobody; `anew` looks it up whatever is known."""
        key = (system, connection_id)
        with self._lock:
            kept = None if anew else self._senders.get(key)
        if kept and kept[1] is not None and time.monotonic() - kept[0] < FRESH_FOR:
            return kept[1]
        found = self._look_up(system, connection_id)
        if found is not None:
            with self._lock:
                self._senders[key] = (time.monotonic(), found)
        return found

    def _look_up(self, system: str, connection_id: str) -> Sender | None:
        with self._services.store.reading() as unit:
            try:
                connection = unit.connection(connection_id)
            except NotFound:
                return None
            if connection.system != system:
                return None
            kept = unit.secrets(connection.id)
        told = _PROOFS[system](kept, self.now())
        return Sender(connection.account_id, connection.id, connection.signature, *told)

    def app_secret(self, system: str) -> str:
        """Return the secret of our app at a vendor, "" while none is set."""
        secret = {"hubspot": self._settings.hubspot_client_secret}.get(system)
        return secret.get_secret_value() if secret else ""

    def keep(self, system: str, sender: Sender | None, body: bytes, trace: str) -> None:
        """Keep a delivery durably, then wake a worker; raise StoreBusy."""
        owner = (sender.account_id, sender.connection_id) if sender else None
        if self._services.store.keep(Parcel(system, owner, body, self.now(), trace)):
            self._bell.pull()

    def now(self) -> datetime:
        """Return the time."""
        return self._services.now()
