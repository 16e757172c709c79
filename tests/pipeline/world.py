"""Makes up what happens in a CRM, and how its webhooks reach us."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from soak.oracle import Happened
from tests.pipeline.crm import Row
from tests.pipeline.house import House

PEOPLE = ("11", "12", "13")
DEALS = ("901", "902")
STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "customer", "other", "")
STATUSES = ("", "NEW", "OPEN", "CONNECTED", "UNQUALIFIED", "BAD_TIMING", "whatever")
DEAL_STAGES = ("appointment", "closedwon", "closedlost")

Deed = tuple[str, ...]
_person = st.sampled_from(PEOPLE)
_deal = st.sampled_from(DEALS)


def _set(name: str, values: tuple[str, ...]) -> st.SearchStrategy[Deed]:
    return st.tuples(st.just("set"), _person, st.just(name), st.sampled_from(values))


SETS = (
    _set("lifecyclestage", STAGES),
    _set("lifecyclestage", STAGES),
    _set("hs_lead_status", STATUSES),
)
ENDS = st.tuples(st.sampled_from(["delete", "restore"]), _person)
MERGES = st.tuples(st.just("merge"), _person, _person)
TIES = st.tuples(st.sampled_from(["tie", "tie", "untie"]), _deal, _person)
DEALINGS = st.tuples(st.just("stage"), _deal, st.sampled_from(DEAL_STAGES))
MOVING_IN = st.tuples(st.just("readdress"), _person)
OPT_OUTS = _set("hs_email_optout", ("true", "false"))
LEVERS = _set("bnb_set_slot", ("4", "6", "7", "8", "9"))
QUIET = st.one_of(*SETS, ENDS, MERGES, TIES, DEALINGS, MOVING_IN)
ALL = st.one_of(QUIET, OPT_OUTS, LEVERS)


class World:
    """A CRM's story, told to a house's CRM and to the oracle."""

    def __init__(self, house: House, shared: bool) -> None:  # noqa: FBT001
        self.house = house
        self.crm = house.crm
        self.story: list[Happened] = []
        for one in PEOPLE:
            self._tick()
            self.crm.create(one)
            self.set(one, "email", "one@x.io" if shared and one != "13" else f"own{one}@x.io")
        self.shared = shared

    def act(self, deed: Deed) -> None:
        self._tick()
        getattr(self, deed[0])(*deed[1:])

    def set(self, record: str, name: str, value: str) -> None:
        self._tick()
        if self._lives(record) and self.crm.value(record, name) != value:
            self.crm.edit(record, **{name: value})
            self._note("set", record, name, value)

    def readdress(self, record: str) -> None:
        if not (self.shared and record != "13"):
            self.set(record, "email", "one@x.io")

    def delete(self, record: str) -> None:
        if self._lives(record):
            self.crm.delete(record)
            self._note("gone", record)

    def restore(self, record: str) -> None:
        found = self.crm.records["contact", record]
        if found.deleted:
            self.crm.restore(record)
            self._note("back", record)

    def merge(self, loser: str, winner: str) -> None:
        if loser != winner and self._lives(loser) and self._lives(winner):
            self.crm.merge(loser, winner)
            self._note("merged", loser, value=winner)

    def stage(self, deal: str, value: str) -> None:
        self._know(deal)
        if self.crm.value(deal, "dealstage", "deal") != value:
            self.crm.edit(deal, "deal", dealstage=value)
            self._note("stage", deal, value=value)

    def tie(self, deal: str, record: str, *, present: bool = True) -> None:
        self._know(deal)
        if self._lives(record) and ((deal, record) in self.crm.tied) is not present:
            self.crm.tie(deal, record, present=present)
            self._note("tied" if present else "untied", record, value=deal)

    def untie(self, deal: str, record: str) -> None:
        self.tie(deal, record, present=False)

    def ended(self) -> list[Happened]:
        """Return the whole story; a tie that we read of counts since its deal is there."""
        read = [
            Happened(self.crm.records["deal", deal].created_at, "tied", record, value=deal)
            for deal, record in self.crm.tied
        ]
        return read + self.story

    def _know(self, deal: str) -> None:
        if ("deal", deal) not in self.crm.records:
            self.crm.create(deal, "deal")
            self._tick()

    def _lives(self, record: str) -> bool:
        found = self.crm.records["contact", record]
        return not found.deleted and not found.merged_into

    def _note(self, what: str, record: str, name: str = "", value: str = "") -> None:
        self.story.append(Happened(self.crm.now(), what, record, name, value))

    def _tick(self) -> None:
        self.house.clock.pass_(0.007)


@dataclass(frozen=True)
class Post:
    """One webhook request, and what the workers do after it."""

    rows: tuple[Row, ...]
    then: str


@st.composite
def posts(draw: st.DrawFn, rows: list[Row]) -> list[Post]:
    """Deliver rows in any order, some twice, in any number of requests."""
    order = draw(st.permutations(range(len(rows))))
    again = draw(st.lists(st.sampled_from(range(len(rows))), max_size=4)) if rows else []
    line = [rows[number] for number in order]
    line += [rows[number] | {"attemptNumber": 1} for number in again]
    made = []
    while line:
        size = draw(st.integers(1, len(line)))
        made.append(Post(tuple(line[:size]), draw(st.sampled_from(["", "drain", "run"]))))
        line = line[size:]
    return made


def deliver(house: House, line: list[Post]) -> None:
    for post in line:
        house.keep(list(post.rows))
        house.clock.pass_(0.5)
        if post.then == "drain":
            house.drain()
        elif post.then == "run":
            house.run()
    house.run()
