"""The visitors of a campaign: the same for the same seed, and told until they are heard."""

from __future__ import annotations

import json
from typing import Any

from simulators.platform.receiver import listening
from soak.processes import wait_for
from soak.site import Site
from soak.visitors import Visitors

SECRET = "whsec_c29hayBzZWNyZXQgb2YgYSBwbGF0Zm9ybSE="
EVENT = {"type": "page_view", "occurred_at": "2026-05-04T12:00:00.000Z", "visitor": {}}


class Heard(Site):
    """A site that tells nobody, and keeps what it was to tell."""

    def tell(self, visitor: int, event: dict[str, Any], late: float = 0.0) -> None:
        self.heard = [*getattr(self, "heard", []), (visitor, event, late)]


def deeds(seed: int) -> list[tuple[Any, ...]]:
    site = Heard("", "")
    visitors = Visitors(site, seed)
    for _ in range(600):
        visitors.act()
    return [(who, one["type"], one["visitor"], late) for who, one, late in site.heard]


def test_a_seed_plays_the_same_visits_again() -> None:
    assert deeds(3) == deeds(3) != deeds(4)


def test_visitors_do_everything_that_the_pipeline_knows() -> None:
    wanted = {"page_view", "custom", "contact_us", "stage_changed", "opt_out", "deidentified"}
    wanted |= {"incentive_offered", "incentive_expired", "incentive_dismissed", "incentive_claimed"}
    wanted |= {"identity_conversion", "verified_conversion", "authentication"}

    assert {kind for _, kind, _, _ in deeds(1)} >= wanted


def test_an_event_is_told_until_it_is_taken() -> None:
    with listening(SECRET) as platform:
        platform.failing = [503, 500]
        site = Site(platform.url, SECRET)
        site.open()

        site.tell(1, EVENT)

        assert wait_for(lambda: not site.waiting, 10)
    site.close()
    assert [post.status for post in platform.posts] == [503, 500, 202]
    assert {post.name for post in platform.posts} == {"msg_1_1"}
    assert (site.acked(), dict(site.odd())) == ([EVENT], {500: 1})


def test_what_was_told_twice_is_acknowledged_once() -> None:
    with listening(SECRET) as platform:
        site = Site(platform.url, SECRET)
        site.open()

        site.tell(1, EVENT)
        site.tell(1, EVENT, late=0.2)

        assert wait_for(lambda: not site.waiting, 10)
    site.close()
    assert site.acked() == [EVENT]
    assert sum(post.body.decode().count(json.dumps("page_view")) for post in platform.taken) == 2
