"""Every route of the API, in one table: HTTP and its description are both made from it."""

from __future__ import annotations

from connector.api import (
    batches,
    boxes,
    configuration,
    connections,
    creation,
    handoff,
    journeys,
    models,
    moves,
    profiles,
    reports,
    rules,
    targets,
)

ROUTES = (
    *profiles.ROUTES,
    *journeys.ROUTES,
    *moves.ROUTES,
    *batches.ROUTES,
    *configuration.ROUTES,
    *rules.ROUTES,
    *connections.ROUTES,
    *targets.ROUTES,
    *handoff.ROUTES,
    *creation.ROUTES,
    *boxes.ROUTES,
    *reports.ROUTES,
    *models.ROUTES,
)
