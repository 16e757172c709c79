"""What a record holds is in doubt after a lost answer, and after a merge: all is written again."""

from __future__ import annotations

import pytest

from connector.domain.errors import CrmDown, CrmRevoked
from tests.pipeline.acts import after, lead
from tests.pipeline.crm import Trouble
from tests.pipeline.house import House

LOST = Trouble(CrmDown("the answer was cut"), applies=True)


def merge_unheard(house: House) -> None:
    """Merge the new 11 into 12, of which nobody hears yet, with the first write to 11 waiting."""
    house.crm.create("11", email="p11@x.io", lifecyclestage="lead")
    house.hear()
    house.crm.merge("11", "12")


def hear_of_it(house: House) -> None:
    """Take in what the CRM told, while a call is on its way."""
    house.hear()
    house.drain()


def is_shown(house: House) -> bool:
    """Say whether 12 shows whom it belongs to, and where they stand."""
    profile = house.profile_of("12")
    return house.own("12") == str(house.slot("12")) and house.own("12", "profile") == profile


@pytest.mark.parametrize("trouble", [None, LOST], ids=["answered", "lost"])
def test_a_write_to_what_was_merged_is_put_right_once_we_hear(
    house: House, trouble: Trouble | None
) -> None:
    lead(house, "12", lifecyclestage="marketingqualifiedlead")
    merge_unheard(house)
    if trouble:
        house.crm.trouble["write"].append(trouble)
    rows, house.crm.rows = house.crm.rows, []
    house.deliver()

    house.crm.rows = rows
    house.sync()

    assert is_shown(house)


def test_a_write_whose_answer_is_lost_after_we_heard_is_put_right(house: House) -> None:
    lead(house, "12", lifecyclestage="marketingqualifiedlead")
    merge_unheard(house)

    after(house, "write", lambda: hear_of_it(house))
    house.crm.trouble["write"].append(LOST)
    house.deliver()
    house.sync()

    assert is_shown(house)


def test_an_opt_out_is_marked_again_where_a_merged_record_was_written(house: House) -> None:
    lead(house, "12")
    house.crm.edit("12", hs_email_optout="true")
    house.sync()
    merge_unheard(house)
    house.crm.trouble["write"].append(LOST)
    rows, house.crm.rows = house.crm.rows, []
    house.deliver()

    house.crm.rows = rows
    house.sync()

    assert house.slot("12") == 10
    assert is_shown(house)


def test_a_write_that_was_refused_with_the_token_leaves_no_doubt(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    house.crm.trouble["write"].append(Trouble(CrmRevoked("401")))

    house.deliver()

    assert house.known("11").pushed["bnb_lead_slot"] == "3"
    assert [row.state for row in house.outbox(purpose="own", slot=7)] == ["pending"]
