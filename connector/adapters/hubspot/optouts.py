"""Reads and writes opt-outs from all e-mail; HubSpot keeps them by address, not by contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.adapters.hubspot.shapes import Json, chunks, results, rows, text
from connector.domain.errors import CrmDenied, CrmRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connector.adapters.hubspot.client import Client

BATCH = 100
_EMAIL = {"channel": "EMAIL"}
_OUT = frozenset({"", "UNSUBSCRIBED"})
_WIDE = frozenset({"", "PORTAL_WIDE"})  # one business unit's opt-out is not one from all e-mail
# The batch is not there for this app, or one bad address spoils it: go one by one.
_ONE_BY_ONE = frozenset({400, 404, 405})
_BAD_ADDRESS = 400


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The opt-outs of one portal; `urgent` calls may use the limiter's reserve."""

    client: Client
    urgent: bool = False

    def read(self, emails: Sequence[str]) -> Mapping[str, bool]:
        """Say which addresses are opted out; one that HubSpot won't judge is left out."""
        known: dict[str, bool] = {}
        batches = list(chunks(list(dict.fromkeys(emails)), BATCH))
        self.client.limiter.expect(len(batches), urgent=self.urgent)
        for some in batches:
            known |= self._read_some(some)
        return known

    def write(self, emails: Sequence[str]) -> None:
        """Opt out those who are not yet: it can't be undone, so it is never done twice."""
        self.client.limiter.expect(2, urgent=self.urgent)
        for some in chunks(self._pending(list(dict.fromkeys(emails))), BATCH):
            refusals = [error for email in self._write_some(some) if (error := self._one(email))]
            if refusals:
                raise refusals[0]

    def _pending(self, emails: Sequence[str]) -> list[str]:
        try:
            known = self.read(emails)
        except CrmDenied:
            known = {}  # an app may have the right to write without the one to read
        return [email for email in emails if not known.get(email)]

    def _read_some(self, emails: Sequence[str]) -> dict[str, bool]:
        body = self._batch("opt-outs", emails)
        if body is None:
            return self._singly(emails)
        out = {_address(row) for row in _statuses(results(body)) if _is_out(row)}
        known = {email: email.lower() in out for email in emails}
        if rows(body, "errors"):
            doubtful = [email for email in emails if not known[email]]
            return {email: True for email in emails if known[email]} | self._singly(doubtful)
        return known

    def _singly(self, emails: Sequence[str]) -> dict[str, bool]:
        self.client.limiter.expect(len(emails), urgent=self.urgent)
        known = {}
        for email in emails:
            try:
                body = self.client.call(
                    "opt-outs of one", query=_EMAIL, urgent=self.urgent, email=email
                )
            except CrmRefused as error:
                if error.status != _BAD_ADDRESS:
                    raise
            else:
                known[email] = any(map(_is_out, _statuses(results(body))))
        return known

    def _write_some(self, emails: Sequence[str]) -> Sequence[str]:
        """Opt out a batch and return the addresses that are still to be done."""
        body = self._batch("opt out", emails)
        if body is None:
            return emails
        if not rows(body, "errors"):
            return []
        done = {_address(row) for row in _statuses(rows(body, "results"))}
        return [email for email in emails if email.lower() not in done]

    def _one(self, email: str) -> CrmRefused | None:
        try:
            self.client.call("opt out one", query=_EMAIL, urgent=self.urgent, email=email)
        except CrmRefused as error:
            return error
        return None

    def _batch(self, what: str, emails: Sequence[str]) -> Json | None:
        """Make a batch call; None where it must be done one by one."""
        try:
            return self.client.call(
                what, {"inputs": list(emails)}, query=_EMAIL, urgent=self.urgent
            )
        except CrmDenied:
            return None
        except CrmRefused as error:
            if error.status in _ONE_BY_ONE:
                return None
            raise


def _statuses(found: Sequence[Json]) -> Iterator[Json]:
    """Return every status of an answer, which may hold them under each address."""
    for row in found:
        inner = rows(row, "wideStatuses")
        for status in inner or ([] if "wideStatuses" in row else [row]):
            yield {"subscriberIdString": row.get("subscriberIdString"), **status}


def _address(row: Json) -> str:
    return text(row.get("subscriberIdString")).lower()


def _is_out(row: Json) -> bool:
    status, wide = text(row.get("status")), text(row.get("wideStatusType"))
    return status.upper() in _OUT and wide.upper() in _WIDE
