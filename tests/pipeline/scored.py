"""A house whose visitors are scored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from connector.domain.facts import ProfileId
from connector.domain.scores import Score
from connector.pipeline.drain import drain
from connector.pipeline.training import Trained, train
from tests.pipeline.house import ACCOUNT, START, House
from tests.pipeline.visitors import Site

DAYS = 60


class Scored(Site):
    """Forty visitors over two months: the even ones look at prices, the odd ones only look."""

    def __init__(self, house: House, people: int = 40) -> None:
        super().__init__(house)
        self.people = people
        for day in range(0, DAYS, 2):
            self.tell([*self._day(day)])

    def _day(self, day: int) -> Iterator[dict[str, Any]]:
        for number in range(self.people):
            if day % 20 == number % 20 - number % 2:
                yield self.look(number, day, 1, "/")
                yield self.look(number, day, 2, "/pricing" if self.is_keen(number) else "/blog/a")
                yield self.look(number, day, 3, "/contact" if self.is_keen(number) else "/careers")

    def look(self, number: int, day: int, hour: int, page: str) -> dict[str, Any]:
        url = f"https://x.example{page}"
        return self.told("page_view", 24 * day + hour, device_id=f"d{number}", url=url)

    def work(self) -> None:
        """Split and drain, a moment later: what comes in this very instant counts in the next."""
        self.house.clock.pass_()
        super().work()

    @staticmethod
    def is_keen(number: int) -> bool:
        return number % 2 == 0

    def win(self, *numbers: int) -> None:
        """Have visitors become customers, by hand, one hour after the other."""
        for number in numbers:
            self.house.clock.pass_(3600)
            self.house.move(self.known(number), 8)

    def known(self, number: int) -> str:
        """Return the profile of a visitor, who is identified if need be."""
        profile_id = self.whose(f"d{number}")
        if self.slot(f"d{number}") < 3:
            device = {"device_id": f"d{number}", "email": f"p{number}@x.io"}
            hour = (self.house.clock.now() - START) / timedelta(hours=1)
            self.do("identity_conversion", hour, **device)
        return profile_id

    def learn(self, why: str = "") -> Trained | None:
        """Train where that is wanted, and score whoever is due."""
        self.house.clock.pass_()
        found = train(self.house.services, ACCOUNT, why)
        drain(self.house.services, ACCOUNT)
        return found

    def score(self, number: int) -> Score:
        """Return a visitor's score."""
        profile_id = ProfileId(self.whose(f"d{number}"))
        with self.house.store.reading() as unit:
            return unit.scores.of(ACCOUNT, [profile_id])[profile_id]

    def values(self, numbers: range) -> list[int]:
        """Return the scores that visitors have."""
        return [value for number in numbers if (value := self.score(number).value) is not None]
