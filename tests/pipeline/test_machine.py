"""People, rules, opt-outs, crashes and reads in any sequence: what must hold after each."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.domain.errors import CrmBusy, CrmDown, MoveRefused
from connector.pipeline import consent, undoing
from connector.pipeline.backfilling import backfill
from connector.store import tables as t
from tests.pipeline.acts import Crash, after, before, crash, lead, steal
from tests.pipeline.crm import STAGES, STATUSES, Trouble
from tests.pipeline.house import ACCOUNT, CONNECTION, PIPELINE, quick_house
from tests.pipeline.test_suppressed import forbidden

PEOPLE = ("11", "12")
RANK = {int(slot): place for place, slot in enumerate(PIPELINE.funnel)}
person = st.sampled_from(PEOPLE)


class Sales(RuleBasedStateMachine):
    """Two people whom both sides know; the CRM's webhooks come in when they come in."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = ExitStack()
        self.house = self.rooms.enter_context(quick_house())
        for one in PEOPLE:
            lead(self.house, one)
        self.crm = self.house.crm
        self.slots = {one: self.house.slot(one) for one in PEOPLE}

    def teardown(self) -> None:
        self.rooms.close()

    def remember(self) -> None:
        self.slots = {one: self.house.slot(one) for one in PEOPLE}

    # What changes slots

    @rule(one=person, stage=st.sampled_from(STAGES))
    def a_rep_sets_the_stage(self, one: str, stage: str) -> None:
        self.edit(one, "lifecyclestage", stage)

    @rule(one=person, status=st.sampled_from(["", *STATUSES]))
    def a_rep_sets_the_status(self, one: str, status: str) -> None:
        self.edit(one, "hs_lead_status", status)

    @rule(one=person, slot=st.sampled_from(["4", "6", "8"]))
    def a_rep_pulls_the_lever(self, one: str, slot: str) -> None:
        self.edit(one, "bnb_set_slot", slot)

    @rule(one=person)
    def a_person_opts_out(self, one: str) -> None:
        self.crm.edit(one, hs_email_optout="false")
        self.edit(one, "hs_email_optout", "true")
        assert self.house.slot(one) == 10

    def edit(self, one: str, name: str, value: str) -> None:
        self.house.clock.pass_(5)
        self.crm.edit(one, **{name: value})
        self.house.hear()
        self.remember_all_but_those_in_10()

    def remember_all_but_those_in_10(self) -> None:
        for one in PEOPLE:
            assert self.slots[one] != 10 or self.house.slot(one) == 10
        self.remember()

    @rule(one=person, goal=st.sampled_from([3, 4, 5, 6, 7, 8, 9]))
    def somebody_moves_by_hand(self, one: str, goal: int) -> None:
        self.house.clock.pass_(5)
        try:
            self.house.move(self.house.profile_of(one), goal)
        except MoveRefused:
            assert self.slots[one] == 10
        else:
            assert self.house.slot(one) == goal
        self.remember()

    @rule(one=person, goal=st.sampled_from([4, 5, 6, 7]))
    def a_rule_escalates(self, one: str, goal: int) -> None:
        self.house.clock.pass_(5)
        was = self.slots[one]
        self.house.raise_(self.house.profile_of(one), goal)
        climbs = was not in {8, 9, 10, None} and RANK[goal] > RANK[was or 1]
        assert self.house.slot(one) == (goal if climbs else was)
        self.remember()

    @rule(one=person)
    def somebody_undoes_the_last_batch(self, one: str) -> None:
        self.house.clock.pass_(5)
        batch = self.house.moves(one)[-1].batch_id
        undoing.undo(self.house.services, ACCOUNT, batch, dry_run=False)
        self.remember_all_but_those_in_10()

    @precondition(lambda self: 10 in self.slots.values())
    @rule()
    def an_admin_documents_a_re_consent(self) -> None:
        self.house.clock.pass_(5)
        ids = [self.house.profile_of(one) for one in PEOPLE]
        consent.reconsent(self.house.services, ACCOUNT, ids, "signed")
        assert 10 not in {self.house.slot(one) for one in PEOPLE}
        self.remember()

    # What changes none

    @rule()
    def everything_is_delivered(self) -> None:
        self.house.sync()
        self.house.clock.pass_(5)
        self.house.sync()

    @rule()
    def webhooks_get_lost(self) -> None:
        self.crm.rows.clear()

    @rule(one=person)
    def a_record_is_read_again(self, one: str) -> None:
        with self.house.store.writing() as unit:
            unit.ask([self.house.known(one).key], self.house.clock.now())
        self.house.run()

    @rule()
    def everything_is_backfilled(self) -> None:
        self.crm.calls.clear()
        backfill(self.house.services, CONNECTION, lambda _kind, _count: None)

    @rule(applies=st.booleans(), busy=st.booleans())
    def the_crm_has_a_bad_moment(self, applies: bool, busy: bool) -> None:  # noqa: FBT001
        error = CrmBusy("429", retry_in=3) if busy else CrmDown("502")
        self.crm.trouble["write"].append(Trouble(error, applies=applies and not busy))

    @rule(word=st.sampled_from(["read", "write"]), late=st.booleans())
    def a_worker_dies_at_a_call(self, word: str, late: bool) -> None:  # noqa: FBT001
        (after if late else before)(self.house, word, crash)
        try:
            self.house.deliver()
        except Crash:
            steal(self.house)
        self.crm.before = self.crm.after = lambda _call: None

    # What holds

    @invariant()
    def nothing_but_people_and_rules_moves_anyone(self) -> None:
        assert {one: self.house.slot(one) for one in PEOPLE} == self.slots

    @invariant()
    def nobody_calls_about_slot_10(self) -> None:
        assert forbidden(self.house) == []

    @invariant()
    def every_ledger_is_a_chain(self) -> None:
        for one in PEOPLE:
            steps = self.house.steps(one)
            assert [start for start, _ in steps] == [None, *(goal for _, goal in steps[:-1])]
            assert steps[-1][1] == self.slots[one]

    @rule()
    def in_the_end_the_crm_shows_the_slot(self) -> None:
        self.crm.trouble.clear()
        for _ in range(3):
            self.house.sync()
            self.house.clock.pass_(700)
        for one in PEOPLE:
            assert self.house.own(one) == str(self.slots[one])
            assert self.crm.value(one, "bnb_set_slot") == ""
        assert self.house.rows(t.event, state="parked") == []
        assert self.house.outbox(state="parked") == []


TestSales = Sales.TestCase
TestSales.settings = settings(
    max_examples=settings().max_examples // 3, stateful_step_count=15, deadline=None
)
