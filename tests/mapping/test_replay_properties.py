"""What holds for any facts whatever, and a second reading of DESIGN 4's tables to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.facts import ConnectionId, Fact, Link, RecordKey
from connector.domain.slots import Role
from connector.domain.steps import Kind
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.replay import ALIVE, History, Peer, replay
from connector.mapping.table import OptOutRow, SlotRow

HUBSPOT = ConnectionId("hubspot")
CONTACT = RecordKey(HUBSPOT, "contact", "1")
DEAL = RecordKey(HUBSPOT, "deal", "7")
COMPANY = RecordKey(HUBSPOT, "company", "9")
STAGES = ["", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity"]
STAGES += ["customer", "evangelist", "other", "partner program"]
STATUSES = ["", "NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED", "Bad Timing", "strange"]
VALUES: dict[tuple[RecordKey, str], list[str]] = {
    (CONTACT, "lifecyclestage"): STAGES,
    (CONTACT, "hs_lead_status"): STATUSES,
    (CONTACT, "email"): ["", "ann@example.com"],
    (CONTACT, "hs_email_optout"): ["", "true"],
    (CONTACT, "DoNotCall"): ["", "true"],
    (CONTACT, "bnb_set_slot"): ["", "4", "5", "8"],
    (CONTACT, ALIVE): ["yes", "no"],
    (DEAL, "dealstage"): ["presentation", "closedwon", "closedlost"],
    (COMPANY, "lifecyclestage"): ["lead", "customer"],
}
TABLES = [(CONTACT, "lifecyclestage"), (CONTACT, "hs_lead_status"), (CONTACT, "email")]
TABLES += [(DEAL, "dealstage")]

FIRST = Lookup(preset("hubspot"))
SECOND = Lookup(
    replace(
        FIRST.mapping,
        opt_out=(OptOutRow("DoNotCall", "true", "phone"),),
        slots=(
            SlotRow(Role.SUCCESS, company=frozenset({"customer"})),
            *FIRST.mapping.slots[:4],
        ),
    ),
    version=2,
)


def day(number: int) -> datetime:
    return datetime(2026, 5, number, tzinfo=UTC)


@st.composite
def facts(draw: st.DrawFn, fields: Sequence[tuple[RecordKey, str]]) -> Fact:
    record, field = draw(st.sampled_from(fields))
    return Fact(
        record,
        field,
        draw(st.sampled_from(VALUES[record, field])),
        day(draw(st.integers(1, 6))),
        event_id=draw(st.sampled_from("ab")),
        version=draw(st.sampled_from([1, 2])),
        ours=draw(st.booleans()),
        silent=draw(st.booleans()),
    )


@st.composite
def links(draw: st.DrawFn, peers: Sequence[RecordKey]) -> Link:
    when = day(draw(st.integers(1, 6)))
    peer, present = draw(st.sampled_from(peers)), draw(st.booleans())
    return Link(peer, CONTACT, present, when, event_id=draw(st.sampled_from("ab")))


def stored(fact: Fact) -> tuple[object, ...]:
    return fact.record, fact.field, *fact.stamp


def all_facts() -> st.SearchStrategy[list[Fact]]:
    return st.lists(facts(list(VALUES)), max_size=10, unique_by=stored)


def all_links() -> st.SearchStrategy[list[Link]]:
    return st.lists(
        links([DEAL, COMPANY]), max_size=4, unique_by=lambda link: (link.start, *link.stamp)
    )


def history(facts: Sequence[Fact], links: Sequence[Link]) -> History:
    peers = [
        Peer(
            record,
            [link for link in links if link.start == record],
            [fact for fact in facts if fact.record == record],
        )
        for record in (DEAL, COMPANY)
    ]
    return History(CONTACT, [fact for fact in facts if fact.record == CONTACT], peers)


LOOKUPS = {1: FIRST, 2: SECOND}


@given(all_facts(), all_links(), st.randoms(use_true_random=False))
def test_facts_in_any_order_and_doubled_say_the_same(
    facts: list[Fact], links: list[Link], chance: Random
) -> None:
    again = facts + [fact for fact in facts if chance.random() < 0.5]
    tied = links + [link for link in links if chance.random() < 0.5]
    chance.shuffle(again)
    chance.shuffle(tied)

    assert replay(history(again, tied), LOOKUPS) == replay(history(facts, links), LOOKUPS)


@given(all_facts(), all_links())
def test_every_step_of_a_record_has_a_name_of_its_own(facts: list[Fact], links: list[Link]) -> None:
    keys = [step.key for step in replay(history(facts, links), LOOKUPS)[1]]

    assert len(set(keys)) == len(keys)


@given(all_facts(), all_links())
def test_results_change_with_every_step(facts: list[Fact], links: list[Link]) -> None:
    saying, steps = replay(history(facts, links), LOOKUPS)

    slots = [None, *(step.slot for step in steps if step.kind in {Kind.RESULT, Kind.KNOWN})]
    assert all(one is not other for one, other in pairwise(slots))
    assert saying.slot is slots[-1]


@given(all_facts(), all_links())
def test_what_is_said_again_under_a_newer_mapping_makes_no_step(
    facts: list[Fact], links: list[Link]
) -> None:
    before, steps = replay(history(facts, links), LOOKUPS)
    again = [again_later(fact) for fact in before.held.values()]

    assert replay(history([*facts, *again], links), LOOKUPS) == (before, steps)


def again_later(fact: Fact) -> Fact:
    return replace(fact, when=day(20), event_id="again", version=2, ours=False)


@given(all_facts())
def test_what_we_wrote_is_never_a_records_step(facts: list[Fact]) -> None:
    own = [replace(fact, ours=True) for fact in facts]
    _, steps = replay(history(own, []), LOOKUPS)

    assert {step.kind for step in steps} <= {Kind.KNOWN, Kind.GONE, Kind.ALIVE}


MAPPED = {"", "NEW", "OPEN", "IN_PROGRESS", "CONNECTED"}
MEANS = {"subscriber": 3, "lead": 3, "salesqualifiedlead": 4, "opportunity": 4}
MEANS |= {"customer": 8, "evangelist": 8}
MQL_MEANS = {"": 6, "NEW": 6, "OPEN": 5, "IN_PROGRESS": 5, "CONNECTED": 4}


class ByHand:
    """DESIGN 4's preset tables read once more, naively: everything afresh for every day."""

    def __init__(self, facts: Sequence[Fact], links: Sequence[Link]) -> None:
        self.facts = sorted(facts, key=lambda fact: fact.when)
        self.links = sorted(links, key=lambda link: link.when)
        self.days = sorted({fact.when for fact in facts} | {link.when for link in links})
        self.steps: list[tuple[datetime, int]] = []
        mapped: int | None = None
        said: int | None = None
        for when in self.days:
            mapped = self.table(when) or mapped
            now = mapped or self.default(when)
            if now and now != said:
                self.steps.append((when, now))
            said = now

    def told(self, field: str, until: datetime) -> list[Fact]:
        return [fact for fact in self.facts if fact.field == field and fact.when <= until]

    def value(self, field: str, until: datetime) -> str:
        told = self.told(field, until)
        return told[-1].value if told else ""

    def deal(self, when: datetime) -> str:
        ties = [link.present for link in self.links if link.when <= when]
        return self.value("dealstage", when) if ties and ties[-1] else ""

    def default(self, when: datetime) -> int | None:
        emails = [fact.value for fact in self.told("email", when)]
        return (3 if any(emails) else 1) if emails else None

    def status(self, when: datetime) -> str:
        """Return the last mapped status that was held since the lifecycle stage last changed."""
        stages = self.told("lifecyclestage", when)
        before = [None, *(fact.value for fact in stages)]
        changes = [now.when for now, then in zip(stages, before, strict=False) if now.value != then]
        statuses = self.told("hs_lead_status", when)
        if changes:
            old = [fact for fact in statuses if fact.when <= changes[-1]]
            statuses = old[-1:] + [fact for fact in statuses if fact.when > changes[-1]]
        return next((fact.value for fact in reversed(statuses) if fact.value in MAPPED), "")

    def table(self, when: datetime) -> int | None:
        stage = self.value("lifecyclestage", when)
        if self.deal(when) == "closedwon":
            return 8
        if stage == "marketingqualifiedlead":
            return MQL_MEANS[self.status(when)]
        return MEANS.get(stage)

    def disposition(self) -> str | None:
        if not self.days:
            return None
        status = self.value("hs_lead_status", self.days[-1])
        lost = "lost" if self.deal(self.days[-1]) == "closedlost" else None
        return {"UNQUALIFIED": "unqualified", "Bad Timing": "bad_timing"}.get(status, lost)


@given(
    st.lists(facts(TABLES), max_size=12, unique_by=lambda fact: (fact.field, fact.when)),
    st.lists(links([DEAL]), max_size=3, unique_by=lambda link: link.when),
)
def test_the_preset_is_what_the_design_says(facts: list[Fact], links: list[Link]) -> None:
    same = [replace(fact, version=1) for fact in facts]
    saying, steps = replay(history(same, links), LOOKUPS)

    expected = ByHand(same, links)
    assert [(step.stamp.when, step.slot) for step in steps] == expected.steps
    assert saying.disposition == expected.disposition()
