"""Rules against an oracle that knows no window, no index and no cache, only loops over it all."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connector.pipeline.undoing import undo
from connector.store import rules as r
from tests.pipeline.house import ACCOUNT, quick_house
from tests.pipeline.law import DAY, HOUR, RANK, Heard, Law, Oracle
from tests.pipeline.ruling import Crashed, Did, Ruling

PEOPLE = {"ann": 3, "bob": 3, "eve": 1}
PAGES = ("pricing", "pricing", "docs")
person = st.sampled_from(["ann", "ann", "bob", "eve"])
lags = st.sampled_from([0, 0, 1, 2, 3, 20, 47, 49])  # hours

laws = st.builds(
    Law,
    st.sampled_from(["rul_a", "rul_b", "rul_c"]),
    *(st.sampled_from(PAGES), st.sampled_from([4, 5, 6, 7]), st.sampled_from(PAGES)),
    *(st.sampled_from([24, 200]), st.sampled_from([0, 1, 2, 2]), st.sampled_from([0, 5, 72])),
    *(st.sampled_from([False, False, True]), st.sampled_from([None, None, 1])),
)


class Judged(RuleBasedStateMachine):
    """Three visitors, up to three rules, and whatever a network and an admin do."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = ExitStack()
        self.house = self.rooms.enter_context(quick_house())
        self.ruling = Ruling(self.house)
        self.oracle = Oracle(PEOPLE)
        self.numbers = 0
        self.sent: list[Did] = []
        for one, slot in PEOPLE.items():
            self.ruling.person(one, slot)
        self.house.clock.pass_(3 * DAY.total_seconds())

    def teardown(self) -> None:
        self.rooms.close()

    @initialize(some=st.lists(laws, min_size=2, max_size=3))
    def an_admin_begins(self, some: list[Law]) -> None:
        for law in some:
            self.an_admin_writes_a_rule(law)

    @rule(law=laws)
    def an_admin_writes_a_rule(self, law: Law) -> None:
        self.house.clock.pass_()
        self.ruling.rule(law.id, **law.document())
        own = {**law.__dict__, "since": self.house.clock.now()}
        self.oracle.laws[law.id] = Law(**own)

    @rule(
        seen=st.lists(
            st.tuples(person, lags, st.sampled_from(PAGES), st.integers(0, 9)),
            min_size=5,
            max_size=14,
        ),
        crashes=st.integers(0, 2),
    )
    def visitors_look_at_pages(self, seen: list[tuple[str, int, str, int]], crashes: int) -> None:
        self.house.clock.pass_(60)
        batch = [self.did(*one) for one in seen]
        self.send(batch, crashes)
        self.sent += batch
        self.oracle.hear([self.heard(one) for one in batch])

    def did(self, who: str, lag: int, page: str, dice: int) -> Did:
        self.numbers += 1
        at = self.house.clock.now() - lag * HOUR + self.numbers * timedelta(milliseconds=1)
        url = f"https://example.com/{page}?n={self.numbers}"
        return Did(who, f"evt-{self.numbers:05}", at, url=url, silent=dice == 0)

    def heard(self, one: Did) -> Heard:
        page = "pricing" if "/pricing" in one.url else "docs"
        number = int(one.key[4:])
        return Heard(one.profile_id, one.at, number, page, one.silent, self.house.clock.now())

    def send(self, batch: list[Did], crashes: int) -> None:
        for _ in range(crashes):
            try:
                self.ruling.happen(*batch, crash=True)
            except Crashed:
                continue
        self.ruling.happen(*batch, *self.sent[-2:])

    @rule()
    def the_network_says_it_all_again(self) -> None:
        self.ruling.happen(*self.sent)

    @rule(who=person, slot=st.sampled_from([3, 5, 6, 8, 10]), dice=st.integers(0, 3))
    def a_person_moves_somebody(self, who: str, slot: int, dice: int) -> None:
        if dice == 0 and self.oracle.slot(who) not in {10, slot}:
            self.house.clock.pass_(60)
            self.house.move(who, slot)
            self.oracle.put(who, slot, self.house.clock.now())

    @rule(who=person)
    def an_admin_undoes_what_a_rule_did(self, who: str) -> None:
        """Undo mutes no rule, so that only the cool-down keeps it from firing again."""
        newest = {one: self.house.ledger(one)[-1] for one in PEOPLE}
        if newest[who].actor != "rule":
            return
        batch_id = newest[who].batch_id
        back = [one for one, move in newest.items() if move.batch_id == batch_id]
        undo(self.house.services, ACCOUNT, batch_id, dry_run=False)
        for one in back:
            _, start, _, _ = self.oracle.moves(one)[-1]
            assert start is not None
            self.oracle.put(one, start, self.house.clock.now(), "undo")

    @rule(days=st.sampled_from([1, 3, 31]))
    def time_passes(self, days: int) -> None:
        self.house.clock.pass_(days * DAY.total_seconds())

    @invariant()
    def the_oracle_agrees(self) -> None:
        for one in PEOPLE:
            assert self.ruling.slot(one) == self.oracle.slot(one)
            mine = sorted((law, at) for law, who, at in self.oracle.fired if who == one)
            assert self.ruling.firings(one) == mine

    @invariant()
    def rules_only_climb_and_leave_8_to_10_alone(self) -> None:
        for one in PEOPLE:
            for start, goal, actor in self.ruling.moves(one):
                if actor == "rule":
                    assert start in range(3, 8)
                    assert goal in range(4, 8)
                    assert RANK[goal] > RANK[start]

    @invariant()
    def no_rule_fires_twice_within_its_cooldown(self) -> None:
        rests = {
            (row.id, row.version): int(row.document["cooldown"][:-1])
            * (DAY if row.document["cooldown"].endswith("d") else HOUR)
            if row.document["cooldown"] != "0m"
            else timedelta()
            for row in self.house.rows(r.rule)
        }
        done: dict[tuple[str, str], list[datetime]] = {}
        for row in sorted(self.house.rows(r.firing), key=lambda row: row.id):
            before = done.setdefault((row.rule_id, row.profile_id), [])
            rest = rests[row.rule_id, row.version]
            assert all(abs(row.at - other) >= rest for other in before)
            before.append(row.at)


TestJudged = Judged.TestCase
TestJudged.settings = settings(
    max_examples=settings().max_examples // 3, stateful_step_count=15, deadline=None
)
