"""One run of the demo, from an empty folder to the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connector.demo.api import Api
from connector.demo.cast import Cast, Person, seed
from connector.demo.house import DidNotStart, House, open_house
from connector.demo.setup import Office, open_office
from connector.demo.shown import Teller
from connector.demo.stage import Stage
from connector.demo.story import Outcome, play
from connector.demo.twin import Twin

LOOK_EVERY = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Run:
    """A story that has been played, with everything still running."""

    house: House
    office: Office
    twin_url: str
    outcome: Outcome
    spare: Person

    def where(self) -> dict[str, str]:
        """Return where everything is, and how to ask it."""
        return {
            "api": f"{self.house.url}/api/v1",
            "twin": self.twin_url,
            "account_id": self.office.account_id,
            "api_token": self.office.token,
            "connection_id": self.office.connection_id,
            "contact_id": self.spare.id,
            "data_dir": str(self.house.folder),
        }

    def stay(self) -> None:
        """Leave everything running; raise DidNotStart when a process has ended."""
        while self.house.up.poll() is None and self.house.twin.poll() is None:
            time.sleep(LOOK_EVERY)
        raise DidNotStart("a process of the demo has ended", advice=f"see {self.house.log}")


@contextmanager
def run(teller: Teller) -> Iterator[Run]:
    """Start everything, play the story, and stop everything at the end."""
    with _signals_interrupt(), open_house() as house:
        teller.say(f"everything starts in {house.folder}")
        twin = Twin(house.twin_url())
        teller.say(f"a HubSpot twin listens at {twin.url}")
        office = open_office(twin.url)
        teller.say(f"connected to it: {office.connection_id}")
        cast = _move_in(twin, office, teller)
        house.wait_until_up()
        twin.send_to(office.webhook_url)
        teller.say(f"connector up answers at {house.url}")
        api = Api(house.url, office.token)
        outcome = play(Stage(twin, api, cast, teller.step, office.open_site, office.bring))
        teller.end(outcome, str(house.log))
        yield Run(house, office, twin.url, outcome, cast.lead())


def _move_in(twin: Twin, office: Office, teller: Teller) -> Cast:
    """Install our fields in a portal full of people, and read them."""
    teller.say(f"installed our fields: {office.install()} steps")
    cast = seed(twin)
    teller.say(f"backfilled: {office.backfill()} contacts read")
    return cast


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let a signal to end unwind like Ctrl-C does, so that everything is stopped."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    kept = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
