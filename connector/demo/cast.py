"""Who is in the portal before the story begins, dated by a history of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connector.demo.http import Json
from connector.demo.twin import Twin

LEADS = (
    *("Ada", "Alan", "Amara", "Anna", "Bela", "Boris", "Carla", "Chen", "Dana", "Emil"),
    *("Erin", "Farid", "Gita", "Hana", "Igor", "Ines", "Jonas", "Kaya", "Leon", "Lina"),
    *("Maya", "Nils", "Olga", "Omar", "Pia", "Ravi", "Rosa", "Sami"),
)
MQLS = ("Tara", "Theo", "Uma", "Vera")
SALS = ("Viktor", "Wanda")
SQLS = ("Xenia", "Yara", "Yusuf")
GUESTS = tuple(f"Guest{number:02}" for number in range(28))
CUSTOMER, WINNER, GONE = "Zoe", "Zora", "Zeno"

# Since when somebody was what, in the CRM's own history.
LEAD_SINCE, MQL_SINCE, CUSTOMER_SINCE = "2026-02-02", "2026-03-03", "2026-04-04"
WON_ON = "2026-05-05"
_SINCE: Mapping[str, str] = {
    "lead": LEAD_SINCE,
    "marketingqualifiedlead": MQL_SINCE,
    "salesqualifiedlead": MQL_SINCE,
    "customer": CUSTOMER_SINCE,
}


@dataclass(frozen=True, slots=True)
class Person:
    """A contact in HubSpot."""

    name: str
    id: str
    slot: int

    @property
    def email(self) -> str:
        """The address."""
        return _email(self.name)


@dataclass(slots=True)
class Cast:
    """Everyone; each lead plays once."""

    people: Mapping[str, Person]
    _leads: Iterator[str] = field(default_factory=lambda: iter(LEADS))

    def lead(self) -> Person:
        """Return a lead who has not played yet."""
        return self.people[next(self._leads)]

    def slots(self) -> str:
        """Say how many stand in which slot at the beginning."""
        return count(str(person.slot) for person in self.people.values())


def count(slots: Iterator[str]) -> str:
    """Say how many there are of each slot."""
    found = Counter(slots)
    return ", ".join(
        f"{number} in {slot or 'none'}" for slot, number in sorted(found.items(), key=_by_slot)
    )


def _by_slot(item: tuple[str, int]) -> tuple[int, str]:
    return len(item[0]), item[0]


def seed(twin: Twin) -> Cast:
    """Fill the portal as one that has been in use for months."""
    rows = list(_rows())
    ids = twin.seed("contacts", [record for _, _, record in rows])
    people = {name: Person(name, own, slot) for own, (name, slot, _) in zip(ids, rows, strict=True)}
    twin.seed("deals", [_won_deal(people[WINNER].id)])
    twin.opt_out(people[GONE].email)
    return Cast(people)


def _rows() -> Iterator[tuple[str, int, Json]]:
    mql = "marketingqualifiedlead"
    yield from ((name, 3, _record(name, "lead")) for name in LEADS)
    yield from ((name, 6, _record(name, "lead", mql)) for name in MQLS)
    yield from ((name, 5, _record(name, "lead", mql, hs_lead_status="OPEN")) for name in SALS)
    yield from ((name, 4, _record(name, "lead", "salesqualifiedlead")) for name in SQLS)
    yield from ((name, 3, _record(name, "lead")) for name in GUESTS)
    yield CUSTOMER, 8, _record(CUSTOMER, "lead", mql, "customer")
    yield WINNER, 8, _record(WINNER, "lead")
    yield GONE, 10, _record(GONE, "lead")


def _record(name: str, *stages: str, **values: str) -> Json:
    past = [{"value": stage, "at": f"{_SINCE[stage]}T12:00:00Z"} for stage in stages]
    return {
        "properties": {"email": _email(name), "firstname": name, **values},
        "history": {"lifecyclestage": past},
        "created_at": f"{LEAD_SINCE}T12:00:00Z",
    }


def _won_deal(contact_id: str) -> Json:
    won = {"value": "closedwon", "at": f"{WON_ON}T12:00:00Z"}
    return {
        "properties": {"dealname": "Renewal", "closedate": f"{WON_ON}T12:00:00Z"},
        "history": {"dealstage": [won]},
        "created_at": f"{MQL_SINCE}T12:00:00Z",
        "contacts": [contact_id],
    }


def _email(name: str) -> str:
    return f"{name.lower()}@customers.example"
