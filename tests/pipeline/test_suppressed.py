"""Slot 10: nothing leads out of it but a re-consent, and nobody calls about it (DESIGN 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.domain.errors import MoveRefused
from connector.domain.facts import ConnectionId
from connector.mapping.document import preset
from connector.pipeline import consent, undoing
from tests.pipeline.acts import Crash, after, before, crash, lead
from tests.pipeline.crm import Call
from tests.pipeline.house import ACCOUNT, House

OWN = {
    "bnb_lead_slot",
    "bnb_slot_since",
    "bnb_profile_id",
    "bnb_score_state",
    "bnb_lead_score",
    "bnb_score_reasons",
    "bnb_scored_at",
    "bnb_set_slot",
}
OTHER = ConnectionId("con_2")
STAGE = "lifecyclestage"


def forbidden(house: House) -> list[Call]:
    """Return the calls about people in slot 10 that DESIGN 5.5 does not list."""
    crms = house.crms.values()
    calls = [call for crm in crms for call in crm.calls if 10 in call.slots]
    return [
        call
        for call in calls
        if call.name not in {"opted_out", "opt_out"}
        and not (call.name == "write" and all(fields.keys() <= OWN for fields in call.fields))
    ]


def opt_out(house: House, record_id: str = "11") -> None:
    house.crm.edit(record_id, hs_email_optout="true")
    house.hear()


def test_an_opt_out_marks_the_record_and_nothing_else(either: House) -> None:
    lead(either)
    opt_out(either)

    either.sync()

    assert either.slot("11") == 10
    assert either.own("11") == "10"
    assert either.crm.value("11", "bnb_score_state") == "suppressed"
    assert forbidden(either) == []


def test_an_unknown_person_who_opted_out_is_not_read(house: House) -> None:
    house.crm.create("11", email="a@x.io", hs_email_optout="true")

    house.sync()

    assert house.slot("11") == 10
    assert forbidden(house) == []
    with house.store.reading() as unit:
        assert unit.due(house.clock.now(), house.clock.now()) == []


def test_a_read_that_was_asked_for_before_the_opt_out_is_not_made(house: House) -> None:
    house.crm.create("11", email="a@x.io")
    house.hear()
    opt_out(house)

    house.sync()

    assert [call.name for call in house.crm.calls if call.name == "read"] == []


def test_a_merge_into_an_unknown_record_does_not_have_it_read(house: House) -> None:
    lead(house)
    opt_out(house)
    house.run()
    house.crm.create("12", email="b@x.io")
    house.crm.rows.clear()
    house.crm.merge("11", "12")

    house.sync()

    assert house.slot("12") == 10
    assert forbidden(house) == []


@pytest.mark.parametrize("name", ["read", "write"])
def test_a_stage_on_its_way_stops_where_it_is(house: House, name: str) -> None:
    profile = lead(house)
    house.move(profile, 6)
    after(house, name, lambda: opt_out(house), "lifecyclestage" if name == "write" else "")

    house.sync()

    assert forbidden(house) == []
    assert house.own("11") == "10"


def test_a_way_back_stops_before_it_clears(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage="salesqualifiedlead")
    house.move(profile, 6)
    after(house, "write", lambda: opt_out(house), "lifecyclestage")

    house.sync()

    assert house.crm.past("11", "lifecyclestage") == ["salesqualifiedlead"]
    assert forbidden(house) == []


def test_an_opt_out_between_clear_and_set_gets_the_old_stage_back(house: House) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage="salesqualifiedlead")
    house.move(profile, 6)
    after(house, "write", lambda: after(house, "write", lambda: opt_out(house), STAGE), STAGE)

    house.sync()

    assert house.crm.past("11", STAGE) == ["salesqualifiedlead", "", "salesqualifiedlead"]
    assert house.slot("11") == 10


def test_an_opt_out_after_a_crash_between_clear_and_set_gets_the_old_stage_back(
    house: House,
) -> None:
    house.remap(allow_backward=True)
    profile = lead(house, lifecyclestage="salesqualifiedlead")
    house.move(profile, 6)
    after(house, "write", lambda: after(house, "write", crash, STAGE), STAGE)
    with pytest.raises(Crash):
        house.deliver()

    opt_out(house)
    house.clock.pass_(60)
    house.sync()

    assert house.crm.past("11", STAGE) == ["salesqualifiedlead", "", "salesqualifiedlead"]


def test_a_record_marked_while_another_slot_was_written_ends_marked(house: House) -> None:
    profile = lead(house)
    house.raise_(profile, 7)
    before(house, "write", lambda: opt_out(house))

    house.sync()

    assert house.own("11") == "10"


def test_the_lever_of_a_suppressed_person_is_blanked_and_moves_nobody(house: House) -> None:
    lead(house)
    opt_out(house)
    house.crm.edit("11", bnb_set_slot="8")

    house.sync()

    assert house.slot("11") == 10
    assert house.crm.value("11", "bnb_set_slot") == ""
    assert forbidden(house) == []


def test_a_person_s_move_puts_in_and_none_leads_out(house: House) -> None:
    profile = lead(house)
    house.move(profile, 10)

    for goal in (3, 4, 8, 9):
        with pytest.raises(MoveRefused):
            house.move(profile, goal)
    house.sync()

    assert house.slot("11") == 10
    assert house.own("11") == "10"


@pytest.mark.parametrize(
    "act",
    [
        lambda house: house.raise_(house.profile_of("11"), 7),
        lambda house: house.crm.edit("11", lifecyclestage="customer"),
        lambda house: house.crm.edit("11", hs_email_optout="false"),
        lambda house: house.crm.edit("11", bnb_set_slot="4"),
        lambda house: house.crm.edit("11", email="other@x.io"),
        lambda house: (house.crm.delete("11"), house.crm.restore("11")),
        lambda house: house.crm.create("12", email="p11@x.io", lifecyclestage="customer"),
    ],
    ids=["rule", "stage", "opt-in", "lever", "e-mail", "restore", "another record"],
)
def test_nothing_that_happens_leads_out(house: House, act: Callable[[House], object]) -> None:
    lead(house)
    opt_out(house)
    house.run()
    house.clock.pass_(60)

    act(house)
    house.sync()

    assert house.slot("11") == 10
    assert forbidden(house) == []


def test_undoing_what_came_before_does_not_lead_out(house: House) -> None:
    profile = lead(house)
    house.move(profile, 6)
    batch = house.moves("11")[-1].batch_id
    house.clock.pass_(1)
    opt_out(house)

    told = undoing.undo(house.services, ACCOUNT, batch, dry_run=False)

    assert told["moved"] == []
    assert house.slot("11") == 10


def test_undoing_the_opt_out_itself_does_not_lead_out(house: House) -> None:
    profile = lead(house)
    house.move(profile, 10)
    batch = house.moves("11")[-1].batch_id

    told = undoing.undo(house.services, ACCOUNT, batch, dry_run=False)

    assert [one["profile_id"] for one in told["skipped"]] == [profile]
    assert house.slot("11") == 10


def test_a_re_consent_leads_out_once_and_a_new_opt_out_back_in(house: House) -> None:
    profile = lead(house)
    opt_out(house)
    house.clock.pass_(60)
    consent.reconsent(house.services, ACCOUNT, [profile], "signed again")
    house.sync()
    assert house.slot("11") == 3
    assert house.own("11") == "3"

    house.clock.pass_(60)
    house.crm.edit("11", hs_email_optout="false")
    house.crm.edit("11", hs_email_optout="true")
    house.sync()

    assert house.slot("11") == 10


def test_an_opt_out_from_before_the_re_consent_that_comes_late_changes_nothing(
    house: House,
) -> None:
    profile = lead(house)
    house.move(profile, 10)
    house.crm.edit("11", hs_email_optout="true")
    late = house.crm.told()
    house.clock.pass_(60)
    consent.reconsent(house.services, ACCOUNT, [profile], "signed again")

    house.hear(late)

    assert house.slot("11") == 3


def test_a_joined_profile_is_re_consented_under_either_id(house: House) -> None:
    lead(house, "11")
    lost = lead(house, "12")
    house.crm.edit("12", email="p11@x.io")
    opt_out(house, "12")
    assert house.profile_of("12") != lost

    told = consent.reconsent(house.services, ACCOUNT, [lost, house.profile_of("11")], "signed")

    assert told["moved"] == [house.profile_of("11")]
    assert house.slot("11") == 3


def test_a_win_is_kept_while_the_slot_stays_10(house: House) -> None:
    lead(house)
    opt_out(house)
    house.clock.pass_(60)
    house.crm.edit("11", lifecyclestage="customer")
    won = house.clock.now()

    house.sync()

    assert house.slot("11") == 10
    assert house.profile("11").success_at == won


def test_an_opt_out_is_pushed_on_only_where_that_is_switched_on(house: House) -> None:
    two_crms(house, push=False)
    opt_out(house)

    house.run()

    assert house.crms[OTHER].opted == set()


def test_an_opt_out_is_read_first_and_then_pushed_to_the_other_crm_alone(house: House) -> None:
    two_crms(house, push=True)
    opt_out(house)

    house.run()

    calls = [call.name for call in house.crms[OTHER].calls if call.kind == "email"]
    assert calls == ["opted_out", "opt_out"]
    assert house.crms[OTHER].opted == {"p11@x.io"}
    assert house.crm.opted == set()


def test_who_is_opted_out_there_already_is_not_pushed(house: House) -> None:
    two_crms(house, push=True)
    house.crms[OTHER].opted.add("p11@x.io")
    opt_out(house)

    house.run()

    assert [call.name for call in house.crms[OTHER].calls if call.kind == "email"] == ["opted_out"]


def test_a_person_s_own_opt_out_goes_to_every_crm(house: House) -> None:
    two_crms(house, push=True)
    house.remap(push_opt_out=True)
    house.move(house.profile_of("11"), 10)

    house.run()

    assert house.crm.opted == house.crms[OTHER].opted == {"p11@x.io"}


def test_a_re_consent_that_comes_before_the_push_stops_it(house: House) -> None:
    two_crms(house, push=True)
    opt_out(house)
    house.clock.pass_(1)
    consent.reconsent(house.services, ACCOUNT, [house.profile_of("11")], "a mistake")

    house.run()

    assert house.crms[OTHER].opted == set()


def test_more_than_a_hundred_opt_outs_at_once_wait_for_a_person(house: House) -> None:
    house.remap(push_opt_out=True)
    for number in range(101):
        house.crm.create(str(1000 + number), email=f"p{number}@x.io")
    house.sync()
    profiles = [house.profile_of(str(1000 + number)) for number in range(101)]
    for one in profiles:
        house.move(one, 10)

    house.run()

    assert house.crm.opted == set()
    assert {row.state for row in house.outbox(purpose="opt_out")} == {"held"}
    assert {house.own(str(1000 + number)) for number in range(101)} == {"10"}


def two_crms(house: House, *, push: bool) -> None:
    """Have one person in two CRMs."""
    house.connect(OTHER, "77", replace(preset("hubspot"), push_opt_out=push))
    lead(house)
    house.crms[OTHER].create("31", email="p11@x.io", lifecyclestage="lead")
    house.keep(house.crms[OTHER].told(), OTHER)
    house.run()
    assert house.profile_of("31", OTHER) == house.profile_of("11")
