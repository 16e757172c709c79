"""The product's own API as the demo uses it: what any program of a customer could do."""

from __future__ import annotations

from connector.demo.http import Json, Talk, Unexpected


class Api:
    """`/api/v1` of one account."""

    def __init__(self, url: str, token: str) -> None:
        self._talk = Talk(f"{url}/api/v1", Authorization=f"Bearer {token}")

    def profile(self, contact_id: str) -> Json:
        """Return the profile behind a contact."""
        items = self._talk.get("profiles", record_id=contact_id, object="contact")["items"]
        if len(items) != 1:
            raise Unexpected(f"{len(items)} profiles for contact {contact_id}")
        found: Json = items[0]
        return found

    def profiles(self) -> list[Json]:
        """Return every profile."""
        return self._all("profiles")

    def moves(self, contact_id: str) -> list[Json]:
        """Return the moves of a contact's profile, oldest first."""
        return self._all(f"profiles/{self.profile(contact_id)['id']}/moves")

    def last_move(self, contact_id: str) -> Json:
        """Return the newest move of a contact's profile."""
        rows = self.moves(contact_id)
        if not rows:
            raise Unexpected(f"no move of contact {contact_id}")
        return rows[-1]

    def unread(self) -> int:
        """Return how many deliveries and events wait in the inbox."""
        return len(self._all("inbox", state="pending"))

    def unwritten(self) -> int:
        """Return how many writes wait in the outbox."""
        return len(self._all("outbox", state="pending"))

    def move(self, contact_id: str, slot: int, reason: str) -> int:
        """Move a contact's profile as a person; return the HTTP status."""
        path = f"profiles/{self.profile(contact_id)['id']}/move"
        return self._talk.status("POST", path, {"slot": slot, "reason": reason})

    def undo(self, batch_id: str) -> int:
        """Undo a batch of moves; return the HTTP status."""
        return self._talk.status("POST", f"batches/{batch_id}/undo", {})

    def add_rule(self, rule: Json) -> int:
        """Make an escalation rule; return the HTTP status."""
        return self._talk.status("POST", "rules", rule)

    def feedback(self, by: str) -> list[Json]:
        """Return what sales did with the leads, by a key."""
        return self._all("reports/feedback", by=by)

    def _all(self, path: str, **query: str) -> list[Json]:
        items: list[Json] = []
        while True:
            page = self._talk.get(path, **query)
            items += page["items"]
            if not page["next_cursor"]:
                return items
            query["cursor"] = page["next_cursor"]
