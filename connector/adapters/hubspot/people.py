"""People: found by their address, made where nobody has it.

Read by the address and not searched for: the search lags behind by seconds (page "CRM API: search",
section "Limitations"). HubSpot holds one contact an address, so that a second create is refused
and names the first (page "CRM API: contacts").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.adapters.hubspot.failures import Rejected
from connector.adapters.hubspot.fields import path_word
from connector.adapters.hubspot.shapes import text
from connector.domain.errors import CrmDown, CrmRefused
from connector.ports import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.adapters.hubspot.client import Client
    from connector.ports import PersonDraft

KIND = "contact"
EMAIL = "email"
_NOT_FOUND, _CONFLICT = 404, 409


def find_person(client: Client, emails: Sequence[str]) -> Person | None:
    """Return the contact that holds one of these addresses, the first that is found."""
    client.limiter.expect(len(emails) + 1)
    for email in emails:
        found = _holder(client, email)
        if found is not None:
            return found
    return None


def create_person(client: Client, draft: PersonDraft) -> Person:
    """Create a contact, or return the one that holds the address already."""
    fields = {
        EMAIL: draft.email,
        "firstname": draft.first_name,
        "lastname": draft.last_name,
        "company": draft.company,
    }
    body = {"properties": {name: value for name, value in fields.items() if value}}
    try:
        return _person(text(client.call("create", body, kind=path_word(KIND)).get("id")), made=True)
    except Rejected as error:
        if error.status == _CONFLICT:
            known = Person(KIND, error.existing) if error.existing else None
            known = known or _holder(client, draft.email)
            if known is not None:
                return known
        raise


def _holder(client: Client, email: str) -> Person | None:
    query = {"idProperty": EMAIL, "properties": EMAIL}
    try:
        found = client.call("read one", query=query, kind=path_word(KIND), id=email)
    except CrmRefused as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    return _person(text(found.get("id")), made=False)


def _person(record_id: str, *, made: bool) -> Person:
    if not record_id:
        raise CrmDown("HubSpot's answer has a record without an id")
    return Person(KIND, record_id, made)
