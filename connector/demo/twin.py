"""The HubSpot twin as the demo uses it: over HTTP only, by its control API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connector.demo.http import Json, Talk


class Twin:
    """What people do in HubSpot, and what its records hold then."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._talk = Talk(f"{url}/_twin")

    def edit(self, contact_id: str, **values: str) -> None:
        """Edit a contact as a person."""
        self._talk.send("POST", "edit", {"id": contact_id, "properties": values})

    def seed(self, kind: str, records: Sequence[Json]) -> list[str]:
        """Make records that were there before; return their ids. No event is sent."""
        return list(self._talk.send("POST", "seed", {"object": kind, "records": records})["ids"])

    def deal(self, contact_id: str) -> str:
        """Open a deal with a contact; return its id."""
        return str(self._talk.send("POST", "deal", {"contacts": [contact_id]})["id"])

    def win(self, deal_id: str) -> None:
        """Mark a deal as won."""
        won = {"object": "deals", "id": deal_id, "properties": {"dealstage": "closedwon"}}
        self._talk.send("POST", "edit", won)

    def deals(self, contact_id: str) -> int:
        """Return how many deals a contact is on."""
        linked = self._talk.get(f"record/contacts/{contact_id}")["linked"]
        return sum(end["object"] == "deals" for end in linked)

    def employ(self, owners: Sequence[str]) -> None:
        """Have these people own records, and nobody else."""
        rows = [{"id": one, "email": f"rep{one}@customers.example"} for one in owners]
        self._talk.send("PUT", "owners", {"owners": rows})

    def opt_out(self, email: str) -> None:
        """Opt an address out, as the person behind it does."""
        self._talk.send("POST", "optout", {"email": email})

    def value(self, contact_id: str, name: str) -> str:
        """Return what a field of a contact holds, "" where it is blank."""
        record = self._talk.get(f"record/contacts/{contact_id}")
        return str(record["properties"].get(name) or "")

    def writes(self, contact_id: str = "") -> list[Json]:
        """Return the values written through HubSpot's API, of all records or of one."""
        query = {"id": contact_id} if contact_id else {}
        return list(self._talk.get("writes", **query)["writes"])

    def send_to(self, url: str) -> None:
        """Send webhooks there from now on."""
        self._talk.send("PUT", "settings", {"target": url})

    def disturb_call(self, path: str, **fault: object) -> None:
        """Queue a fault for the next API call to a path."""
        self._talk.send("POST", "faults", {"match": path, "method": "POST", **fault})

    def struck(self) -> int:
        """Return how many faults of API calls have struck."""
        return sum(row["struck"] for row in self._talk.get("faults")["faults"])

    def disturb_webhooks(self, **fault: object) -> None:
        """Queue a fault for the next webhooks."""
        self._talk.send("POST", "webhooks/faults", fault)

    @contextmanager
    def holding_webhooks(self) -> Iterator[None]:
        """Hold webhooks back while the block runs; they go together then."""
        self._talk.send("POST", "webhooks/pause", {})
        try:
            yield
        finally:
            self._talk.send("POST", "webhooks/resume", {})

    def resend(self) -> int:
        """Send every event there ever was again; return how many."""
        return int(self._talk.send("POST", "webhooks/resend", {"since": 0})["events"])

    def waiting(self) -> int:
        """Return how many events are still to be sent."""
        return int(self._talk.get("idle")["waiting"])
