"""Records, rules and people together: an unedited CRM never undoes a rule, order never matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.domain.facts import ConnectionId, Fact, RecordKey, Stamp
from connector.domain.moves import Go, judge
from connector.domain.slots import OPEN_TO_PEOPLE, OPEN_TO_RULES, Pipeline, Slot, is_forward
from connector.domain.steps import Actor, Kind, Standing, Step, fold
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.plan import plan
from connector.mapping.replay import History, replay
from connector.mapping.table import Meaning

PIPELINE = Pipeline(labels={Slot.SEVENTH: "Demo held", Slot.POST_SALE: "Partner"})
LOOKUP = Lookup(preset("hubspot"), PIPELINE)
RECORDS = [RecordKey(ConnectionId("hubspot"), "contact", number) for number in ("1", "2")]
STAGES = ["subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "customer", "other"]
STATUSES = ["", "NEW", "OPEN", "CONNECTED", "UNQUALIFIED"]
WORDS = [("lifecyclestage", stage) for stage in STAGES]
WORDS += [("hs_lead_status", status) for status in STATUSES]
START = datetime(2026, 5, 1, tzinfo=UTC)


class UneditedCrm(RuleBasedStateMachine):
    """One profile with two records; what it was told is kept, where it stands is worked out."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.facts: list[Fact] = []
        self.steps: list[Step] = []

    def standing(self, facts: Iterable[Fact], steps: Iterable[Step]) -> Standing:
        told = list(facts)
        said = list(steps)
        for record in RECORDS:
            own = [fact for fact in told if fact.record == record]
            said += replay(History(record, own), {1: LOOKUP})[1]
        return fold(said).standing

    @property
    def slot(self) -> Slot | None:
        return self.standing(self.facts, self.steps).slot

    def held(self, record: RecordKey) -> list[Fact]:
        own = [fact for fact in self.facts if fact.record == record]
        return list(replay(History(record, own), {1: LOOKUP})[0].held.values())

    def learn(self, record: RecordKey, field: str, value: str, *, ours: bool = False) -> None:
        self.now += timedelta(minutes=1)
        event = str(len(self.facts))
        self.facts.append(Fact(record, field, value, self.now, event, ours=ours))

    def take(self, kind: Kind, actor: Actor, slot: Slot | None = None) -> None:
        self.now += timedelta(minutes=1)
        key = str(len(self.steps))
        self.steps.append(Step(kind, Stamp(self.now), key, actor, PIPELINE.funnel, slot))

    @rule(record=st.sampled_from(RECORDS), word=st.sampled_from(WORDS))
    def someone_edits_the_crm(self, record: RecordKey, word: tuple[str, str]) -> None:
        self.learn(record, *word)

    @rule(record=st.sampled_from(RECORDS), word=st.sampled_from(WORDS), ago=st.integers(1, 20))
    def a_delivery_is_late(self, record: RecordKey, word: tuple[str, str], ago: int) -> None:
        self.learn(record, *word)
        late = self.facts.pop()
        self.facts.append(replace(late, when=self.now - timedelta(minutes=ago, seconds=30)))

    @rule(record=st.sampled_from(RECORDS))
    def a_record_opts_out(self, record: RecordKey) -> None:
        known = [fact.field for fact in self.held(record)]
        self.learn(record, "hs_email_optout", "true")

        assert self.slot is Slot.DO_NOT_CONTACT or "hs_email_optout" in known

    @rule(wish=st.sampled_from(sorted(OPEN_TO_PEOPLE)))
    def a_person_moves_the_profile(self, wish: Slot) -> None:
        if isinstance(judge(self.slot, wish, Actor.PERSON, PIPELINE), Go):
            self.take(Kind.PUT, Actor.PERSON, wish)

            assert self.slot is wish

    @rule(wish=st.sampled_from(sorted(OPEN_TO_RULES)))
    def a_rule_raises_the_profile(self, wish: Slot) -> None:
        if isinstance(judge(self.slot, wish, Actor.RULE, PIPELINE), Go):
            self.take(Kind.RAISE, Actor.RULE, wish)

            assert self.slot is wish

    @precondition(lambda self: self.slot is Slot.DO_NOT_CONTACT)
    @rule()
    def an_admin_records_re_consent(self) -> None:
        self.take(Kind.RECONSENT, Actor.PERSON)

        assert self.slot is not Slot.DO_NOT_CONTACT

    @rule(record=st.sampled_from(RECORDS))
    def a_reconcile_reads_what_is_known(self, record: RecordKey) -> None:
        before = self.standing(self.facts, self.steps)
        for fact in self.held(record):
            self.learn(record, fact.field, fact.value)

        assert self.standing(self.facts, self.steps) == before

    @rule(record=st.sampled_from(RECORDS))
    def we_write_the_slot_to_the_crm(self, record: RecordKey) -> None:
        slot = self.slot
        own = [fact for fact in self.facts if fact.record == record]
        words = replay(History(record, own), {1: LOOKUP})[0].words()
        writes = plan(slot, words, "contact", LOOKUP).writes if slot and own else {}
        for meaning, value in writes.items():
            self.learn(record, LOOKUP.mapping.name_of("contact", meaning), value, ours=True)

        assert self.slot is slot

    @rule(stage=st.sampled_from(["subscriber", "lead"]))
    @precondition(lambda self: not any(fact.record == RECORDS[1] for fact in self.facts))
    def the_crm_creates_another_record(self, stage: str) -> None:
        before = self.slot
        self.learn(RECORDS[1], LOOKUP.mapping.name_of("contact", Meaning.LIFECYCLE), stage)

        after = self.slot
        assert (
            after is before
            or before is None
            or is_forward(PIPELINE.funnel, before, after or before)
        )

    @rule(chance=st.randoms(use_true_random=False))
    def everything_is_delivered_again_in_another_order(self, chance: Random) -> None:
        facts, steps = self.facts * 2, list(self.steps)
        chance.shuffle(facts)
        chance.shuffle(steps)

        assert self.standing(facts, steps) == self.standing(self.facts, self.steps)

    @invariant()
    def whoever_was_won_is_a_success(self) -> None:
        standing = self.standing(self.facts, self.steps)

        assert standing.slot is not Slot.CUSTOMER or standing.success_at is not None


TestUneditedCrm = UneditedCrm.TestCase
TestUneditedCrm.settings = settings(stateful_step_count=20)
