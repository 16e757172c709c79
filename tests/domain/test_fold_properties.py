"""What holds for any steps whatever, and a second reading of DESIGN 3 to compare the fold with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.facts import ConnectionId, RecordKey, Stamp
from connector.domain.slots import LAYOUTS, Funnel, Pipeline, Slot
from connector.domain.steps import Actor, Kind, Step, fold

RECORDS = [RecordKey(ConnectionId("crm"), "contact", number) for number in ("1", "2")]
SAID = [1, 3, 4, 5, 6, 7, 8, 9]  # what a record's words may mean; 1: neither a row nor an e-mail
# Identity captured, reward shown or gone, recycled: what the system does by itself.
WAYS = [(None, 1), (None, 2), (1, 2), (1, 3), (2, 1), (2, 3), (4, 3), (5, 3), (6, 3)]
OF_A_RECORD = [Kind.RESULT, Kind.KNOWN, Kind.ALIVE, Kind.GONE]


@st.composite
def step(draw: st.DrawFn, funnel: Funnel) -> Step:
    kind = draw(st.sampled_from([*Kind, Kind.RESULT, Kind.RESULT, Kind.PUT, Kind.RAISE]))
    start, goal = draw(st.sampled_from(WAYS))
    if kind in {Kind.RESULT, Kind.KNOWN}:
        goal = draw(st.sampled_from(SAID))
    if kind is Kind.PUT:
        goal = draw(st.integers(3, 10))
    if kind is Kind.RAISE:
        goal = draw(st.integers(1, 10))
    when = datetime(2026, 5, draw(st.integers(1, 6)), tzinfo=UTC)
    return Step(
        kind,
        Stamp(when, draw(st.sampled_from("ab"))),
        key="",
        actor=Actor.SYSTEM,
        funnel=funnel,
        slot=Slot(goal),
        start=None if start is None else Slot(start),
        record=draw(st.sampled_from(RECORDS)) if kind in OF_A_RECORD else None,
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    funnel = draw(st.sampled_from([Pipeline(layout).funnel for layout in LAYOUTS]))
    steps = draw(st.lists(step(funnel), max_size=10))
    return [_named(step, str(place)) for place, step in enumerate(steps)]


def _named(step: Step, key: str) -> Step:
    return Step(
        step.kind, step.stamp, key, step.actor, step.funnel, step.slot, step.start, step.record
    )


def in_line(step: Step) -> tuple[object, ...]:
    """Return the order of reading: the time, whoever is gone first, then the event's id."""
    return step.stamp.when, step.kind is not Kind.GONE, step.stamp.event_id, step.key


class ByHand:
    """DESIGN 3 read once more, naively and in numbers."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.place: int | None = None  # the slot, were there no opt-outs
        self.out = False
        self.success: datetime | None = None
        self.says: dict[RecordKey | None, int] = {}
        self.deleted: set[RecordKey | None] = set()
        self.moves: list[tuple[int, str]] = []
        for step in sorted(steps, key=in_line):
            self.order = [slot.value for slot in step.funnel]
            self.read(step)

    @property
    def slot(self) -> int | None:
        return 10 if self.out else self.place

    def further(self, one: int, other: int | None) -> bool:
        return other is None or self.order.index(one) > self.order.index(other)

    def read(self, step: Step) -> None:
        place, slot = self.place, self.slot
        won = self.record(step) if step.kind in OF_A_RECORD else self.anyone(step)
        if won or (self.place == 8 and place != 8):
            self.success = self.success or step.stamp.when
        if place == 8 and self.place != 8 and self.further(8, self.place):
            self.success = None
        if self.slot != slot and self.slot is not None:
            self.moves.append((self.slot, step.key))

    def record(self, step: Step) -> bool:
        if step.kind in {Kind.GONE, Kind.ALIVE}:
            (self.deleted.add if step.kind is Kind.GONE else self.deleted.discard)(step.record)
            return False
        said, goal = self.says.get(step.record), int(step.slot or 0)
        self.says[step.record] = goal
        if step.kind is Kind.KNOWN or said == goal:
            return False
        rivals = [] if self.place is None else [self.place]
        if said is not None and self.further(said, goal):
            living = self.says.keys() - self.deleted - {step.record}
            rivals = [self.says[record] for record in living]
        self.place = max([goal, *rivals], key=self.order.index)
        return goal == 8

    def anyone(self, step: Step) -> bool:
        goal, start = int(step.slot or 0), step.start and int(step.start)
        if step.kind is Kind.OPT_OUT or (step.kind is Kind.PUT and goal == 10):
            self.out = True
        elif step.kind is Kind.RECONSENT:
            self.place, self.out = (self.place or 3) if self.out else self.place, False
        elif step.kind is Kind.PUT or (step.kind is Kind.SHIFT and self.place == start):
            self.place = goal
        elif step.kind is Kind.RAISE and self.place in {3, 4, 5, 6, 7} and goal in {4, 5, 6, 7}:
            self.place = goal if self.further(goal, self.place) else self.place
        return False


@given(stories())
def test_the_fold_is_what_the_design_says(steps: list[Step]) -> None:
    story = fold(steps)

    expected = ByHand(steps)
    assert (story.standing.slot, story.standing.success_at) == (expected.slot, expected.success)
    assert [(move.goal, move.step.key) for move in story.moves] == expected.moves


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_learning_does_not_matter(steps: list[Step], chance: Random) -> None:
    shuffled = list(steps)
    chance.shuffle(shuffled)

    assert fold(shuffled) == fold(steps)


@given(stories(), st.randoms(use_true_random=False))
def test_a_step_learned_twice_counts_once(steps: list[Step], chance: Random) -> None:
    doubled = steps + [step for step in steps if chance.random() < 0.5]

    assert fold(doubled) == fold(steps)


@given(stories())
def test_nothing_but_re_consent_leads_out_of_10(steps: list[Step]) -> None:
    ways_out = [move.step.kind for move in fold(steps).moves if move.start is Slot.DO_NOT_CONTACT]

    assert set(ways_out) <= {Kind.RECONSENT}


@given(stories())
def test_a_rule_only_ever_climbs_among_3_to_7(steps: list[Step]) -> None:
    for move in fold(steps).moves:
        if move.step.kind is Kind.RAISE:
            funnel = move.step.funnel
            assert move.start in {3, 4, 5, 6, 7}
            assert move.goal in {4, 5, 6, 7}
            assert funnel.index(move.goal) > funnel.index(move.start or Slot.ANONYMOUS)


@given(stories())
def test_moves_form_a_chain_in_order_of_time(steps: list[Step]) -> None:
    story = fold(steps)

    starts = [None, *(move.goal for move in story.moves)]
    assert [move.start for move in story.moves] == starts[:-1]
    assert story.standing.slot is starts[-1]
    times = [move.when for move in story.moves]
    assert times == sorted(times)


@given(stories())
def test_no_move_leads_to_where_the_profile_is(steps: list[Step]) -> None:
    assert all(move.start is not move.goal for move in fold(steps).moves)


@given(stories())
def test_deletion_and_our_own_writes_move_nobody(steps: list[Step]) -> None:
    kinds = {move.step.kind for move in fold(steps).moves}

    assert not kinds & {Kind.KNOWN, Kind.GONE, Kind.ALIVE}


@given(stories())
def test_whoever_opts_out_last_is_in_10(steps: list[Step]) -> None:
    end = max((step.stamp.when for step in steps), default=datetime(2026, 5, 1, tzinfo=UTC))
    stamp = Stamp(end + timedelta(days=1))
    last = Step(Kind.OPT_OUT, stamp, "last", Actor.CRM, Pipeline().funnel)

    assert fold([*steps, last]).standing.slot is Slot.DO_NOT_CONTACT
