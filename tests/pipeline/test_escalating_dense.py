"""Rules against the oracle where everything is close together, so that they fire all the time.

Events come late, twice and in the middle of a crash; a second worker takes the lease away; people
are sent back, won, brought back by an undo, and found to be one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import LeaseLost
from connector.domain.facts import ProfileId
from connector.pipeline.escalating import on_score
from connector.pipeline.scene import Scene
from connector.pipeline.undoing import undo
from connector.store import rules as r
from tests.pipeline.acts import steal
from tests.pipeline.house import ACCOUNT, House, quick_house
from tests.pipeline.law import HOUR, RANK, Heard, Law, Oracle
from tests.pipeline.ruling import Crashed, Did, Ruling

PEOPLE = {"ann": 3, "bob": 3}
REST = 2 * HOUR
WON = 8
PAGES = ("pricing", "pricing", "pricing", "docs")


@dataclass(frozen=True)
class Turn:
    """What visitors do, how the work on it ends the first time, and what people do then."""

    seen: Sequence[tuple[str, int, str]]
    end: str
    then: str
    hours: int


laws = st.builds(
    Law,
    st.just("rul_a"),
    *(st.just("pricing"), st.sampled_from([6, 6, 5, 4]), st.sampled_from(PAGES)),
    *(st.sampled_from([2, 4]), st.sampled_from([0, 0, 1, 2]), st.sampled_from([0, 2, 3, 6])),
    *(st.sampled_from([False] * 5 + [True]), st.sampled_from([None, None, None, 2, 3])),
)
seen = st.tuples(
    st.sampled_from(["ann", "ann", "bob"]), st.sampled_from([0, 0, 1, 2, 5]), st.sampled_from(PAGES)
)
turns = st.builds(
    Turn,
    st.lists(seen, min_size=1, max_size=4),
    st.sampled_from(["", "", "crash", "stolen"]),
    st.sampled_from([*["undo"] * 8, "", "back", "forward", "win", "rewrite"]),
    st.sampled_from([0, 0, 1, 2]),
)


class Play:
    """A house and the oracle, told the same."""

    def __init__(self, house: House, own: Sequence[Law]) -> None:
        self.house = house
        self.ruling = Ruling(house)
        self.oracle = Oracle(PEOPLE, REST)
        self.sent: list[Did] = []
        self.apart = True
        for one, slot in PEOPLE.items():
            self.ruling.person(one, slot)
        house.clock.pass_(48 * HOUR.total_seconds())
        for law in own:
            self.write(law)

    def write(self, law: Law) -> None:
        self.house.clock.pass_()
        self.ruling.rule(law.id, **law.document())
        self.oracle.laws[law.id] = replace(law, since=self.house.clock.now())

    def take(self, turn: Turn, joins: tuple[str, str] | None = None) -> None:
        self.house.clock.pass_(60 + turn.hours * HOUR.total_seconds())
        batch = [self.did(*one) for one in turn.seen]
        self.send(batch, turn.end, joins)
        if joins:
            self.oracle.merge(*joins)
        self.sent += batch
        self.oracle.hear([self.heard(one) for one in batch])
        self.agree()
        getattr(self, turn.then or "nothing")()
        self.agree()

    def did(self, who: str, lag: int, page: str) -> Did:
        living = who if self.apart else "ann"
        number = len(self.sent) + 1
        self.house.clock.pass_()
        at = self.house.clock.now() - lag * HOUR
        url = f"https://example.com/{page}?n={number}"
        return Did(living, f"evt-{self.house.clock.now().timestamp():.3f}", at, url=url)

    def heard(self, one: Did) -> Heard:
        page = "pricing" if "/pricing" in one.url else "docs"
        number = self.ruling.number(one.key)
        return Heard(one.profile_id, one.at, number, page, one.silent, self.house.clock.now())

    def send(self, batch: Sequence[Did], end: str, joins: tuple[str, str] | None) -> None:
        """Have a batch worked off, with some of what came before once more."""
        if end == "crash":
            with suppress(Crashed):
                self.ruling.happen(*batch, crash=True, joins=joins)
        if end == "stolen":
            with suppress(LeaseLost):
                self.ruling.happen(*batch, between=lambda: self.another(batch, joins), joins=joins)
        self.ruling.happen(*batch, *self.sent[-3:], joins=joins if end != "stolen" else None)

    def another(self, batch: Sequence[Did], joins: tuple[str, str] | None) -> None:
        steal(self.house)
        self.ruling.happen(*batch, joins=joins)

    def nothing(self) -> None:
        """Leave people where they are."""

    def undo(self) -> None:
        """Take back what was done last, by rules or by hand; that mutes no rule."""
        newest = {one: self.house.ledger(one)[-1] for one in self.oracle.steps}
        taken = [own for own in newest.values() if own.actor == "rule" or own.goal in {5, WON}]
        taken = [own for own in taken if own.reason != "undo"]
        for batch_id in sorted({own.batch_id for own in taken}):
            self.house.clock.pass_()
            undo(self.house.services, ACCOUNT, batch_id, dry_run=False)
            for one, own in newest.items():
                if own.batch_id == batch_id:
                    assert own.start is not None
                    self.oracle.put(one, own.start, self.house.clock.now(), "undo")

    def back(self) -> None:
        self.move("ann", 3)

    def forward(self) -> None:
        self.move("ann", 5)

    def win(self) -> None:
        self.move("ann", WON)

    def move(self, who: str, slot: int) -> None:
        if self.oracle.slot(who) != slot:
            self.house.clock.pass_()
            self.house.move(who, slot)
            self.oracle.put(who, slot, self.house.clock.now())

    def rewrite(self) -> None:
        """Save a rule again: a new version, whose moves so far still count."""
        self.write(next(iter(self.oracle.laws.values())))

    def agree(self) -> None:
        """Say where the house and the oracle differ, and hold what must be true of both."""
        for one in self.oracle.steps:
            mine = sorted((law, at) for law, who, at in self.oracle.fired if who == one)
            assert self.ruling.firings(one) == mine
            assert self.ruling.slot(one) == self.oracle.slot(one)
            for start, goal, actor in self.ruling.moves(one):
                if actor == "rule":
                    assert start in range(3, 8)
                    assert goal in range(4, 8)
                    assert RANK[goal] > RANK[start]


@given(laws, laws, st.lists(turns, min_size=4, max_size=9), st.integers(0, 12))
def test_rules_decide_as_the_oracle_does_however_close_things_come(
    one: Law, other: Law, line: list[Turn], joined_at: int
) -> None:
    with quick_house(rules_rest=REST) as house:
        play = Play(house, [one, replace(other, id="rul_b")])

        for number, turn in enumerate(line):
            play.apart = number < joined_at
            play.take(turn, ("bob", "ann") if number == joined_at else None)


scores = st.lists(st.sampled_from([None, 4, 5, 6, 7, 8, 9]), min_size=3, max_size=12)


@given(scores, st.sampled_from([6, 7, 8]), st.booleans())
def test_a_score_that_crosses_counts_again_only_after_it_fell_far_enough(
    told: list[int | None],
    value: int,
    stolen: bool,  # noqa: FBT001
) -> None:
    with quick_house() as house:
        ruling = Ruling(house)
        ruling.person("ann")
        ruling.rule("rul_a", trigger={"score_crosses": value}, cooldown="0m")
        armed, before, fired = True, None, 0
        for after in told:
            armed = armed or after is None or after < value - 1
            rose = after is not None and after >= value and (before is None or before < value)
            fired += armed and rose and before is not None  # a first score crosses nothing
            armed = armed and not rose

            _score(house, ruling, before, after, stolen=stolen)

            assert len(ruling.firings("ann")) == fired
            before = after
            if house.ledger("ann")[-1].actor == "rule":
                undo(house.services, ACCOUNT, house.ledger("ann")[-1].batch_id, dry_run=False)


def _score(
    house: House, ruling: Ruling, before: int | None, after: int | None, *, stolen: bool
) -> None:
    """Have a score told, by two workers if the lease of the first is stolen."""

    def tell(scene: Scene) -> None:
        with house.store.reading() as unit:
            on_score(house.services, unit, scene, {ProfileId("ann"): (before, after)})

    def robbed(scene: Scene) -> None:
        tell(scene)
        steal(house)

    house.clock.pass_(60)
    if stolen:
        with suppress(LeaseLost):
            ruling.turn(["ann"], robbed)
    ruling.turn(["ann"], tell)


def test_a_play_sees_many_firings() -> None:
    """What is only counted where it never happens is not tested."""
    law = Law("rul_a", "pricing", 6, "pricing", 4, 2, 3, False, None)
    line = [Turn([("ann", 0, "pricing"), ("bob", 1, "pricing")], "", "undo", 3)] * 6

    with quick_house(rules_rest=REST) as house:
        play = Play(house, [law])
        for turn in line:
            play.take(turn)

        assert len(house.rows(r.firing)) >= 8
