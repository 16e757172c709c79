"""A rep has connected: SQL first, then one deal, whatever is interrupted (DESIGN 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import CrmDenied, CrmDown, CrmError, CrmRefused
from connector.mapping.handoff import Handoff, ResetStatus
from connector.mapping.table import Disposition
from connector.pipeline import forgetting
from connector.pipeline.installing import install
from connector.store import tables as t
from tests.pipeline.acts import DEAL as PLAIN
from tests.pipeline.acts import Crash, after, before, crash, fail, lead
from tests.pipeline.crm import Trouble
from tests.pipeline.house import ACCOUNT, CONNECTION, House, quick_house

MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
DEAL = replace(PLAIN, name="{firstname} {company}", fields={"dealtype": "newbusiness"})


def mql(house: House, record_id: str = "11", **more: str) -> str:
    """Have an MQL, with deals switched on."""
    house.remap(handoff=Handoff(create_deal=DEAL))
    return lead(house, record_id, lifecyclestage=MQL, **more)


def connect(house: House, record_id: str = "11") -> None:
    house.crm.edit(record_id, hs_lead_status="CONNECTED")
    house.sync()


def deals(house: House) -> list[str]:
    return sorted(record_id for kind, record_id in house.crm.records if kind == "deal")


def test_a_rep_who_has_connected_gets_the_stage_and_one_deal(house: House) -> None:
    mql(house, firstname="Ada", company="Acme", hubspot_owner_id="42")

    connect(house)

    (draft,) = house.crm.drafts
    assert house.crm.past("11", "lifecyclestage") == [MQL, SQL]
    assert (draft.name, draft.owner, draft.stage) == ("Ada Acme", "42", "appointment")
    assert draft.fields == {"dealtype": "newbusiness"}
    assert house.slot("11") == 4


def test_the_stage_is_written_before_the_deal_is_made(house: House) -> None:
    mql(house)
    house.crm.trouble["write"].append(Trouble(CrmDown("once")))
    stages: list[str] = []
    before(house, "create_deal", lambda: stages.append(house.crm.value("11", "lifecyclestage")))

    connect(house)

    assert stages == [SQL]


def test_a_deal_is_put_aside_with_the_stage_before_it_and_comes_back_with_it(house: House) -> None:
    mql(house)
    before(house, "write", fail(CrmDenied("no scope")), "lifecyclestage")
    connect(house)
    assert {row.state for row in house.outbox() if row.purpose in {"stage", "deal"}} == {"parked"}
    assert deals(house) == []

    again(house)

    assert house.crm.past("11", "lifecyclestage") == [MQL, SQL]
    assert deals(house) == ["5000"]


def test_a_stage_that_was_put_aside_before_keeps_no_deal(house: House) -> None:
    profile = lead(house)
    before(house, "write", fail(CrmDenied("no scope")), "lifecyclestage")
    house.raise_(profile, 6)
    house.sync()
    house.remap(handoff=Handoff(create_deal=DEAL))

    connect(house)

    assert deals(house) == ["5000"]


def test_a_deal_without_a_name_is_called_by_the_address(house: House) -> None:
    mql(house)

    connect(house)

    assert [draft.name for draft in house.crm.drafts] == ["p11@x.io"]


def test_an_open_deal_is_taken_and_no_other_made(house: House) -> None:
    mql(house)
    house.crm.deal("901", "11")
    house.sync()

    connect(house)

    assert deals(house) == ["901"]
    assert house.profile("11").disposition is Disposition.EXISTING_OPPORTUNITY
    assert house.slot("11") == 4


def test_an_open_deal_of_the_company_is_taken_and_tied(house: House) -> None:
    mql(house)
    lead(house, "12")
    house.crm.create("701", "company")
    house.crm.hire("11", "701")
    house.crm.hire("12", "701")
    house.crm.deal("901", "12")
    house.sync()

    connect(house)

    assert ("901", "11") in house.crm.tied
    assert deals(house) == ["901"]
    assert house.profile("11").disposition is Disposition.EXISTING_OPPORTUNITY


def test_what_the_rep_says_next_ends_the_disposition(house: House) -> None:
    mql(house)
    house.crm.deal("901", "11")
    connect(house)
    house.clock.pass_(60)

    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()

    assert house.profile("11").disposition is None


def test_a_deal_that_was_lost_stands_in_nobody_s_way(house: House) -> None:
    mql(house)
    house.crm.deal("901", "11", "closedlost")
    house.sync()

    connect(house)

    assert deals(house) == ["5000", "901"]


def test_connecting_again_makes_no_second_deal(house: House) -> None:
    mql(house)
    connect(house)
    house.clock.pass_(60)
    house.crm.edit("11", hs_lead_status="OPEN")
    house.sync()
    house.clock.pass_(60)

    connect(house)

    assert deals(house) == ["5000"]
    assert house.profile("11").disposition is None


@pytest.mark.parametrize("apart", [0, 3600])
def test_two_records_of_one_person_who_was_no_mql_get_one_deal(house: House, apart: int) -> None:
    house.remap(handoff=Handoff(create_deal=DEAL))
    lead(house)
    lead(house, "12", email="p11@x.io")

    house.crm.edit("11", hs_lead_status="CONNECTED")
    if apart:
        house.sync()
    house.clock.pass_(apart + 5)
    connect(house, "12")

    assert deals(house) == ["5000"]


def test_deals_that_are_switched_on_after_the_install_get_the_field_that_they_need(
    house: House,
) -> None:
    install(house.services, CONNECTION, apply=True, token=None)
    mql(house)
    house.crm.trouble["deal_made"].append(Trouble(CrmRefused("no such field", status=400)))

    connect(house)

    names = [call.name for call in house.crm.calls]
    assert deals(house) == ["5000"]
    assert names[names.index("deal_made") + 1] == "install"


def test_a_refused_deal_is_parked_and_others_are_made(house: House) -> None:
    mql(house)
    mql(house, "12")
    house.crm.trouble["create_deal"].append(Trouble(CrmRefused("no such field", status=400)))
    house.crm.edit("11", hs_lead_status="CONNECTED")

    connect(house, "12")

    states = {row.record_id: row.state for row in house.outbox(purpose="deal")}
    assert states == {"11": "parked", "12": "sent"}
    assert deals(house) == ["5000"]


WAYS_TO_WAIT = [CrmDown("away"), CrmDenied("no scope"), CrmRefused("no such field", status=400)]


@pytest.mark.parametrize(
    "words",
    [
        {"hs_lead_status": "UNQUALIFIED"},
        {"hs_lead_status": "OPEN"},
        {"hs_lead_status": ""},
        {"lifecyclestage": "customer"},
    ],
)
@pytest.mark.parametrize("error", WAYS_TO_WAIT)
def test_a_deal_that_waits_is_not_made_where_nobody_wants_it_any_more(
    house: House, error: CrmError, words: dict[str, str]
) -> None:
    mql(house)
    house.crm.trouble["create_deal"].extend([Trouble(error)] * 20)
    connect(house)
    house.crm.edit("11", **words)
    house.hear()

    again(house)

    assert deals(house) == []
    assert [row.state for row in house.outbox(purpose="deal")] == ["dropped"]


def test_who_connects_anew_after_taking_it_back_gets_a_deal(house: House) -> None:
    mql(house)
    house.crm.trouble["create_deal"].extend([Trouble(CrmDown("away"))] * 20)
    connect(house)
    house.crm.edit("11", hs_lead_status="OPEN")
    house.hear()
    again(house)

    connect(house)

    assert deals(house) == ["5000"]


def test_a_deal_that_was_made_is_kept_whatever_the_rep_says_next(house: House) -> None:
    mql(house)
    house.crm.trouble["create_deal"].append(Trouble(CrmDown("away"), applies=True))
    connect(house)
    house.crm.edit("11", hs_lead_status="OPEN_DEAL")
    house.hear()

    again(house)

    assert deals(house) == ["5000"]
    assert [row.outcome for row in house.rows(t.handoff)] == ["5000"]


@pytest.mark.parametrize("there", [False, True])
def test_whoever_is_erased_while_the_deal_is_made_leaves_no_audit_behind(
    house: House, *, there: bool
) -> None:
    profile = mql(house)
    if there:
        house.crm.deal("901", "11")
    call = "tie_deal" if there else "create_deal"
    after(house, call, lambda: forgetting.erase(house.services, ACCOUNT, profile))

    connect(house)

    assert house.notes("deal_made") == house.notes("deal_existing") == []
    assert house.rows(t.handoff) == house.rows(t.record, object="contact") == []


def again(house: House) -> None:
    """Let what waits, or was put aside, be tried once more."""
    house.clock.pass_(700)
    house.crm.trouble.clear()
    with house.store.writing() as unit:
        unit.retry_parked(house.connection(), house.clock.now())
    house.sync()


def test_nobody_in_slot_10_gets_a_deal(house: House) -> None:
    mql(house)
    before(house, "open_deal", lambda: opt_out(house))

    connect(house)

    assert house.slot("11") == 10
    assert deals(house) == []


def opt_out(house: House) -> None:
    house.crm.edit("11", hs_email_optout="true")
    house.keep(house.crm.told())
    house.drain()


ENDS = st.lists(st.sampled_from(["lost answer", "lost call", "crash", "crash after"]), max_size=4)


@given(ENDS, st.sampled_from(["create_deal", "deal_made", "open_deal"]))
def test_however_often_it_is_interrupted_there_is_one_deal(ends: list[str], call: str) -> None:
    with quick_house() as house:
        mql(house)
        house.crm.edit("11", hs_lead_status="CONNECTED")

        for end in ends:
            _interrupt(house, end, call)
            house.clock.pass_(700)
        house.crm.before = house.crm.after = lambda _call: None
        house.crm.trouble.clear()
        house.clock.pass_(700)
        house.sync()

        assert deals(house) == ["5000"]
        assert [row.state for row in house.rows(t.handoff)] == ["made"]
        assert house.profile("11").disposition is None


def _interrupt(house: House, end: str, call: str) -> None:
    if end.startswith("lost"):
        house.crm.trouble[call].append(Trouble(CrmDown("gone"), applies=end == "lost answer"))
        house.sync()
        return
    (after if end == "crash after" else before)(house, call, crash)
    try:
        house.sync()
    except Crash:
        house.clock.pass_(60)


def test_who_is_connected_before_any_mql_comes_to_sql_with_the_stage(house: House) -> None:
    profile = lead(house)
    house.remap(handoff=Handoff(create_deal=DEAL, reset_status=ResetStatus(True, "NEW")))

    house.crm.edit("11", hs_lead_status="CONNECTED")
    house.hear()

    assert [(move.start, move.goal, move.actor) for move in house.ledger(profile)][1:] == [
        (3, 4, "crm")
    ]
    house.raise_(profile, 6)
    house.sync()
    assert house.slot("11") == 4
    assert house.crm.past("11", "lifecyclestage") == ["lead", SQL]
    assert house.crm.past("11", "hs_lead_status") == ["CONNECTED"]
    assert deals(house) == ["5000"]


def test_a_word_that_our_reset_ran_over_is_handed_over_once_it_is_put_back(house: House) -> None:
    profile = lead(house)
    house.remap(handoff=Handoff(create_deal=DEAL, reset_status=ResetStatus(True, "NEW")))
    before(
        house,
        "write",
        lambda: house.crm.edit("11", hs_lead_status="CONNECTED"),
        "hs_lead_status",
    )

    house.raise_(profile, 6)
    house.sync()

    assert house.crm.past("11", "hs_lead_status") == ["CONNECTED", "NEW", "CONNECTED"]
    assert (house.crm.value("11", "lifecyclestage"), house.slot("11")) == (SQL, 4)
    assert deals(house) == ["5000"]


def test_a_word_about_a_record_whose_person_is_known_later_leads_to_sql_too(house: House) -> None:
    profile = lead(house)
    house.remap(handoff=Handoff(create_deal=DEAL))
    house.raise_(profile, 6)
    house.sync()
    house.crm.create("12")
    house.crm.edit("12", hs_lead_status="CONNECTED")
    house.hear()

    house.crm.edit("12", email="p11@x.io")
    house.hear()

    assert (house.ledger(profile)[-1].reason, house.slot("12")) == ("connected", 4)
