"""The HubSpot twin as the demo uses it: over HTTP only, by its control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from connector.domain.errors import ConnectorError

Json = dict[str, Any]
TIMEOUT = 15.0


class Unexpected(ConnectorError):
    """An HTTP answer that the story does not expect."""


def open_session() -> requests.Session:
    """Return a session that no proxy of the environment gets between."""
    session = requests.Session()
    session.trust_env = False
    return session


class Twin:
    """What people do in HubSpot, and what its records hold then."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = open_session()

    def edit(self, contact_id: str, **values: str) -> None:
        """Edit a contact as a person."""
        self._ask("POST", "edit", {"id": contact_id, "properties": values})

    def seed(self, kind: str, records: Sequence[Json]) -> list[str]:
        """Make records that were there before; return their ids. No event is sent."""
        return list(self._ask("POST", "seed", {"object": kind, "records": records})["ids"])

    def deal(self, contact_id: str) -> str:
        """Open a deal with a contact; return its id."""
        return str(self._ask("POST", "deal", {"contacts": [contact_id]})["id"])

    def win(self, deal_id: str) -> None:
        """Mark a deal as won."""
        won = {"object": "deals", "id": deal_id, "properties": {"dealstage": "closedwon"}}
        self._ask("POST", "edit", won)

    def opt_out(self, email: str) -> None:
        """Opt an address out, as the person behind it does."""
        self._ask("POST", "optout", {"email": email})

    def value(self, contact_id: str, name: str) -> str:
        """Return what a field of a contact holds, "" where it is blank."""
        record = self._ask("GET", f"record/contacts/{contact_id}")
        return str(record["properties"].get(name) or "")

    def writes(self, contact_id: str = "") -> list[Json]:
        """Return the values written through HubSpot's API, of all records or of one."""
        query = f"?id={contact_id}" if contact_id else ""
        return list(self._ask("GET", f"writes{query}")["writes"])

    def send_to(self, url: str) -> None:
        """Send webhooks there from now on."""
        self._ask("PUT", "settings", {"target": url})

    def disturb_call(self, path: str, **fault: object) -> None:
        """Queue a fault for the next API call to a path."""
        self._ask("POST", "faults", {"match": path, "method": "POST", **fault})

    def struck(self) -> int:
        """Return how many faults of API calls have struck."""
        return sum(row["struck"] for row in self._ask("GET", "faults")["faults"])

    def disturb_webhooks(self, **fault: object) -> None:
        """Queue a fault for the next webhooks."""
        self._ask("POST", "webhooks/faults", fault)

    def resend(self) -> int:
        """Send every event there ever was again; return how many."""
        return int(self._ask("POST", "webhooks/resend", {"since": 0})["events"])

    def waiting(self) -> int:
        """Return how many events are still to be sent."""
        return int(self._ask("GET", "idle")["waiting"])

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        url = f"{self.url}/_twin/{path}"
        reply = self._session.request(method, url, json=body, timeout=TIMEOUT)
        if not reply.ok:
            raise Unexpected(f"the twin answered {reply.status_code} {reply.text[:200]}")
        found: Json = reply.json()
        return found
