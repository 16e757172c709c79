"""People are found by their address, and made where nobody has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from connector.domain.errors import CrmDown, CrmRefused
from connector.ports import Person, PersonDraft

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

CONTACTS = "https://api.hubapi.com/crm/objects/2026-09/contacts"
HELD = f"{CONTACTS}/ann%40x.io"
DRAFT = PersonDraft("ann@x.io", "Ann", "", "Acme")
MISSING = {"status": "error", "category": "OBJECT_NOT_FOUND"}
TAKEN = {"category": "CONFLICT", "message": "Contact already exists. Existing ID: 7"}


def test_a_contact_is_made_with_what_is_known(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(CONTACTS, json={"id": "901", "properties": {}}, status=201)

    assert hubspot.create_person(DRAFT) == Person("contact", "901", made=True)

    sent: Any = vendor.calls[-1].request.body
    told = {"email": "ann@x.io", "firstname": "Ann", "company": "Acme"}
    assert json.loads(sent) == {"properties": told}


def test_whoever_has_the_address_already_is_found(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(CONTACTS, json=TAKEN, status=409)

    assert hubspot.create_person(DRAFT) == Person("contact", "7")


def test_a_conflict_that_names_nobody_is_looked_up(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(CONTACTS, json={"category": "CONFLICT"}, status=409)
    vendor.get(HELD, json={"id": "7", "properties": {}})

    assert hubspot.create_person(DRAFT) == Person("contact", "7")


def test_a_conflict_about_something_else_is_refused(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(CONTACTS, json={"category": "CONFLICT"}, status=409)
    vendor.get(HELD, json=MISSING, status=404)

    with pytest.raises(CrmRefused, match="CONFLICT"):
        hubspot.create_person(DRAFT)


def test_what_the_portal_wants_besides_is_refused_without_the_address(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    refusal = {"category": "VALIDATION_ERROR", "message": "ann@x.io is no address"}
    vendor.post(CONTACTS, json=refusal, status=400)

    with pytest.raises(CrmRefused) as found:
        hubspot.create_person(DRAFT)

    assert "ann" not in str(found.value)


def test_the_first_address_that_somebody_has_counts(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(HELD, json=MISSING, status=404)
    vendor.get(f"{CONTACTS}/ann%40y.io", json={"id": "8", "properties": {}})

    assert hubspot.find_person(["ann@x.io", "ann@y.io"]) == Person("contact", "8")


def test_an_answer_without_an_id_is_no_person(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(CONTACTS, json={"properties": {}}, status=201)

    with pytest.raises(CrmDown):
        hubspot.create_person(DRAFT)


def test_the_twin_makes_one_contact_an_address(portal: HubSpot, twin: Twin) -> None:
    assert portal.find_person(["ann@x.io"]) is None

    made = portal.create_person(DRAFT)

    assert portal.create_person(DRAFT) == portal.find_person(["ann@x.io"])
    assert made == Person("contact", made.record_id, made=True)
    assert twin.value("contacts", made.record_id, "firstname") == "Ann"


def test_an_address_without_a_contact_s_letters_is_found_all_the_same(portal: HubSpot) -> None:
    made = portal.create_person(PersonDraft("ann+lists@x.io"))

    found = portal.find_person(["ann+lists@x.io"])

    assert found is not None
    assert found.record_id == made.record_id
