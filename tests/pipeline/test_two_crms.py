"""With two CRMs each slot may have a master; the other's claim is shown, not applied (DESIGN 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import ConnectionId
from connector.domain.slots import Slot
from connector.pipeline.configuring import save_pipeline
from connector.store import tables as t
from tests.pipeline.acts import lead
from tests.pipeline.crm import FakeCrm
from tests.pipeline.house import ACCOUNT, CONNECTION, PIPELINE, House

OTHER = ConnectionId("con_2")
MQL = "marketingqualifiedlead"


def master(house: House, slot: int, name: str = OTHER) -> None:
    wanted = replace(PIPELINE, masters={Slot(slot): name})
    save_pipeline(house.services, ACCOUNT, wanted)


def both(house: House) -> FakeCrm:
    """Have one lead in two CRMs."""
    other = house.connect(OTHER, "77")
    lead(house, "11")
    other.create("31", email="p11@x.io", lifecyclestage="lead")
    hear(house, other)
    return other


def hear(house: House, other: FakeCrm) -> None:
    house.keep(other.told(), OTHER)
    house.sync()
    house.clock.pass_(60)


def test_the_other_s_claim_is_shown_and_not_applied(house: House) -> None:
    both(house)
    master(house, 8)

    house.crm.edit("11", lifecyclestage="customer")
    house.sync()

    assert house.slot("11") == 3
    assert house.known("11").claim == 8
    assert house.profile("11").success_at is None


def test_the_master_s_word_is_applied(house: House) -> None:
    other = both(house)
    master(house, 8)

    other.edit("31", lifecyclestage="customer")
    hear(house, other)

    assert house.slot("11") == 8
    assert [row.claim for row in house.rows(t.record, connection_id=OTHER)] == [None]


@pytest.mark.parametrize("stages", [(MQL,), (MQL, "customer"), ("customer", MQL)])
def test_where_the_other_is_no_master_both_move_people(house: House, stages: list[str]) -> None:
    both(house)
    master(house, 8)

    for stage in stages:
        house.crm.edit("11", lifecyclestage=stage)
        house.sync()
        house.clock.pass_(60)

    assert house.slot("11") == 6


def test_a_record_that_only_claims_is_still_somebody(house: House) -> None:
    house.connect(OTHER, "77")
    master(house, 8)

    house.crm.create("11", email="a@x.io", lifecyclestage="customer")
    house.sync()

    assert house.slot("11") == 3
    assert house.known("11").claim == 8


def test_opt_outs_count_from_both(house: House) -> None:
    both(house)
    master(house, 8)

    house.crm.edit("11", hs_email_optout="true")
    house.sync()

    assert house.slot("11") == 10


def test_a_crm_by_name_is_master_with_all_its_connections(house: House) -> None:
    both(house)
    master(house, 8, "hubspot")

    house.crm.edit("11", lifecyclestage="customer")
    house.sync()

    assert house.slot("11") == 8


def test_a_master_that_is_not_connected_is_refused(house: House) -> None:
    with pytest.raises(ConfigurationRefused, match=r"masters\.8: 'salesforce' is not connected"):
        master(house, 8, "salesforce")

    with house.store.reading() as unit:
        assert unit.account(ACCOUNT).pipeline.masters == {}
        assert unit.connection(CONNECTION).version == 1
