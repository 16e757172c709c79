"""A record's facts under HubSpot's preset: one example for each sentence of DESIGN 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.domain.facts import ConnectionId, Fact, Link, RecordKey
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor, Kind, Step
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.replay import ALIVE, History, Peer, Saying, replay
from connector.mapping.table import (
    Deal,
    Disposition,
    OptOutRow,
    SlotRow,
    Vocabulary,
)

HUBSPOT = ConnectionId("hubspot")
CONTACT = RecordKey(HUBSPOT, "contact", "1")
DEAL = RecordKey(HUBSPOT, "deal", "7")
COMPANY = RecordKey(HUBSPOT, "company", "9")
STAGE, STATUS = "lifecyclestage", "hs_lead_status"
PRESET = preset("hubspot")
LABELS = {"contact": {STATUS: {"1234": "Bad_Timing", "OPEN": "Open"}}}
LOOKUP = Lookup(PRESET, vocabulary=Vocabulary(LABELS, {"77": Deal.WON}))


def day(number: int) -> datetime:
    return datetime(2026, 5, number, tzinfo=UTC)


def fact(field: str, value: str, number: int = 1, record: RecordKey = CONTACT) -> Fact:
    return Fact(record, field, value, day(number), event_id=f"{number}")


def stage(value: str, number: int = 1) -> Fact:
    return fact(STAGE, value, number)


def status(value: str, number: int = 1) -> Fact:
    return fact(STATUS, value, number)


def email(number: int = 1, value: str = "ann@example.com") -> Fact:
    return fact("email", value, number)


def lever(value: str, number: int = 1) -> Fact:
    return fact("bnb_set_slot", value, number)


def ours(fact: Fact) -> Fact:
    return replace(fact, ours=True)


def under(version: int, fact: Fact) -> Fact:
    return replace(fact, version=version)


def link(record: RecordKey, number: int = 1, *, present: bool = True) -> Link:
    return Link(record, CONTACT, present, day(number), event_id=f"link {number}")


def deal(*facts: Fact, links: Sequence[Link] = (link(DEAL),)) -> Peer:
    return Peer(DEAL, links, facts)


def deal_in(value: str, number: int = 1) -> Fact:
    return fact("dealstage", value, number, DEAL)


def told(
    *facts: Fact, peers: Sequence[Peer] = (), lookups: Sequence[Lookup] = (LOOKUP,)
) -> tuple[Saying, list[Step]]:
    return replay(History(CONTACT, facts, peers), dict(enumerate(lookups, start=1)))


def says(*facts: Fact, peers: Sequence[Peer] = (), lookup: Lookup = LOOKUP) -> Slot | None:
    return told(*facts, peers=peers, lookups=[lookup])[0].slot


def path(
    *facts: Fact, peers: Sequence[Peer] = (), lookups: Sequence[Lookup] = (LOOKUP,)
) -> list[int]:
    steps = told(*facts, peers=peers, lookups=lookups)[1]
    return [step.slot.value for step in steps if step.kind is Kind.RESULT and step.slot]


def kinds(*facts: Fact, peers: Sequence[Peer] = ()) -> list[Kind]:
    return [step.kind for step in told(*facts, peers=peers)[1]]


@pytest.mark.parametrize(
    ("lifecycle", "lead_status", "slot"),
    [
        ("subscriber", "", 3),
        ("lead", "", 3),
        ("lead", "OPEN", 3),
        ("marketingqualifiedlead", "", 6),
        ("marketingqualifiedlead", "NEW", 6),
        ("marketingqualifiedlead", "OPEN", 5),
        ("marketingqualifiedlead", "IN_PROGRESS", 5),
        ("marketingqualifiedlead", "ATTEMPTED_TO_CONTACT", 5),
        ("marketingqualifiedlead", "in progress", 5),
        ("marketingqualifiedlead", "CONNECTED", 4),
        ("marketingqualifiedlead", "OPEN_DEAL", 4),
        ("salesqualifiedlead", "", 4),
        ("salesqualifiedlead", "NEW", 4),
        ("opportunity", "", 4),
        ("customer", "", 8),
        ("evangelist", "UNQUALIFIED", 8),
        ("other", "NEW", None),
        ("", "NEW", None),
        ("partner program", "", None),
    ],
)
def test_every_preset_row_means_its_slot(lifecycle: str, lead_status: str, slot: int) -> None:
    assert says(stage(lifecycle), status(lead_status)) == slot


@pytest.mark.parametrize("layout", ["sql-sal-mql", "mql-sql-sal", "mql-sal-sql"])
def test_the_rows_follow_the_roles_of_the_layout(layout: str) -> None:
    pipeline = Pipeline(layout)
    slot = says(stage("salesqualifiedlead"), lookup=Lookup(PRESET, pipeline))

    assert slot is not None
    assert pipeline.roles[slot] == "sql"


def test_changes_become_steps_in_order_of_time() -> None:
    assert path(stage("salesqualifiedlead", 3), stage("lead", 1), email(2)) == [3, 4]


def test_a_step_carries_when_and_why_in_codes() -> None:
    (step,) = told(stage("lead", 4))[1]

    assert step.stamp.when == day(4)
    assert step.reason == "crm:lifecycle=lead"
    assert (step.actor, step.record, step.funnel) == (Actor.CRM, CONTACT, Pipeline().funnel)


def test_equal_values_make_no_step() -> None:
    assert path(stage("lead", 1), stage("lead", 2), email(2), email(3)) == [3]


def test_two_fields_at_one_instant_are_one_step() -> None:
    assert path(status("OPEN"), stage("marketingqualifiedlead"), email()) == [5]


def test_a_value_that_nothing_matches_changes_nothing() -> None:
    assert path(stage("salesqualifiedlead", 1), stage("partner program", 2)) == [4]


def test_other_moves_nobody() -> None:
    assert path(stage("salesqualifiedlead", 1), stage("other", 2)) == [4]


def test_a_record_without_a_row_is_3_with_an_e_mail() -> None:
    assert path(stage("partner program"), email()) == [3]


def test_a_record_without_a_row_is_1_without_an_e_mail() -> None:
    assert path(stage("partner program"), email(value="")) == [1]


def test_an_e_mail_that_turns_up_makes_1_a_3() -> None:
    assert path(email(1, ""), email(2)) == [1, 3]


def test_an_e_mail_changes_nothing_about_a_mapped_record() -> None:
    assert path(stage("salesqualifiedlead", 1), email(2)) == [4]


@pytest.mark.parametrize(
    ("value", "disposition"),
    [
        ("BAD_TIMING", Disposition.BAD_TIMING),
        ("bad timing", Disposition.BAD_TIMING),
        ("Bad Number", Disposition.BAD_NUMBER),
        ("existingopportunity", Disposition.EXISTING_OPPORTUNITY),
        ("UNQUALIFIED", Disposition.UNQUALIFIED),
        ("1234", Disposition.BAD_TIMING),
        ("NEW", None),
        ("", None),
    ],
)
def test_dispositions_match_by_value_or_label(value: str, disposition: Disposition | None) -> None:
    assert told(status(value))[0].disposition is disposition


def test_a_disposition_ends_with_its_status() -> None:
    saying, _ = told(status("UNQUALIFIED", 1), status("NEW", 2))

    assert saying.disposition is None
    assert saying.disposed_at == day(2)


def test_a_disposition_is_no_slot() -> None:
    before = [stage("marketingqualifiedlead", 1), status("OPEN", 2)]

    assert path(*before, status("BAD_TIMING", 3), status("something else", 4)) == [6, 5]


def test_a_disposition_stands_for_the_last_mapped_status() -> None:
    facts = [stage("lead", 1), status("OPEN", 2), status("UNQUALIFIED", 3)]

    assert told(*facts)[0].status == "OPEN"


def test_a_lifecycle_change_forgets_the_status_before_a_disposition() -> None:
    before = [stage("lead", 1), status("OPEN", 2), status("BAD_TIMING", 3)]

    assert path(*before, stage("marketingqualifiedlead", 4)) == [3, 6]


def test_a_disposition_that_comes_with_the_lifecycle_change_stands_for_empty() -> None:
    before = [stage("lead", 1), status("OPEN", 2)]

    assert path(*before, stage("marketingqualifiedlead", 3), status("UNQUALIFIED", 3)) == [3, 6]


def test_a_mapped_status_outlives_a_lifecycle_change() -> None:
    assert path(status("OPEN", 1), stage("marketingqualifiedlead", 2)) == [5]


def test_a_status_that_is_cleared_is_empty_again() -> None:
    before = [stage("marketingqualifiedlead", 1), status("OPEN", 2)]

    assert path(*before, status("", 3), status("BAD_TIMING", 4)) == [6, 5, 6]


def test_a_late_status_is_put_in_its_place() -> None:
    mql, new = stage("marketingqualifiedlead", 2), status("NEW", 5)

    assert path(new, status("OPEN", 3), mql) == [6, 5, 6]


def test_our_own_write_makes_no_step() -> None:
    facts = [stage("lead", 1), ours(stage("salesqualifiedlead", 2))]

    assert kinds(*facts) == [Kind.RESULT, Kind.KNOWN]
    assert says(*facts) is Slot.FOURTH


def test_our_own_write_echoed_as_a_humans_makes_no_step() -> None:
    assert kinds(ours(stage("lead", 1)), stage("lead", 2)) == [Kind.KNOWN]


def test_the_levers_pick_is_a_persons_step() -> None:
    (step,) = told(lever("5"))[1]

    assert (step.kind, step.actor, step.slot) == (Kind.PUT, Actor.PERSON, Slot.FIFTH)


@pytest.mark.parametrize("value", ["", "1", "2", "3", "10", "SQL", "04"])
def test_the_lever_takes_4_to_9_only(value: str) -> None:
    assert kinds(lever(value)) == []


@pytest.mark.parametrize("value", ["7", "9"])
def test_the_lever_leads_nobody_into_an_empty_slot(value: str) -> None:
    named = Lookup(PRESET, Pipeline(labels={Slot.SEVENTH: "Demo", Slot.POST_SALE: "Partner"}))

    assert told(lever(value))[1] == []
    assert [step.slot for step in told(lever(value), lookups=[named])[1]] == [int(value)]


def test_blanking_the_lever_is_no_step_and_the_next_pick_is() -> None:
    facts = [lever("5", 1), ours(lever("", 2)), lever("5", 3)]

    assert kinds(*facts) == [Kind.PUT, Kind.PUT]


def test_of_two_picks_at_one_instant_the_later_counts() -> None:
    first = replace(lever("5"), event_id="a")
    second = replace(lever("4"), event_id="b")

    assert [step.slot for step in told(second, first)[1]] == [Slot.FOURTH]


def test_an_opt_out_of_all_e_mail_is_a_step() -> None:
    (step,) = told(fact("hs_email_optout", "true"))[1]

    assert (step.kind, step.reason) == (Kind.OPT_OUT, "opt_out:email")


def test_an_opt_out_taken_back_is_no_step() -> None:
    facts = [fact("hs_email_optout", "true", 1), fact("hs_email_optout", "false", 2)]

    assert kinds(*facts) == [Kind.OPT_OUT]


def test_an_opt_out_that_we_wrote_is_no_step() -> None:
    assert kinds(ours(fact("hs_email_optout", "true"))) == []


def test_do_not_call_opts_out_only_where_the_admin_maps_it() -> None:
    row = OptOutRow("DoNotCall", "true", "phone")
    mapped = Lookup(replace(PRESET, opt_out=(*PRESET.opt_out, row)))
    said = [fact("DoNotCall", "true", 1), fact("DoNotCall", "true", 2)]

    assert kinds(*said) == []
    assert [step.reason for step in told(*said, lookups=[mapped])[1]] == ["opt_out:phone"]


def test_two_channels_at_one_instant_are_two_steps_of_different_names() -> None:
    row = OptOutRow("DoNotCall", "true", "phone")
    mapped = Lookup(replace(PRESET, opt_out=(*PRESET.opt_out, row)))
    _, steps = told(fact("DoNotCall", "true"), email_off(), lookups=[mapped])

    assert {step.reason for step in steps} == {"opt_out:phone", "opt_out:email"}
    assert len({step.key for step in steps}) == 2


def email_off() -> Fact:
    return fact("hs_email_optout", "true")


@pytest.mark.parametrize("value", ["closedwon", "77"])
def test_a_won_deal_makes_a_customer(value: str) -> None:
    assert path(stage("lead", 1), peers=[deal(deal_in(value, 2))]) == [3, 8]


def test_a_win_counts_from_when_the_contact_is_tied_to_it() -> None:
    _, steps = told(peers=[deal(deal_in("closedwon", 2), links=[link(DEAL, 5)])])

    assert [(step.slot, step.stamp.when) for step in steps] == [(Slot.CUSTOMER, day(5))]


def test_a_win_makes_no_customer_of_who_is_not_on_the_deal() -> None:
    cut = [link(DEAL, 1), link(DEAL, 2, present=False)]

    assert path(stage("lead", 1), peers=[deal(deal_in("closedwon", 3), links=cut)]) == [3]


def test_a_link_reads_the_same_from_either_end() -> None:
    turned = Link(CONTACT, DEAL, present=True, when=day(1), event_id="1")

    assert path(peers=[deal(deal_in("closedwon", 2), links=[turned])]) == [8]


def test_an_open_deal_moves_nobody_under_the_preset() -> None:
    assert path(stage("lead", 1), peers=[deal(deal_in("appointmentscheduled", 2))]) == [3]


def test_an_open_deal_moves_where_a_row_says_so() -> None:
    row = SlotRow(Slot.FOURTH, deal=Deal.OPEN)
    mapped = Lookup(replace(PRESET, slots=(row, *PRESET.slots)))

    assert path(peers=[deal(deal_in("presentation", 2))], lookups=[mapped]) == [4]


def test_a_lost_deal_is_a_disposition() -> None:
    saying, steps = told(peers=[deal(deal_in("presentation", 1), deal_in("closedlost", 2))])

    assert (saying.disposition, saying.disposed_at) == (Disposition.LOST, day(2))
    assert steps == []


def test_a_win_taken_back_follows_the_lifecycle_again() -> None:
    back = deal(deal_in("closedwon", 2), deal_in("closedlost", 3))

    assert path(stage("opportunity", 1), peers=[back]) == [4, 8, 4]


def test_a_deleted_deal_deletes_no_contact() -> None:
    gone = deal(deal_in("closedwon", 2), fact(ALIVE, "no", 3, DEAL))

    saying, steps = told(stage("lead", 1), peers=[gone])
    assert saying.alive
    assert [step.kind for step in steps] == [Kind.RESULT, Kind.RESULT]


def test_deletion_and_restoration_are_told_once_each() -> None:
    facts = [fact(ALIVE, "yes", 1), stage("lead", 1), fact(ALIVE, "no", 2), fact(ALIVE, "no", 3)]

    assert kinds(*facts, fact(ALIVE, "yes", 4)) == [Kind.RESULT, Kind.GONE, Kind.ALIVE]


def test_a_companys_stage_moves_no_person() -> None:
    company = Peer(COMPANY, [link(COMPANY)], [fact(STAGE, "customer", 2, COMPANY)])

    saying, steps = told(stage("lead", 1), peers=[company])
    assert len(steps) == 1
    assert saying.words().companies == {"customer"}


def test_a_companys_stage_moves_people_where_a_row_says_so() -> None:
    row = SlotRow(Slot.CUSTOMER, company=frozenset({"customer"}))
    mapped = Lookup(replace(PRESET, slots=(row, *PRESET.slots)))
    company = Peer(COMPANY, [link(COMPANY)], [fact(STAGE, "Customer", 2, COMPANY)])

    assert path(stage("lead", 1), peers=[company], lookups=[mapped]) == [3, 8]


def test_only_silent_facts_make_a_silent_step() -> None:
    quiet = replace(stage("lead"), silent=True)

    assert [step.silent for step in told(quiet)[1]] == [True]
    assert [step.silent for step in told(quiet, email())[1]] == [False]


# The second version of the mapping says something else about everything.
NEWER = Lookup(
    replace(
        PRESET,
        slots=(SlotRow(Slot.CUSTOMER, lifecycle=frozenset({"lead", "marketingqualifiedlead"})),),
        dispositions=(),
    ),
    version=2,
)
OLD_AND_NEW = [LOOKUP, NEWER]


def test_a_fact_keeps_the_result_of_the_mapping_it_was_learned_under() -> None:
    assert path(stage("lead", 1), lookups=OLD_AND_NEW) == [3]
    assert path(under(2, stage("lead", 1)), lookups=OLD_AND_NEW) == [8]


@pytest.mark.parametrize(
    "later",
    [
        email(2),
        stage("lead", 2),
        fact("hubspot_owner_id", "5", 2),
        status("BAD_TIMING", 2),
        fact(ALIVE, "no", 2),
        lever("5", 2),
    ],
    ids=lambda later: f"{later.field}={later.value}",
)
def test_a_later_fact_about_something_else_changes_nothing(later: Fact) -> None:
    assert path(stage("lead", 1), under(2, later), lookups=OLD_AND_NEW) == [3]


@pytest.mark.parametrize("record", [DEAL, COMPANY])
def test_a_later_link_changes_nothing_about_old_facts(record: RecordKey) -> None:
    said = under(2, fact("dealstage" if record is DEAL else STAGE, "lead", 2, record))
    peer = Peer(record, [link(record, 3)], [said])

    assert path(stage("lead", 1), peers=[peer], lookups=OLD_AND_NEW) == [3]


def test_a_link_counts_under_the_mapping_its_deal_was_learned_under() -> None:
    peer = deal(deal_in("closedwon", 2), links=[link(DEAL, 3)])

    assert path(stage("partner", 1), peers=[peer], lookups=OLD_AND_NEW) == [8]


def test_a_disposition_keeps_the_mapping_it_was_learned_under() -> None:
    saying, _ = told(
        status("UNQUALIFIED", 1), under(2, stage("opportunity", 2)), lookups=OLD_AND_NEW
    )

    assert saying.disposition is Disposition.UNQUALIFIED


def test_a_new_value_is_read_under_the_newer_mapping() -> None:
    newer = under(2, stage("marketingqualifiedlead", 2))

    assert path(stage("lead", 1), newer, lookups=OLD_AND_NEW) == [3, 8]
