"""A small Python client for the control API of a running twin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from typing import Self

    from .shapes import Json


class Control:
    """Speaks to `/_twin/` of a twin at `url`, wherever it runs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        """Use as a context manager to close the connection at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make one control call; an error of the twin is raised with its text."""
        reply = self._session.request(method, f"{self.url}/_twin/{path}", json=body, timeout=60)
        if not reply.ok:
            raise RuntimeError(f"{reply.status_code} {reply.text}")
        found: Json = reply.json()
        return found

    def edit(self, kind: str, record_id: str | None = None, /, **values: object) -> str:
        """Create or edit a record as a person; return its id."""
        return self.act("edit", {"object": kind, "id": record_id, "properties": values})

    def act(self, verb: str, wanted: Json) -> str:
        """Do what a person does: edit, delete, restore, merge, privacy-delete, associate..."""
        return str(self.ask("POST", verb, wanted)["id"])

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record as a person."""
        self.act("delete", {"object": kind, "id": record_id})

    def restore(self, kind: str, record_id: str) -> None:
        """Restore a deleted record."""
        self.act("restore", {"object": kind, "id": record_id})

    def merge(self, kind: str, record_id: str, loser: str) -> str:
        """Merge `loser` into a record; return the survivor's id."""
        return self.act("merge", {"object": kind, "id": record_id, "loser": loser})

    def erase(self, record_id: str) -> None:
        """Delete a contact for privacy."""
        self.act("privacy-delete", {"object": "contacts", "id": record_id})

    def opt_out(self, email: str) -> None:
        """Opt an address out as the person behind it."""
        self.ask("POST", "optout", {"email": email})

    def deal(self, contacts: list[str], companies: list[str] | None = None, **values: str) -> str:
        """Create a deal with its people and companies."""
        ends = {"contacts": contacts, "companies": companies or []}
        return self.act("deal", {"properties": values, **ends})

    def activity(self, name: str, record_id: str, **more: object) -> None:
        """Log a call (or {kind: email, meeting, note}) on a record as a person."""
        self.act("activity", {"object": name, "id": record_id, **more})

    def owners(self, *rows: Json) -> None:
        """Replace the owners; one with {archived: true} has left."""
        self.ask("PUT", "owners", {"owners": list(rows)})

    def linked(self, kind: str, record_id: str, other: str) -> list[Json]:
        """Return the records of another type that one is associated with, with all they have."""
        ends = self.record(kind, record_id)["linked"]
        return [self.record(other, end["id"]) for end in ends if end["object"] == other]

    def seed(self, **wanted: Any) -> list[str]:
        """Make many records without events; return their ids."""
        return list(self.ask("POST", "seed", wanted)["ids"])

    def record(self, kind: str, record_id: str) -> Json:
        """Return everything about one record."""
        return self.ask("GET", f"record/{kind}/{record_id}")

    def value(self, kind: str, record_id: str, name: str) -> str | None:
        """Return one property of a record, None when it has no value."""
        found: str | None = self.record(kind, record_id)["properties"].get(name)
        return found

    def history(self, kind: str, record_id: str, name: str) -> list[Json]:
        """Return the values a property has had, newest first."""
        past = self.record(kind, record_id).get("propertiesWithHistory", {})
        return list(past.get(name, []))

    def calls(self) -> list[Json]:
        """Return the API calls received."""
        return list(self.ask("GET", "calls")["calls"])

    def writes(self, record_id: str | None = None) -> list[Json]:
        """Return the values written through the API."""
        query = f"?id={record_id}" if record_id else ""
        return list(self.ask("GET", "writes" + query)["writes"])

    def events(self) -> list[Json]:
        """Return every event due to be sent so far."""
        return list(self.ask("GET", "events")["events"])

    def deliveries(self) -> list[Json]:
        """Return the webhook POSTs made so far."""
        return list(self.ask("GET", "deliveries")["deliveries"])

    def fault(self, do: str, match: str = "", **more: Any) -> int:
        """Queue a fault for API calls; return its number."""
        return int(self.ask("POST", "faults", {"do": do, "match": match, **more})["id"])

    def faults(self) -> list[Json]:
        """Return the queued faults and how often each struck."""
        return list(self.ask("GET", "faults")["faults"])

    def webhook_fault(self, do: str, match: str = "", **more: Any) -> int:
        """Queue a fault for deliveries; return its number."""
        return int(self.ask("POST", "webhooks/faults", {"do": do, "match": match, **more})["id"])

    def clear_faults(self) -> None:
        """Forget all faults, of calls and of deliveries."""
        self.ask("DELETE", "faults")
        self.ask("DELETE", "webhooks/faults")

    def settings(self, **wanted: Any) -> Json:
        """Change settings, and return all of them."""
        return self.ask("PUT", "settings", wanted)

    def pause(self) -> None:
        """Hold webhooks back."""
        self.ask("POST", "webhooks/pause")

    def resume(self) -> None:
        """Let webhooks go."""
        self.ask("POST", "webhooks/resume")

    def resend(self, since: int = 0) -> int:
        """Send again every event since a moment; return how many."""
        return int(self.ask("POST", "webhooks/resend", {"since": since})["events"])

    def reset(self) -> None:
        """Go back to how the twin was started."""
        self.ask("POST", "reset")

    def wait_until_sent(self, seconds: float = 10) -> None:
        """Wait until no event is left to be sent."""
        until = time.monotonic() + seconds
        while self.ask("GET", "idle")["waiting"]:
            if time.monotonic() > until:
                raise TimeoutError("events are still waiting to be sent")
            time.sleep(0.01)
