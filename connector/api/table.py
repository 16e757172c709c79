"""Every route of the API, in one table: HTTP and its description are both made from it."""

from __future__ import annotations

from connector.api import (
    batches,
    boxes,
    configuration,
    connections,
    handoff,
    moves,
    profiles,
    reports,
)

ROUTES = (
    *profiles.ROUTES,
    *moves.ROUTES,
    *batches.ROUTES,
    *configuration.ROUTES,
    *connections.ROUTES,
    *handoff.ROUTES,
    *boxes.ROUTES,
    *reports.ROUTES,
)
