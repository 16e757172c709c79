from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.ports import DealStage, FieldInfo, Option, Owner

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

API = "https://api.hubapi.com/crm"


def test_a_portals_fields_come_with_their_options(portal: HubSpot) -> None:
    fields = {field.name: field for field in portal.fields("contact")}

    assert [option.value for option in fields["lifecyclestage"].options][:3] == [
        "subscriber",
        "lead",
        "marketingqualifiedlead",
    ]
    assert fields["hs_email_optout"].read_only
    assert not fields["lifecyclestage"].read_only


def test_options_come_in_their_display_order(vendor: RequestsMock, hubspot: HubSpot) -> None:
    options = [
        {"value": "last", "label": "Last", "displayOrder": -1},
        {"value": "2", "label": "Two", "displayOrder": 2},
        {"value": "1", "label": "One", "displayOrder": 0},
        7,
    ]
    row = {"name": "stage", "label": "Stage", "options": options}
    vendor.get(f"{API}/properties/2026-09/companies", json={"results": [row, {"label": "no name"}]})

    assert hubspot.fields("company") == [
        FieldInfo(
            "stage", "Stage", [Option("1", "One"), Option("2", "Two"), Option("last", "Last")]
        )
    ]


@pytest.mark.parametrize(
    ("row", "fixed"),
    [
        ({"name": "a"}, False),
        ({"name": "a", "calculated": True}, True),
        ({"name": "a", "modificationMetadata": {"readOnlyValue": True}}, True),
        ({"name": "a", "modificationMetadata": None}, False),
        ({"name": "hs_v2_date_entered_customer"}, True),
    ],
)
def test_what_can_not_be_written_says_so(
    vendor: RequestsMock, hubspot: HubSpot, row: dict[str, Any], *, fixed: bool
) -> None:
    vendor.get(f"{API}/properties/2026-09/contacts", json={"results": [row]})

    assert hubspot.fields("contact")[0].read_only is fixed


def test_the_default_pipeline_knows_its_won_and_lost_stage(portal: HubSpot) -> None:
    outcomes = {stage.value: stage.outcome for stage in portal.deal_stages()}

    assert (outcomes["closedwon"], outcomes["closedlost"]) == ("won", "lost")
    assert {outcome for value, outcome in outcomes.items() if "closed" not in value} == {"open"}


@pytest.mark.parametrize(
    ("stage_id", "metadata", "outcome"),
    [
        ("9", {"probability": "1.0", "isClosed": "true"}, "won"),
        ("9", {"probability": 1, "isClosed": True}, "won"),
        ("9", {"probability": "0.0", "isClosed": "true"}, "lost"),
        ("9", {"probability": 0, "isClosed": True}, "lost"),
        ("9", {"probability": "0.0", "isClosed": "false"}, "open"),
        ("9", {"probability": "0.9"}, "open"),
        ("9", {}, "open"),
        ("closedwon", {}, "won"),
        ("closedlost", None, "lost"),
        ("closedwon", {"probability": "0.5"}, "open"),
    ],
)
def test_a_stage_is_won_or_lost_by_its_probability(
    vendor: RequestsMock,
    hubspot: HubSpot,
    stage_id: str,
    metadata: dict[str, Any] | None,
    outcome: str,
) -> None:
    stage = {"id": stage_id, "label": "Stage", "metadata": metadata}
    vendor.get(f"{API}/pipelines/2026-09/deals", json={"results": [{"stages": [stage]}]})

    assert hubspot.deal_stages() == [DealStage(stage_id, "Stage", outcome)]


def test_owners_are_read_page_by_page(portal: HubSpot, twin: Twin) -> None:
    people = [
        {"id": str(n), "email": f"rep{n}@example.com", "firstName": "Rep", "lastName": str(n)}
        for n in range(150)
    ]
    twin.ask("PUT", "owners", {"owners": people})

    owners = portal.owners()

    assert len(owners) == 150
    assert Owner("7", "Rep 7") in owners


def test_an_owner_without_a_name_goes_by_its_address(
    hubspot: HubSpot, vendor: RequestsMock
) -> None:
    row = {"id": "5", "email": "queue@example.com"}
    vendor.get(f"{API}/owners/2026-09", json={"results": [row]})

    assert hubspot.owners() == [Owner("5", "queue@example.com")]
