"""What people do all the time, in the CRM and over the API: a stream of deeds drawn from a seed.

Deeds are chosen by the seed and by what was chosen before, never by what the product answers.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from soak.oracle import Happened

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin
    from soak.installation import Installation

STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "marketingqualifiedlead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "other",
    "",
)
STATUSES = ("", "NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED", "BAD_TIMING")
DEAL_STAGES = ("appointmentscheduled", "closedwon", "closedlost", "qualifiedtobuy")
LEVER = ("4", "5", "6", "8")
GOALS = (3, 4, 5, 6, 8)
MOST_ALIVE = 120
TRIES = 3
OK, NOT_THERE, REFUSED, BUSY = 200, 404, 409, 503


@dataclass
class Contact:
    """What the workload knows of a contact that it made."""

    id: str
    state: str = "live"  # live, deleted, merged, erased
    out: bool = False
    simple: bool = True  # neither merged nor tied to a deal
    record: str = ""


@dataclass
class Asked:
    """A move by API: when it was asked for, and what became of it."""

    record: str
    goal: int
    mark: str
    at: datetime
    done: bool = False
    unsure: bool = False


@dataclass
class Workload:
    """The stream of deeds; `lock` keeps faults and deeds apart."""

    twin: Twin
    own: Installation
    seed: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    contacts: list[Contact] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    puts: list[Happened] = field(default_factory=list)
    out_since: dict[str, float] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    deeds: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"deeds {self.seed}")
        self._table: list[tuple[int, Callable[[], object]]] = [
            (8, self.create),
            (30, self.stage),
            (25, self.status),
            (5, self.rename),
            (2, self.readdress),
            (2, self.delete),
            (2, self.restore),
            (2, self.merge),
            (2, self.opt_out),
            (3, self.deal),
            (6, self.deal_stage),
            (2, self.company),
            (5, self.lever),
            (6, self.move),
            (3, self.move_and_undo),
            (1, self.erase),
        ]

    def act(self) -> None:
        """Do the next deed."""
        weights = [weight for weight, _ in self._table]
        with self.lock:
            deed = self.chance.choices([row[1] for row in self._table], weights)[0]
            deed()
            self.deeds += 1
            time.sleep(0.003)  # no two deeds in one millisecond

    # Who

    def live(self, *, may_be_out: bool = True) -> list[Contact]:
        """Return the contacts that are there."""
        found = [one for one in self.contacts if one.state == "live"]
        return [one for one in found if may_be_out or not one.out]

    def someone(self, *, may_be_out: bool = True) -> Contact | None:
        """Draw a contact that is there."""
        return self._draw(self.live(may_be_out=may_be_out))

    def _draw(self, some: list[Contact]) -> Contact | None:
        # Always one draw, so that a stream stays the same where a list is empty.
        place = self.chance.random()
        return some[int(place * len(some))] if some else None

    # What people do in the CRM

    def create(self) -> Contact:
        """Make a contact; once there are many, edit one."""
        if len(self.live()) >= MOST_ALIVE and self.chance.random() < 0.7:
            self.stage()
            return self.contacts[-1]
        email = f"p{len(self.contacts)}@soak{self.seed}.example"
        made = Contact(self.twin.edit("contacts", email=email))
        self.contacts.append(made)
        return made

    def _set(self, name: str, values: tuple[str, ...], *, may_be_out: bool = True) -> None:
        one, value = self.someone(may_be_out=may_be_out), self.chance.choice(values)
        if one is not None:
            self.twin.edit("contacts", one.id, **{name: value})

    def stage(self) -> None:
        """Set a lifecycle stage, in any direction."""
        self._set("lifecyclestage", STAGES)

    def status(self) -> None:
        """Set a lead status."""
        self._set("hs_lead_status", STATUSES)

    def rename(self) -> None:
        """Edit what moves nobody."""
        self._set("firstname", ("Ann", "Bob", "Cleo", "Dan"))

    def lever(self) -> None:
        """Pull the rep's lever."""
        self._set("bnb_set_slot", LEVER, may_be_out=False)

    def readdress(self) -> None:
        """Give a contact another address."""
        one, number = self.someone(may_be_out=False), self.chance.randrange(10**9)
        if one is not None:
            self.twin.edit("contacts", one.id, email=f"n{number}@soak{self.seed}.example")

    def delete(self) -> None:
        """Delete a contact."""
        one = self.someone()
        if one is not None:
            self.twin.delete("contacts", one.id)
            one.state = "deleted"

    def restore(self) -> None:
        """Restore a deleted contact."""
        one = self._draw([each for each in self.contacts if each.state == "deleted"])
        if one is not None:
            self.twin.restore("contacts", one.id)
            one.state = "live"

    def merge(self) -> None:
        """Merge two contacts."""
        one, other = self.someone(), self.someone()
        if one is not None and other is not None and one is not other:
            self.twin.merge("contacts", one.id, other.id)
            other.state, one.simple = "merged", False
            one.out = one.out or other.out

    def opt_out(self) -> None:
        """Have a person unsubscribe."""
        one = self.someone(may_be_out=False)
        if one is not None:
            self.unsubscribe(one)

    def unsubscribe(self, one: Contact) -> None:
        """Have this person unsubscribe."""
        self.twin.opt_out(str(self.twin.value("contacts", one.id, "email")))
        one.out = True
        self.out_since[one.id] = time.time()

    def deal(self) -> None:
        """Make a deal with a person or two on it."""
        some = {one.id: one for one in (self.someone(), self.someone()) if one is not None}
        if some:
            self.deals.append(self.twin.deal(list(some)))
            for one in some.values():
                one.simple = False

    def deal_stage(self) -> None:
        """Win, lose or reopen a deal."""
        place, stage = self.chance.random(), self.chance.choice(DEAL_STAGES)
        if self.deals:
            self.twin.edit("deals", self.deals[int(place * len(self.deals))], dealstage=stage)

    def company(self) -> None:
        """Make a company with somebody in it, or edit one: it moves nobody."""
        one, stage = self.someone(), self.chance.choice(STAGES[:8])
        if one is not None and len(self.companies) < 20:
            made = self.twin.edit("companies", name=f"Company {len(self.companies)}")
            self.companies.append(made)
            end = {"to_object": "companies", "to_id": made, "primary": True}
            self.twin.act("associate", {"object": "contacts", "id": one.id, **end})
        elif self.companies:
            place = int(self.chance.random() * len(self.companies))
            self.twin.edit("companies", self.companies[place], lifecyclestage=stage)

    def erase(self) -> None:
        """Delete somebody for privacy who is nobody else too."""
        one = self._draw([each for each in self.live() if each.simple])
        if one is not None:
            self.twin.erase(one.id)
            one.state = "erased"

    # What people do over the API

    def move(self) -> None:
        """Move somebody by API."""
        one, goal = self.someone(may_be_out=False), self.chance.choice(GOALS)
        if one is not None:
            self.put(one, goal)

    def put(self, one: Contact, goal: int) -> Asked | None:
        """Move this one; what got no clear answer is asked again, a few times."""
        profile = self._profile_of(one.id)
        if profile is None:
            return None
        asked = Asked(one.id, goal, f"soak-{len(self.asked)}", datetime.now(UTC))
        self.asked.append(asked)
        body = {"slot": goal, "reason": asked.mark}
        for _ in range(TRIES):
            reply = self.own.ask("POST", f"profiles/{profile}/move", body, timeout=6)
            status = 0 if reply is None else reply.status_code
            if reply is not None and status == OK:
                asked.done = asked.done or bool(reply.json()["moved"])
                break
            if status in {NOT_THERE, REFUSED}:
                break
            if status not in {0, BUSY}:
                self.odd.append(f"move answered {status}")
            # PostgreSQL may have committed what it was then too dead to say so of.
            asked.unsure = asked.unsure or status in {0, BUSY}
        asked.at = datetime.now(UTC)
        if asked.done:
            self.puts.append(Happened(asked.at, "put", one.id, value=str(goal)))
        return asked

    def move_and_undo(self) -> None:
        """Move somebody by API and take that back."""
        one, goal = self.someone(may_be_out=False), self.chance.choice(GOALS)
        asked = self.put(one, goal) if one is not None else None
        if one is None or asked is None or not asked.done or asked.unsure:
            return
        profile = self._profile_of(one.id)
        reply = self.own.ask("GET", f"profiles/{profile}/moves", query={"limit": "200"})
        rows = reply.json()["items"] if reply is not None and reply.ok else []
        made = next((row for row in rows if row["reason"] == asked.mark), None)
        if made is None or made["from"] is None:
            return
        self._undo(one, made)

    def _undo(self, one: Contact, made: dict[str, object]) -> None:
        back = Asked(one.id, int(str(made["from"])), "undo", datetime.now(UTC))
        reply = self.own.ask("POST", f"batches/{made['batch_id']}/undo", {}, timeout=6)
        back.at = datetime.now(UTC)
        if reply is None or reply.status_code == BUSY:
            back.unsure = True
            self.asked.append(back)
        elif reply.ok and reply.json()["moved"]:
            self.puts.append(Happened(back.at, "put", one.id, value=str(back.goal)))

    def _profile_of(self, record: str) -> str | None:
        query = {"record_id": record, "object": "contact"}
        reply = self.own.ask("GET", "profiles", query=query, timeout=6)
        rows = reply.json()["items"] if reply is not None and reply.ok else []
        return str(rows[0]["id"]) if rows else None
