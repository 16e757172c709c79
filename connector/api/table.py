"""Every route of the API, in one table: HTTP and its description are both made from it."""

from __future__ import annotations

from connector.api import (
    batches,
    boxes,
    configuration,
    connections,
    moves,
    profiles,
    reports,
    targets,
)

ROUTES = (
    *profiles.ROUTES,
    *moves.ROUTES,
    *batches.ROUTES,
    *configuration.ROUTES,
    *connections.ROUTES,
    *targets.ROUTES,
    *boxes.ROUTES,
    *reports.ROUTES,
)
