"""Rules over visitors whose events come in by the front door."""

from __future__ import annotations

import pytest

from connector.store import rules as r
from connector.store.tables_journeys import visitor
from tests.pipeline.house import House
from tests.pipeline.ruling import Ruling
from tests.pipeline.visitors import Site

PRICES = "https://example.com/pricing"


@pytest.fixture
def ruling(house: House) -> Ruling:
    return Ruling(house)


@pytest.fixture
def site(house: House) -> Site:
    return Site(house)


def test_an_event_that_joins_somebody_to_an_older_visitor_sets_off(
    ruling: Ruling, site: Site
) -> None:
    ruling.rule()
    site.do("page_view", 0, device_id="d1")
    site.do("identity_conversion", 1, device_id="d2", user_id="u1", email="ann@x.io")

    site.do("page_view", 2, device_id="d1", user_id="u1", url=PRICES)

    assert site.path("d1") == [(None, 1), (1, 3), (3, 6)]
