"""A contact that turns up a moment after its visitor was moved is handed over all the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from connector.domain.errors import CrmDown
from connector.mapping.handoff import AssignOwner, Handoff, ResetStatus
from tests.pipeline.acts import DEAL, Act, after, before, fail
from tests.pipeline.crm import Trouble
from tests.pipeline.house import House
from tests.pipeline.ruling import Ruling
from tests.pipeline.visitors import Site

PRICES = "https://example.com/pricing"
MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
SHOWN = ("lifecyclestage", "hs_lead_status", "hubspot_owner_id")


@pytest.fixture
def site(house: House) -> Site:
    """Return a site one of whose visitors a rule has just made an MQL."""
    house.crm.staff = ("7",)
    reset = ResetStatus(enabled=True, value="NEW")
    owner = AssignOwner(enabled=True, owners=("7",))
    house.remap(handoff=Handoff(reset_status=reset, assign_owner=owner, create_deal=DEAL))
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

    assert shown(house) == [MQL, "NEW", "7"]
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


def connect(house: House) -> None:
    """Have the rep say so, while nobody of ours listens."""
    house.clock.pass_(1)
    house.crm.edit("11", hs_lead_status="CONNECTED")
    house.clock.pass_(1)


def hear_of_it(house: House) -> None:
    """Have the rep say so, and hear of it at once."""
    connect(house)
    house.hear()


def lose(house: House, act: Act) -> None:
    """Act before the stage is written, and lose the answer to that; the CRM is down then."""
    act()
    house.crm.trouble["read"].append(Trouble(CrmDown("gone")))
    after(house, "write", fail(CrmDown("the answer was cut")), "lifecyclestage")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "lost"])
@pytest.mark.parametrize("act", [connect, hear_of_it])
def test_a_rep_who_connects_as_we_write_the_mql_gets_to_sql(
    house: House, act: Callable[[House], None], *, is_lost: bool
) -> None:
    house.crm.create("11", email="ann@x.io", lifecyclestage="lead")
    house.hear()
    deed = partial(lose, house, partial(act, house)) if is_lost else partial(act, house)
    before(house, "write", deed, "lifecyclestage")
    house.run()

    house.hear()  # the echo of what we wrote
    house.clock.pass_(60)
    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["lead", MQL, SQL]
    assert (house.slot("11"), len(house.crm.drafts)) == (4, 1)
