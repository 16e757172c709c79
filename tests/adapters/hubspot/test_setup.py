from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from connector.adapters.hubspot import HubSpot, open_hubspot
from connector.domain.errors import CrmBusy, CrmDenied, CrmDown, CrmRefused, CrmRevoked
from connector.ports import FieldInfo, Option, OwnField, SetupStep

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

SCORE = OwnField("bnb_lead_score", "Lead score", "number", "1 to 10")
SLOT = OwnField("bnb_lead_slot", "Slot", "choice", "", (Option("3", "Lead"), Option("4", "SQL")))
TEXT = OwnField("bnb_score_reasons", "Reasons", "text")
TIME = OwnField("bnb_scored_at", "Scored at", "datetime")
OWN = (SCORE, SLOT, TEXT, TIME)


def actions(steps: list[SetupStep]) -> list[str]:
    return [step.action for step in steps]


def field(hubspot: HubSpot, name: str) -> FieldInfo | None:
    return next((one for one in hubspot.fields("contact") if one.name == name), None)


def test_a_plan_changes_nothing(portal: HubSpot) -> None:
    steps = portal.install(OWN, apply=False)

    assert actions(steps) == ["create"] * 5
    assert not any(step.done for step in steps)
    assert field(portal, "bnb_lead_slot") is None


def test_an_installation_is_there_and_stays_as_it_is(portal: HubSpot) -> None:
    steps = portal.install(OWN, apply=True)

    assert [step.what for step in steps][:2] == ["group breadbutter", "field bnb_lead_score"]
    assert all(step.done for step in steps)
    assert actions(portal.install(OWN, apply=True)) == ["keep"] * 5
    found = field(portal, "bnb_lead_slot")
    assert found
    assert found.options == list(SLOT.options)


def test_a_renamed_slot_is_one_update(twin: Twin, portal: HubSpot) -> None:
    portal.install(OWN, apply=True)
    renamed = OwnField(
        "bnb_lead_slot", "Slot", "choice", "", (Option("3", "Lead"), Option("4", "Hot"))
    )
    before = len(twin.ask("GET", "calls")["calls"])

    assert actions(portal.install([renamed], apply=False)) == ["keep", "update"]
    assert actions(portal.install([renamed], apply=True)) == ["keep", "update"]

    found = field(portal, "bnb_lead_slot")
    assert found
    assert found.options == list(renamed.options)
    methods = [call["method"] for call in twin.ask("GET", "calls")["calls"][before:]]
    assert methods.count("PATCH") == 1


def test_a_written_field_can_be_used(twin: Twin, portal: HubSpot) -> None:
    portal.install(OWN, apply=True)
    ann = twin.edit("contacts", firstname="Ann", bnb_lead_slot="4")

    assert portal.read("contact", [ann], ["bnb_lead_slot"], [])[0].fields == {"bnb_lead_slot": "4"}


def test_an_uninstallation_keeps_the_fields(portal: HubSpot) -> None:
    portal.install(OWN, apply=True)
    steps = portal.uninstall(OWN, drop_fields=False, apply=True)

    assert actions(steps) == ["keep"] * 5
    assert field(portal, "bnb_lead_score") is not None


def test_fields_are_dropped_on_request_and_come_back(portal: HubSpot) -> None:
    portal.install(OWN, apply=True)
    assert actions(portal.uninstall(OWN, drop_fields=True, apply=False)) == ["remove"] * 5
    assert field(portal, "bnb_lead_slot") is not None

    portal.uninstall(OWN, drop_fields=True, apply=True)
    assert field(portal, "bnb_lead_slot") is None
    again = portal.install([SCORE, SLOT], apply=True)

    assert actions(again) == ["create"] * 3
    assert actions(portal.install([SCORE, SLOT], apply=False)) == ["keep"] * 3


def test_the_group_stays_while_someone_elses_field_is_in_it(portal: HubSpot) -> None:
    portal.install(OWN, apply=True)
    steps = portal.uninstall([SCORE], drop_fields=True, apply=True)

    assert [(step.what, step.action) for step in steps] == [
        ("field bnb_lead_score", "remove"),
        ("group breadbutter", "keep"),
    ]


def test_what_someone_else_made_meanwhile_is_no_fault(twin: Twin, portal: HubSpot) -> None:
    portal.install([SCORE, OwnField("bnb_lead_slot", "Old label", "choice")], apply=True)
    for match in ("groups$", "properties/contacts$"):
        fault = {"do": "status", "status": 200, "body": {"results": []}, "match": match}
        twin.ask("POST", "faults", fault)

    steps = portal.install([SCORE, SLOT], apply=True)

    assert actions(steps) == ["create"] * 3
    assert actions(portal.install([SCORE, SLOT], apply=False)) == ["keep"] * 3


def test_what_someone_else_removed_meanwhile_is_no_fault(twin: Twin, portal: HubSpot) -> None:
    portal.install([SCORE], apply=True)
    listed = {"results": [{"name": "bnb_lead_score"}, {"name": "bnb_scored_at"}]}
    fault = {"do": "status", "status": 200, "body": listed, "match": "properties/contacts$"}
    twin.ask("POST", "faults", fault)

    assert actions(portal.uninstall(OWN, drop_fields=True, apply=True)) == ["remove"] * 3


def test_a_refused_definition_says_so(portal: HubSpot) -> None:
    twins = (Option("3", "Same"), Option("4", "Same"))

    with pytest.raises(CrmRefused):
        portal.install([OwnField("bnb_lead_slot", "", "choice", "", twins)], apply=True)


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, CrmDenied), (401, CrmRevoked), (500, CrmDown), (429, CrmBusy), (302, CrmDown)],
)
def test_set_up_calls_fail_in_our_words(
    twin: Twin, portal: HubSpot, status: int, error: type[Exception]
) -> None:
    twin.ask("POST", "faults", {"do": "status", "status": status, "body": {}, "match": "groups"})

    with pytest.raises(error):
        portal.install(OWN, apply=True)


def test_a_set_up_that_reaches_nobody_is_down() -> None:
    hubspot = open_hubspot("http://127.0.0.1:9", "v3", lambda: "t")

    with pytest.raises(CrmDown):
        hubspot.install(OWN, apply=False)


def test_a_line_that_is_not_encrypted_as_expected_is_down(twin: Twin) -> None:
    hubspot = open_hubspot(twin.url.replace("http:", "https:"), "v3", lambda: "t")

    with pytest.raises(CrmDown):
        hubspot.install(OWN, apply=False)
    with pytest.raises(CrmDown):
        hubspot.prove()


def test_set_up_calls_pass_the_limiter(twin: Twin) -> None:
    hubspot = open_hubspot(twin.url, "v3", lambda: twin.token)
    hubspot.client.limiter.block(5)

    with pytest.raises(CrmBusy):
        hubspot.install(OWN, apply=False)


def test_a_refused_token_is_renewed_in_set_up_too(twin: Twin) -> None:
    hubspot = open_hubspot(twin.url, "v3", lambda: "stale", renew=lambda _: twin.token)

    assert actions(hubspot.install(OWN, apply=False)) == ["create"] * 5


def test_the_sdk_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, connector.adapters.hubspot as _; sys.exit('hubspot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
