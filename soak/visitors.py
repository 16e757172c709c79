"""What visitors of a website do all the time: a second stream of deeds, drawn from the same seed.

Who they are depends on the seed and on what was drawn before, never on what the product answers.
No visitor has the address of a contact, so that a story is told by one side only.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soak.site import Site

Json = dict[str, Any]
HOME = "https://soak.example"
PAGES = ("/", "/blog", "/docs", "/pricing", "/pricing?plan=team", "/fr/pricing/faq", "/customers")
PLAIN = ("/", "/blog", "/docs", "/customers")
GOALS = (3, 4, 5, 6)
MOST_PEOPLE = 150
MOST_LOST = 0.4  # the part that may have opted out or be forgotten
DOUBLED, LATE, UNNAMED = 0.12, 0.15, 0.1
MOST_LATE = 6.0  # seconds
STAFFED = 0.2  # the part whom people move in the platform; they do what sets off no rule
# Told on time: what others hang on, whatever the product makes of it when it comes late.
IN_TIME = frozenset({"opt_out", "deidentified", "verified_conversion"})


@dataclass
class Device:
    """A browser, and how well its visitor is known on it."""

    id: str
    state: str = "anonymous"


@dataclass
class Visitor:
    """Somebody on the site."""

    number: int
    devices: list[Device]
    is_staffed: bool
    state: str = "anonymous"
    out: bool = False
    gone: bool = False

    def email(self, seed: int) -> str:
        """Return the address, which no contact has."""
        return f"v{self.number}@visitor{seed}.example"


@dataclass
class Visitors:
    """The stream of what visitors do."""

    site: Site
    seed: int
    people: list[Visitor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"visitors {self.seed}")
        self.lock = threading.Lock()
        self._last = 0
        self._table: list[tuple[int, Callable[[], object]]] = [
            (12, self.arrive),
            (45, self.look),
            (8, self.shown),
            (6, self.ended),
            (4, self.claim),
            (8, self.type),
            (8, self.sign_in),
            (4, self.contact),
            (6, self.click),
            (4, self.come_back),
            (4, self.staff),
            (2, self.opt_out),
            (1, self.silence_somebody),
            (1, self.forget),
        ]

    def act(self) -> None:
        """Do the next deed."""
        weights = [weight for weight, _ in self._table]
        with self.lock:
            self.chance.choices([row[1] for row in self._table], weights)[0]()

    # What they do

    def arrive(self) -> Visitor | None:
        """Have somebody new come by; once there are many, have somebody look at a page."""
        is_staffed = self.chance.random() < STAFFED
        if len(self.people) >= MOST_PEOPLE:
            self.look()
            return None
        made = Visitor(len(self.people), [self._device()], is_staffed)
        self.people.append(made)
        self._tell(made, "page_view", page={"url": f"{HOME}/"})
        return made

    def look(self) -> None:
        """Look at a page, in whatever order; people who opted out look too."""
        place, who = self.chance.random(), self._someone(may_be_out=True)
        if who is not None:
            pages = PLAIN if who.is_staffed else PAGES
            self._tell(who, "page_view", page={"url": HOME + pages[int(place * len(pages))]})

    def shown(self) -> None:
        """Be shown a reward, known or not."""
        self._do("incentive_offered")

    def ended(self) -> None:
        """Let a reward go."""
        self._do(self.chance.choice(("incentive_expired", "incentive_dismissed")))

    def claim(self) -> None:
        """Claim a reward, which takes a sign-in."""
        who = self._someone()
        if who is not None:
            self._sign_in(who)
            self._tell(who, "incentive_claimed")

    def type(self) -> None:
        """Type an address, which proves nothing."""
        who = self._someone()
        if who is not None and who.state == "anonymous":
            self._type(who)

    def sign_in(self) -> None:
        """Sign in."""
        who = self._someone()
        if who is not None:
            self._sign_in(who)

    def contact(self) -> None:
        """Fill in the form that asks for a call, or, who is staffed, that for the newsletter."""
        who = self._someone()
        if who is None:
            return
        if who.state == "anonymous":
            self._type(who)
        kind, form = ("form_submitted", "news") if who.is_staffed else ("contact_us", "contact")
        self._tell(who, kind, form={"id": form, "name": form})

    def click(self) -> None:
        """Click on the trial, or play a video."""
        who, code = self._someone(), self.chance.choice(("trial_click", "video"))
        if who is not None:
            self._tell(who, "custom", code="video" if who.is_staffed else code)

    def come_back(self) -> None:
        """Come back on another device: look at the prices there, then be known on it too."""
        who = self._someone()
        if who is None or who.state == "anonymous" or len(who.devices) > 1:
            return
        who.devices.insert(0, self._device())
        for page in PLAIN[:2] if who.is_staffed else PAGES[2:4]:
            self._tell(who, "page_view", page={"url": HOME + page})
        if who.state == "verified":
            self._sign_in(who)
        else:
            self._type(who)

    def staff(self) -> None:
        """Have a person move somebody in the platform."""
        goal, who = self.chance.choice(GOALS), self._someone(staffed=True)
        if who is not None and who.state != "anonymous":
            self._tell(who, "stage_changed", stage=goal)

    def opt_out(self) -> None:
        """Opt out, as whoever they are known as; then look at the prices."""
        who = self._someone()
        if who is not None and who.devices[0].state == who.state and self._may_go():
            self._tell(who, "opt_out")
            who.out = True
            for page in PAGES[3:6]:
                self._tell(who, "page_view", page={"url": HOME + page})

    def silence_somebody(self) -> None:
        """Have a stranger name somebody's address and opt out: that silences nobody."""
        who = self._someone()
        if who is not None and who.state == "verified":
            stranger = Device(f"{self.chance.getrandbits(96):024x}", "identified")
            self._send(who, self._event(who, stranger, "opt_out"))

    def forget(self) -> None:
        """Have somebody forgotten; what they did before comes in afterwards."""
        who = self._someone()
        is_known = who is not None and who.state == who.devices[0].state == "verified"
        if who is not None and is_known and self._may_go():
            before = self._event(who, who.devices[0], "page_view", page={"url": f"{HOME}/late"})
            for device in who.devices:
                self._send(who, self._event(who, device, "deidentified"))
            who.gone = True
            self._send(who, before, late=MOST_LATE)

    # How they do it

    def _may_go(self) -> bool:
        """Keep the site from falling silent."""
        return sum(one.out or one.gone for one in self.people) < MOST_LOST * len(self.people)

    def _do(self, kind: str) -> None:
        who = self._someone()
        if who is not None:
            self._tell(who, kind)

    def _type(self, who: Visitor) -> None:
        device = who.devices[0]
        device.state = "identified" if device.state == "anonymous" else device.state
        who.state = "identified" if who.state == "anonymous" else who.state
        self._tell(who, "identity_conversion")

    def _sign_in(self, who: Visitor) -> None:
        kind = "authentication" if who.state == "verified" else "verified_conversion"
        who.state = who.devices[0].state = "verified"
        self._tell(who, kind)

    def _device(self) -> Device:
        return Device(f"{self.chance.getrandbits(96):024x}")

    def _someone(self, *, may_be_out: bool = False, staffed: bool = False) -> Visitor | None:
        # Always one draw, so that a stream stays the same where a list is empty.
        place = self.chance.random()
        some = [one for one in self.people if not one.gone and (may_be_out or not one.out)]
        some = [one for one in some if one.is_staffed or not staffed]
        return some[int(place * len(some))] if some else None

    def _tell(self, who: Visitor, kind: str, **more: Any) -> None:
        """Tell of something, on time or late, once or twice, with an id or without."""
        is_doubled, is_late, is_unnamed = (self.chance.random() for _ in range(3))
        first, second = (self.chance.random() * MOST_LATE for _ in range(2))
        event = self._event(who, who.devices[0], kind, **more)
        if is_unnamed < UNNAMED:
            del event["id"]
        self._send(who, event, late=first if is_late < LATE and kind not in IN_TIME else 0.0)
        if is_doubled < DOUBLED:
            self._send(who, event, late=second)

    def _send(self, who: Visitor, event: Json, late: float = 0.0) -> None:
        self.site.tell(who.number, event, late)

    def _event(
        self, who: Visitor, device: Device, kind: str, *, stage: int = 0, **more: Any
    ) -> Json:
        visitor: Json = {"device_id": device.id, "state": device.state}
        if device.state != "anonymous":
            visitor["email"] = who.email(self.seed)
        if device.state == "verified":
            visitor["user_id"] = f"u{who.number}@{self.seed}"
        if stage:
            visitor["lead_stage"] = stage
        number = self._moment()
        when = datetime.fromtimestamp(number / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "id": f"evt_{self.seed}_{number}",
            "type": kind,
            "occurred_at": when.replace("+00:00", "Z"),
            "visitor": visitor,
            **more,
        }

    def _moment(self) -> int:
        """Return a millisecond in which nothing else happens."""
        self._last = max(int(time.time() * 1000), self._last + 1)
        return self._last
