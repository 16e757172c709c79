"""A second account, whose hand-off to sales is switched on: a few leads, their reps, their website.

It has a portal of its own, so that the first one's story stays free of what a hand-off writes.
"""

from __future__ import annotations

import copy
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simulators.hubspot.testing import Twin
from soak.journeys import Law

if TYPE_CHECKING:
    from soak.installation import Installation
    from soak.site import Site

Json = dict[str, Any]
PORTAL, APP = 4343, 1001
SECRET = "soak-sales-secret"
OWNERS = ("501", "502", "503")
LAW = Law("soak leads", "page_view", 6, url="/pricing", at_least=2)
MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
NEW, CONNECTED = "NEW", "CONNECTED"
ANSWERS = (CONNECTED, CONNECTED, "OPEN", "IN_PROGRESS")
MOST_LEADS = 40
HANDOFF = {
    "assign_owner": {"enabled": True, "owners": list(OWNERS)},
    "reset_status": {"enabled": True, "value": NEW},
    "create_deal": {
        "enabled": True,
        "status": [CONNECTED],
        "pipeline": "default",
        "stage": "appointmentscheduled",
        "name": "{firstname} {lastname}",
    },
}
TROUBLES = ({"do": "status", "status": 500}, {"do": "drop_reply"}, {"do": "reset"})


@dataclass
class Lead:
    """What sales knows of a lead; `by_hand` is one whom a rep qualifies, not a rule."""

    id: str
    number: int
    by_hand: bool
    qualified: bool = False
    word: str = ""  # the rep's last one
    connected: bool = False


class Sales:
    """The stream of what leads and reps do, and what must come of it."""

    def __init__(self, own: Installation, twin: Twin, site: Site, seed: int) -> None:
        self.own = own
        self.twin = twin
        self.site = site
        self.seed = seed
        self.chance = random.Random(f"sales {seed}")
        self.leads: list[Lead] = []
        self._last = 0
        self._seen = 0
        self._table: list[tuple[int, Callable[[], object]]] = [
            (6, self.create),
            (8, self.qualify),
            (8, self.answer),
            (2, self.rename),
            (2, self.disturb),
            (1, self.double),
        ]

    def act(self) -> None:
        """Do the next deed."""
        weights = [weight for weight, _ in self._table]
        self.chance.choices([row[1] for row in self._table], weights)[0]()

    def create(self) -> None:
        """Make a contact, up to so many."""
        by_hand = self.chance.random() < 1 / 2
        if len(self.leads) < MOST_LEADS:
            number = len(self.leads)
            made = self.twin.edit("contacts", email=self._email(number), firstname=f"Lead {number}")
            self.leads.append(Lead(made, number, by_hand))

    def qualify(self) -> None:
        """Have a rep, or looks at the prices, make an MQL of a lead."""
        one = self._draw([lead for lead in self.leads if not lead.qualified])
        if one is None:
            return
        one.qualified = True
        if one.by_hand:
            self.twin.edit("contacts", one.id, lifecyclestage=MQL)
            return
        self._tell(one, "verified_conversion")
        for _ in range(3):
            self._tell(one, "page_view", page={"url": "https://sales.example/pricing"})

    def answer(self) -> None:
        """Have a rep say what became of an MQL; who was connected may be so again."""
        word = self.chance.choice(ANSWERS)
        one = self._draw([lead for lead in self.leads if lead.qualified])
        if one is not None:
            self.twin.edit("contacts", one.id, hs_lead_status=word)
            one.word, one.connected = word, one.connected or word == CONNECTED

    def rename(self) -> None:
        """Edit what matters to nobody."""
        one = self._draw(self.leads)
        if one is not None:
            self.twin.edit("contacts", one.id, city="Victoria")

    def disturb(self) -> None:
        """Have one call that concerns deals, or any, fail or lose its answer, or none again.

        Were there always one that fails, the first after each wait would: the product, which waits
        longer each time until something is done, would never get anything done.
        """
        fault = {"match": self.chance.choice(("/deals", "/crm/")), **self.chance.choice(TROUBLES)}
        if any(one["times"] for one in self.twin.faults()):
            self.twin.clear_faults()
        else:
            self.twin.ask("POST", "faults", fault)

    def double(self) -> None:
        """Have a few deliveries come twice."""
        self.twin.webhook_fault("duplicate", times=5)

    def odd(self) -> Counter[int]:
        """Return the answers since the last time that were neither 2xx nor 503 nor silence."""
        rows = list(self.twin.world.sender.deliveries)
        statuses = [row["status"] for row in rows[self._seen :]]
        self._seen = len(rows)
        return Counter(one for one in statuses if one // 100 != 2 and one not in {0, 503})

    def is_quiet(self) -> bool:
        """Say whether nothing is on its way in or out."""
        if self.site.waiting or self.twin.ask("GET", "idle")["waiting"]:
            return False
        status = self.own.get("status")
        return not (status["inbox"]["pending"] or status["outbox"]["pending"])

    def check(self) -> tuple[list[str], list[str]]:
        """Return what there is too often, and what is otherwise than it must be."""
        doubled: list[str] = []
        diverged: list[str] = []
        held = {one.id: self.deals(one) for one in self.leads}
        for one in self.leads:
            doubled += [f"lead {one.id}: {fault}" for fault in self._twice(one, held[one.id])]
            diverged += [f"lead {one.id}: {fault}" for fault in self._otherwise(one, held[one.id])]
        stray = self.all_deals() - {deal for deals in held.values() for deal in deals}
        return doubled + [f"deal {one} of nobody" for one in sorted(stray)], diverged

    def stories(self) -> list[str]:
        """Tell the stories of the leads with whom something is wrong."""
        lines: list[str] = []
        for one in self.leads:
            deals = self.deals(one)
            faults = [*self._twice(one, deals), *self._otherwise(one, deals)]
            lines += [f"{one} {faults}", *self._story(one)] if faults else []
        return lines

    def _story(self, lead: Lead) -> Iterator[str]:
        for name in ("lifecyclestage", "hs_lead_status", "hubspot_owner_id"):
            for row in self.twin.history("contacts", lead.id, name):
                yield f"  {row['timestamp']} {name}={row['value']} {row.get('sourceType')}"
        for row in self._moves(lead):
            way = f"{row['from']} -> {row['to']} by {row['actor']}"
            yield f"  {row['occurred_at']} {way}, known at {row['recorded_at']}"

    def _moves(self, lead: Lead) -> list[Json]:
        profile = self._profile(lead)["id"]
        return list(self.own.items(f"profiles/{profile}/moves")) if profile else []

    def deals(self, lead: Lead) -> list[str]:
        """Return the deals of a lead, by the portal's own records."""
        return [str(row["id"]) for row in self.twin.linked("contacts", lead.id, "deals")]

    def all_deals(self) -> set[str]:
        """Return every deal of the portal."""
        return set(self.twin.ask("GET", "records/deals")["ids"])

    def report(self) -> Json:
        """Return the figures."""
        connected = sum(one.connected for one in self.leads)
        return {"leads": len(self.leads), "connected": connected, "deals": len(self.all_deals())}

    def _twice(self, lead: Lead, deals: list[str]) -> Iterator[str]:
        if len(deals) > 1:
            yield f"deals {deals}"
        writes = [row for row in self.twin.writes(lead.id) if row["object"] == "contacts"]
        owners = {row["value"] for row in writes if row["property"] == "hubspot_owner_id"}
        if len(owners) > 1:
            yield f"owners {sorted(owners)}"
        moved = sum(row["actor"] == "rule" for row in self._moves(lead))
        if moved > 1:
            yield f"{moved} moves by {LAW.name}"

    def _otherwise(self, lead: Lead, deals: list[str]) -> Iterator[str]:
        value = self.twin.record("contacts", lead.id)["properties"]
        slot = self._profile(lead)["slot"]
        if deals and not lead.connected:
            yield f"a deal {deals} without a rep's word"
        if lead.qualified and value.get("hs_lead_status") != (lead.word or NEW):
            yield f"status {value.get('hs_lead_status')} instead of {lead.word or NEW}"
        if lead.word == CONNECTED and (len(deals), value.get("lifecyclestage"), slot) != (
            1,
            SQL,
            4,
        ):
            yield f"connected, but deals {deals}, {value.get('lifecyclestage')}, slot {slot}"
        is_mql = lead.qualified and not lead.word
        if is_mql and (value.get("lifecyclestage"), slot) != (MQL, 6):
            yield f"qualified, but {value.get('lifecyclestage')}, slot {slot}"
        if is_mql and value.get("hubspot_owner_id") not in OWNERS:
            yield f"owner {value.get('hubspot_owner_id')}"

    def _profile(self, lead: Lead) -> Json:
        rows = list(self.own.items("profiles", record_id=lead.id, object="contact"))
        return rows[0] if len(rows) == 1 else {"id": "", "slot": None}

    def _draw(self, some: list[Lead]) -> Lead | None:
        # Always one draw, so that a stream stays the same where a list is empty.
        place = self.chance.random()
        return some[int(place * len(some))] if some else None

    def _email(self, number: int) -> str:
        return f"l{number}@sales{self.seed}.example"

    def _tell(self, lead: Lead, kind: str, **more: Any) -> None:
        self._last = max(int(time.time() * 1000), self._last + 1)
        when = datetime.fromtimestamp(self._last / 1000, UTC).isoformat(timespec="milliseconds")
        visitor = {"device_id": f"lead{lead.number:020}", "user_id": f"l{lead.number}"}
        event = {"id": f"evt_{self._last}", "type": kind, "occurred_at": when, **more}
        event["visitor"] = {**visitor, "email": self._email(lead.number), "state": "verified"}
        self.site.tell(lead.number, event)


def portal(retries: list[float]) -> Twin:
    """Start the portal of the second account."""
    twin = Twin(portal_id=PORTAL, client_secret=SECRET, limit=1000, retry_delays=retries)
    twin.owners(*({"id": one, "email": f"rep{one}@sales.example"} for one in OWNERS))
    return twin


def office(own: Installation, twin: Twin) -> tuple[Installation, str]:
    """Make the second account in an installation, its hand-off switched on; return its id too."""
    account = own.command("account", "create", "Sales")
    mine = copy.copy(own)
    mine.token = account["api_token"]
    words = ("connect", "hubspot", "--account", account["account_id"], "--portal-id", str(PORTAL))
    where = ("--app-id", str(APP), "--api-url", twin.url, "--secrets", "-")
    secrets = {"access_token": twin.token, "client_secret": SECRET}
    connection = own.command(*words, *where, told=secrets)["connection_id"]
    mapping = {**mine.get(f"connections/{connection}/mapping"), "handoff": HANDOFF}
    reply = mine.ask("PUT", f"connections/{connection}/mapping", mapping)
    if reply is None or not reply.ok:
        raise RuntimeError(f"no hand-off: {reply is not None and reply.text}")
    own.command("install", connection, "--apply")
    webhook = f"{own.url}/webhooks/hubspot/{connection}"
    twin.settings(target=webhook, signed_url=webhook)
    return mine, account["account_id"]
