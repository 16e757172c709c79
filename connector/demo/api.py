"""The product's own API as the demo uses it: what any program of a customer could do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from connector.demo.twin import TIMEOUT, Json, Unexpected, open_session


class Api:
    """`/api/v1` of one account."""

    def __init__(self, url: str, token: str) -> None:
        self.url = f"{url}/api/v1"
        self._session = open_session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def profile(self, contact_id: str) -> Json:
        """Return the profile behind a contact."""
        items = self._get("profiles", record_id=contact_id, object="contact")["items"]
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

    def unread(self) -> int:
        """Return how many deliveries and events wait in the inbox."""
        return len(self._all("inbox", state="pending"))

    def unwritten(self) -> int:
        """Return how many writes wait in the outbox."""
        return len(self._all("outbox", state="pending"))

    def move(self, contact_id: str, slot: int, reason: str) -> int:
        """Move a contact's profile as a person; return the HTTP status."""
        path = f"profiles/{self.profile(contact_id)['id']}/move"
        return self._post(path, {"slot": slot, "reason": reason})

    def undo(self, batch_id: str) -> int:
        """Undo a batch of moves; return the HTTP status."""
        return self._post(f"batches/{batch_id}/undo", {})

    def _all(self, path: str, **query: str) -> list[Json]:
        items: list[Json] = []
        while True:
            page = self._get(path, **query)
            items += page["items"]
            if not page["next_cursor"]:
                return items
            query["cursor"] = page["next_cursor"]

    def _get(self, path: str, **query: str) -> Json:
        reply = self._session.get(f"{self.url}/{path}", params=query, timeout=TIMEOUT)
        if reply.status_code != HTTPStatus.OK:
            raise Unexpected(f"GET /api/v1/{path} answered {reply.status_code}")
        found: Json = reply.json()
        return found

    def _post(self, path: str, body: Mapping[str, object]) -> int:
        return self._session.post(f"{self.url}/{path}", json=body, timeout=TIMEOUT).status_code
