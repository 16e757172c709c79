"""What the product says of visitors, held against what their events foretell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from soak.journeys import LAWS, Foretold, Person, foretell, is_forward, names, people, when

if TYPE_CHECKING:
    from soak.installation import Installation

Json = dict[str, Any]
Mark = tuple[str, datetime]
RULES = frozenset(law.name for law in LAWS)


@dataclass
class Visited:
    """What differs; all empty is good. `moves` counts those of rules."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    people: int = 0
    out: int = 0
    erased: int = 0
    moves: int = 0

    @property
    def is_good(self) -> bool:
        """Say whether nothing differs."""
        return not (self.lost or self.doubled or self.diverged)


def visit(own: Installation, acked: Sequence[Json]) -> Visited:
    """Compare every visitor: whose a journey is, what is in it, the slot, every move."""
    verdict = Visited()
    owners: dict[str, Person] = {}
    for person in people(acked):
        verdict.people += 1
        verdict.erased += person.erased
        verdict.out += person.out and not person.erased
        found = {row["id"]: row for row in _found(own, person)}
        faults = _whose(person, sorted(found), owners)
        verdict.diverged += [f"{_name(person)}: {fault}" for fault in faults]
        verdict.details += _told(person, []) if faults else []
        if len(found) == 1 and not faults:
            _one(own, person, next(iter(found.values())), verdict)
    verdict.doubled += fired_too_often(own)
    return verdict


def _whose(person: Person, found: Sequence[str], owners: dict[str, Person]) -> list[str]:
    """Return what is wrong with the profiles that a visitor's names lead to."""
    if person.erased:
        return [f"erased, but still shown: {one}" for one in found]
    if len(found) != 1:
        return [f"one visitor, profiles {found}"]
    other = owners.setdefault(found[0], person)
    return [] if other is person else [f"shares {found[0]} with {_name(other)}"]


def _found(own: Installation, person: Person) -> Iterator[Json]:
    for kind, name in sorted(person.names):
        if kind != "user_id":  # the API finds nobody by it
            yield from own.items("profiles", **{kind: name})


def _one(own: Installation, person: Person, profile: Json, verdict: Visited) -> None:
    moves = list(own.items(f"profiles/{profile['id']}/moves"))
    shown = own.items(f"profiles/{profile['id']}/journey")
    told = foretell(person)
    verdict.moves += sum(row["actor"] == "rule" for row in moves)
    lost, doubled = difference(person.events, shown)
    faults = slot_faults(profile, moves, told)
    verdict.lost += [f"{_name(person)}: {what}" for what in lost]
    verdict.doubled += [f"{_name(person)}: {what}" for what in doubled + move_faults(moves, told)]
    verdict.diverged += [f"{_name(person)}: {what}" for what in faults]
    if lost or doubled or faults or move_faults(moves, told):
        verdict.details += _told(person, moves)


def _told(person: Person, moves: Sequence[Json]) -> list[str]:
    """Tell a visitor's story as both sides know it, for whoever looks for the cause."""
    story = [
        f"  {one['occurred_at']} {one['type']} {one['visitor']} {one.get('page', '')}"
        for one in person.events
    ]
    rows = [f"  {row['occurred_at']} {row['from']} -> {row['to']} {row['reason']}" for row in moves]
    return [f"{_name(person)}, in order of arrival:", *story, "moves:", *rows]


def difference(events: Iterable[Json], shown: Iterable[Json]) -> tuple[list[str], list[str]]:
    """Return which events are missing, and which are there too often or never happened."""
    wanted = Counter(map(_mark, events))
    found = Counter((row["type"], datetime.fromisoformat(row["occurred_at"])) for row in shown)
    lost = [f"{what} of {at}: {n} missing" for (what, at), n in (wanted - found).items()]
    doubled = [f"{what} of {at}: {n} too many" for (what, at), n in (found - wanted).items()]
    return lost, doubled


def slot_faults(profile: Json, moves: Sequence[Json], told: Foretold) -> list[str]:
    """Compare where somebody stands and came by without rules with what was foretold."""
    faults = []
    if profile["slot"] not in told.slots:
        faults.append(f"slot {profile['slot']} instead of {sorted(told.slots)}")
    goals = [row["to"] for row in moves if row["actor"] != "rule"]
    if goals != list(told.goals):
        faults.append(f"came to {goals} instead of {list(told.goals)}")
    return faults


def move_faults(moves: Sequence[Json], told: Foretold) -> list[str]:
    """Return what no ledger may hold: a broken chain, a rule's move twice, back, or after a no."""
    faults = []
    starts, goals = [row["from"] for row in moves], [row["to"] for row in moves]
    if starts != [None, *goals[:-1]]:
        faults.append(f"the ledger is no chain: {list(zip(starts, goals, strict=True))}")
    if 10 in goals[:-1]:
        faults.append(f"moved after the opt-out: {goals}")
    by_rule = [row for row in moves if row["actor"] == "rule"]
    for row in by_rule:
        way = f"{row['from']} -> {row['to']} by {row['reason']}"
        if not is_forward(row["from"], row["to"]):
            faults.append(f"a rule moved {way}")
        if row["reason"] not in told.possible:
            faults.append(f"nothing set off {way}")
    number = Counter(row["reason"] for row in by_rule)
    return faults + [f"{n} moves by {name}" for name, n in number.items() if n > 1]


def fired_too_often(own: Installation) -> list[str]:
    """Return who was moved by one rule more than once, by what the rule itself decided."""
    faults = []
    for rule in [row for row in own.items("rules") if row["name"] in RULES]:
        decided = own.items(f"rules/{rule['id']}/decisions")
        number = Counter(row["profile_id"] for row in decided if row["moved"])
        faults += [f"{who}: {n} decisions of {rule['name']}" for who, n in number.items() if n > 1]
    return faults


def missing(own: Installation, acked: Sequence[Json], told: Sequence[Json]) -> list[str]:
    """Return which events are not in the inbox, whosever they are.

    `told` may know of somebody's wish to be forgotten that nobody has acknowledged yet.
    """
    gone = {name for person in people(told) if person.erased for name in person.names}
    spared = [one for one in acked if not gone.intersection(names(one))]
    rows = [
        {"type": row["happening"], "occurred_at": row["occurred_at"]}
        for state in ("done", "pending", "parked")
        for row in own.items("inbox", state=state)
        if row["kind"] == "journey"
    ]
    return difference(spared, rows)[0]


def _mark(event: Json) -> Mark:
    return event["type"], when(event)


def _name(person: Person) -> str:
    known = dict(sorted(person.names))
    return known.get("email") or str(known.get("device_id"))
