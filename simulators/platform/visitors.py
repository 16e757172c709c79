"""Visitors of a made-up site, and what they do: the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

PAGES = ("", "pricing", "product", "docs", "blog/one", "blog/two", "customers", "demo", "about")
SOURCES = ("google", "linkedin", "partner", "newsletter", "")
COUNTRIES = ("CA", "US", "DE", "GB")
DEVICES = ("desktop", "phone")
PROVIDERS = ("google", "linkedin", "microsoft", "magic_link")
FIRST = ("Ada", "Ben", "Cem", "Dua", "Eva", "Finn", "Gus", "Hana")
LAST = ("Stone", "Rivers", "Field", "Woods", "Lake")
CUSTOM = ("trial_click", "video_played", "docs_search")
TO_THE_END, CLAIMED = 0.3, 0.4
SITE = "https://acme.example/"


@dataclass
class Visitor:
    """Somebody on the site; how well the platform knows them only ever grows."""

    chance: random.Random
    number: int
    device_id: str
    origin: dict[str, str]
    client: dict[str, str]
    user_id: str = ""
    email: str = ""
    person: dict[str, str] = field(default_factory=dict)
    state: str = "anonymous"
    lead_stage: int = 1
    told: int = 0

    def event(self, kind: str, when: datetime, **more: Any) -> Json:
        """Return an event of this visitor, in the platform's shape."""
        self.told += 1
        known = {"user_id": self.user_id, "email": self.email, **self.person}
        return {
            "id": f"evt_{self.number}_{self.told}",
            "type": kind,
            "occurred_at": when.isoformat().replace("+00:00", "Z"),
            "visitor": {
                "device_id": self.device_id,
                **{name: value for name, value in known.items() if value},
                "state": self.state,
                "lead_stage": self.lead_stage,
            },
            "origin": self.origin,
            "client": self.client,
            **more,
        }

    def identify(self) -> None:
        """Type an e-mail, which proves nothing."""
        first, last = self.chance.choice(FIRST), self.chance.choice(LAST)
        self.user_id = f"usr_{self.number}"
        self.email = f"{first}.{last}.{self.number}@visitor.example"
        self.person = {"first_name": first, "last_name": last, "company": f"{last} Ltd"}
        self.state, self.lead_stage = "identified", max(self.lead_stage, 3)

    def verify(self) -> None:
        """Sign in."""
        if not self.email:
            self.identify()
        self.person["provider"] = self.chance.choice(PROVIDERS)
        self.state = "verified"


def visitor(seed: int, number: int) -> Visitor:
    """Return a visitor who has not done anything yet."""
    chance = random.Random(f"{seed}/{number}")
    source = chance.choice(SOURCES)
    campaign = {"utm_source": source, "utm_medium": "cpc", "utm_campaign": f"{source}-spring"}
    origin = {"referrer": f"https://{source or 'friend'}.example/", **(campaign if source else {})}
    client = {"country": chance.choice(COUNTRIES), "device": chance.choice(DEVICES)}
    return Visitor(chance, number, f"{chance.getrandbits(96):024x}", origin, client)


def journey(who: Visitor, start: datetime) -> list[Json]:
    """Return all that a visitor does, in order of time."""
    when = start + timedelta(minutes=who.chance.randrange(60 * 24 * 20))
    events: list[Json] = []
    for _ in range(who.chance.randint(1, 4)):
        for _ in range(who.chance.randint(1, 6)):
            events += _look(who, when)
            when += timedelta(seconds=who.chance.randint(20, 200))
        events += _decide(who, when)
        when += timedelta(hours=who.chance.randint(2, 90))
    return events


def _look(who: Visitor, when: datetime) -> list[Json]:
    """Read a page; the platform tells of it, and a little later of what was done on it."""
    page = who.chance.choice(PAGES)
    shown = {"page": {"url": SITE + page, "title": page or "home"}}
    seconds = who.chance.randint(2, 60)
    done = {
        "mouse_px": who.chance.randrange(5000),
        "scroll_px": who.chance.randrange(3000),
        "clicks": who.chance.randrange(6),
        "active_s": seconds,
        "focus_s": seconds + who.chance.randrange(10),
        "reached_end": who.chance.random() < TO_THE_END,
    }
    seen = who.event("page_view", when, **shown)
    later = when + timedelta(seconds=seconds)
    return [seen, who.event("engagement", later, **shown, engagement=done)]


def _decide(who: Visitor, when: datetime) -> list[Json]:
    """End a visit: perhaps known now, perhaps tempted, perhaps gone for good."""
    return [
        event
        for odds, act in (
            (0.30, _click),
            (0.15, _reward),
            (0.25, _convert),
            (0.10, _contact),
            (0.15, _sign_in),
            (0.05, _stage),
            (0.02, _opt_out),
        )
        if who.chance.random() < odds
        for event in act(who, when)
    ]


def _click(who: Visitor, when: datetime) -> list[Json]:
    return [who.event("custom", when, code=who.chance.choice(CUSTOM))]


def _reward(who: Visitor, when: datetime) -> list[Json]:
    """See a gift card, as somebody unknown: it takes a sign-in to claim it."""
    if who.state != "anonymous":
        return []
    who.lead_stage = 2
    offered = who.event("incentive_offered", when)
    later = when + timedelta(minutes=5)
    if who.chance.random() < CLAIMED:
        who.verify()
        told = who.event("verified_conversion", later, code="verified_conversion")
        return [offered, told, who.event("incentive_claimed", later + timedelta(seconds=1))]
    who.lead_stage = 1
    return [offered, who.event("incentive_expired", later)]


def _convert(who: Visitor, when: datetime) -> list[Json]:
    """Type an e-mail; the platform tells of the first time only."""
    if who.email:
        return []
    who.identify()
    form = {"id": "newsletter", "name": "Newsletter"}
    later = when + timedelta(seconds=1)
    return [who.event("identity_conversion", when), who.event("form_submitted", later, form=form)]


def _contact(who: Visitor, when: datetime) -> list[Json]:
    if not who.email:
        who.identify()
    return [who.event("contact_us", when, form={"id": "contact", "name": "Contact us"})]


def _sign_in(who: Visitor, when: datetime) -> list[Json]:
    if who.state == "verified":
        return [who.event("authentication", when)]
    who.verify()
    return [who.event("verified_conversion", when)]


def _stage(who: Visitor, when: datetime) -> list[Json]:
    """Be moved by a person in the platform."""
    if not who.email:
        return []
    who.lead_stage = who.chance.choice((4, 5, 6))
    return [who.event("stage_changed", when)]


def _opt_out(who: Visitor, when: datetime) -> list[Json]:
    if not who.email:
        return []
    who.lead_stage = 10
    return [who.event("opt_out", when)]


def journeys(seed: int, count: int, start: datetime) -> list[Json]:
    """Return what so many visitors do, in order of time."""
    events = [one for number in range(count) for one in journey(visitor(seed, number), start)]
    return sorted(events, key=lambda event: (event["occurred_at"], event["id"]))
