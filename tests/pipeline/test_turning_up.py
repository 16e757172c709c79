"""A contact that turns up a moment after its visitor was moved is handed over all the same."""

from __future__ import annotations

import pytest

from connector.mapping.handoff import AssignOwner, Handoff, ResetStatus
from tests.pipeline.house import House
from tests.pipeline.ruling import Ruling
from tests.pipeline.visitors import Site

PRICES = "https://example.com/pricing"
SHOWN = ("lifecyclestage", "hs_lead_status", "hubspot_owner_id")


@pytest.fixture
def site(house: House) -> Site:
    """Return a site one of whose visitors a rule has just made an MQL."""
    house.crm.staff = ("7",)
    reset = ResetStatus(enabled=True, value="NEW")
    house.remap(
        handoff=Handoff(reset_status=reset, assign_owner=AssignOwner(enabled=True, owners=("7",)))
    )
    Ruling(house).rule()
    made = Site(house)
    made.do("verified_conversion", 0, device_id="d1", email="ann@x.io")
    made.do("page_view", 1, device_id="d1", url=PRICES)
    assert made.slot("d1") == 6
    return made


def shown(house: House, record_id: str = "11") -> list[str]:
    return [house.crm.value(record_id, name) for name in SHOWN]


def test_a_contact_that_turns_up_after_the_rule_is_an_mql_with_an_owner(
    house: House, site: Site
) -> None:
    house.clock.pass_(30)

    house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    house.sync()

    assert shown(house) == ["marketingqualifiedlead", "NEW", "7"]
    assert (house.slot("11"), site.slot("d1")) == (6, 6)


@pytest.mark.usefixtures("site")
def test_a_second_contact_of_the_same_person_is_not_handed_over(house: House) -> None:
    house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    house.sync()

    house.crm.create("12", email="ann@x.io", lifecyclestage="lead")
    house.sync()

    assert shown(house, "12") == ["lead", "", ""]


@pytest.mark.usefixtures("site")
def test_a_contact_that_turns_up_days_later_only_shows_the_slot(house: House) -> None:
    house.clock.pass_(3 * 86400)

    house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    house.sync()

    assert shown(house) == ["lead", "", ""]
    assert house.own("11") == "6"
