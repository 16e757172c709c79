"""A HubSpot portal for these tests: the twin over HTTP, or `responses` in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from connector.adapters.hubspot import HubSpot, Limiter, open_hubspot
from simulators.hubspot.testing import Twin

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://api.hubapi.com"


@pytest.fixture
def twin() -> Iterator[Twin]:
    """Run a portal without a limit that these tests would meet."""
    with Twin(limit=10_000) as twin:
        yield twin


@pytest.fixture(params=["2026-09", "v3"])
def portal(request: pytest.FixtureRequest, twin: Twin) -> HubSpot:
    """Return the twin's portal, once by the dated paths and once by the older ones."""
    return open_hubspot(twin.url, request.param, lambda: twin.token, Limiter(per_window=10_000))


@pytest.fixture
def vendor() -> Iterator[responses.RequestsMock]:
    """Answer in HubSpot's place."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def limiter() -> Limiter:
    """Return a limiter that a test can look into."""
    return Limiter(per_window=10_000)


@pytest.fixture
def hubspot(limiter: Limiter) -> HubSpot:
    """Return a portal with a static token at HubSpot's own address."""
    return open_hubspot(API, "2026-09", lambda: "secret-token", limiter)
