"""The visitors' part of a campaign: a stream of its own, rules made beforehand, and its checks.

Sales, an account of its own whose hand-off is on, goes along with it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from soak import visited
from soak.installation import Installation
from soak.journeys import LAWS, Law
from soak.sales import LAW, Sales, office, portal
from soak.site import Site
from soak.visitors import Visitors

Json = dict[str, Any]
CREATED = 201
DEEDS_A_LEAD = 4  # what visitors do until something happens in sales
TRIES = 3


class Walk:
    """Visitors who come and go until the end, unless they are told to rest."""

    def __init__(self, own: Installation, site: Site, sales: Sales, seed: int, pace: float) -> None:
        self.own = own
        self.site = site
        self.sales = sales
        self.visitors = Visitors(site, seed)
        self.verdict = visited.Visited()
        self._pace = pace
        self._deeds = 0
        self._resting = threading.Event()
        self._idle = threading.Event()
        self._over = threading.Event()

    def start(self, say: Callable[[str], object]) -> None:
        """Open the site; `say` is told of what goes wrong."""
        self.site.open()
        self.sales.site.open()
        threading.Thread(target=self._work, args=(say,), daemon=True).start()

    def rest(self) -> None:
        """Have nobody come by; what is on its way arrives."""
        self._resting.set()
        self._idle.wait(60)

    def go_on(self) -> None:
        """Have visitors come by again."""
        self._resting.clear()

    def close(self) -> None:
        """End it."""
        self._over.set()
        self.site.close()
        self.sales.site.close()
        self.sales.twin.close()

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing of visitors or sales is on its way."""
        return not self.site.waiting and self.sales.is_quiet()

    def odd(self) -> Counter[int]:
        """Return the answers since the last time that were neither 2xx nor 503 nor silence."""
        return self.site.odd() + self.sales.site.odd() + self.sales.odd()

    def check(self, *, tries: int = TRIES) -> visited.Visited:
        """Compare every visitor; what differs is looked at again, as the last write may be late."""
        for _ in range(tries):
            acked = self.site.acked()
            self.verdict = visited.visit(self.own, acked)
            self.verdict.lost += visited.missing(self.own, acked, self.site.told)
            doubled, diverged = self.sales.check()
            self.verdict.doubled += doubled
            self.verdict.diverged += diverged
            self.verdict.details += self.sales.stories()
            if self.verdict.is_good:
                break
            time.sleep(1)
        return self.verdict

    def report(self) -> Json:
        """Return the figures."""
        posts = [post for post in list(self.site.posts) if post.status // 100 == 2]
        taken = sorted(post.ms for post in posts)
        return {
            "people": self.verdict.people,
            "opted_out": self.verdict.out,
            "erased": self.verdict.erased,
            "events": len(self.site.acked()),
            "told": len(self.site.told),
            "posts": len(self.site.posts),
            "ack_ms_p99": taken[int((len(taken) - 1) * 0.99)] if taken else None,
            "moves_by_rules": self.verdict.moves,
            "sales": self.sales.report(),
        }

    def _work(self, say: Callable[[str], object]) -> None:
        while not self._over.is_set():
            if self._resting.is_set():
                self._idle.set()
                time.sleep(0.05)
                continue
            self._idle.clear()
            try:
                self._act()
            except Exception as error:  # noqa: BLE001 - said, and the stream goes on
                say(f"the visitors stumbled: {type(error).__name__}: {error}")
            self._over.wait(self._pace)

    def _act(self) -> None:
        self._deeds += 1
        self.visitors.act()
        if self._deeds % DEEDS_A_LEAD == 0:
            self.sales.act()


def prepare(own: Installation, account: str, retries: list[float], seed: int, pace: float) -> Walk:
    """Make everything that visitors and sales need in an installation."""
    twin = portal(retries)
    mine, other = office(own, twin)
    sales = Sales(mine, twin, open_site(mine, other, [LAW]), seed)
    return Walk(own, open_site(own, account, LAWS), sales, seed, pace)


def open_site(own: Installation, account: str, laws: Sequence[Law]) -> Site:
    """Connect the platform, and make the rules before anybody comes by."""
    made = own.command("connect", "platform", "--account", account)
    for law in laws:
        reply = own.ask("POST", "rules", law.document())
        if reply is None or reply.status_code != CREATED:
            raise RuntimeError(f"no rule {law.name}: {reply is not None and reply.text}")
    return Site(made["webhook_url"], made["secret"])
