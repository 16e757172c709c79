"""The web application: webhooks in, the API out, and nothing else that answers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask

from connector import bootstrap, logs
from connector.api import dispatch, health, problems
from connector.intake import StoreIntake
from connector.queue import Waker
from connector.runtime import lifeline
from connector.runtime.beat import Stop
from connector.runtime.pulse import beats as signs_of_life
from connector.settings import current
from connector.store.migrate import schema
from webhooks.door import Door, Endpoint
from webhooks.hubspot import HubSpot
from webhooks.platform import Platform

if TYPE_CHECKING:
    from connector.pipeline.services import Services
    from connector.settings import Settings


def create_app() -> Flask:
    """Return the WSGI application for this process's settings."""
    settings = current()
    logs.configure(settings)
    lifeline.hold()
    app = make_app(bootstrap.services(), settings)
    signs_of_life(bootstrap.pulse, "web", Stop()).start()
    return app


def make_app(services: Services, settings: Settings) -> Flask:
    """Put the parts of the application together."""
    app = Flask("connector", static_folder=None)
    app.register_blueprint(dispatch.blueprint(services))
    app.register_blueprint(health.blueprint(services, _surroundings(services, settings)))
    problems.speak(app)
    intake = StoreIntake(services, settings)
    endpoints: Mapping[str, Endpoint] = {
        "hubspot": HubSpot(intake, settings.public_url),
        "platform": Platform(intake),
    }
    door = Door(app.wsgi_app, endpoints, problems.HEADERS)
    app.wsgi_app = door  # type: ignore[method-assign,assignment]
    return app


def _surroundings(services: Services, settings: Settings) -> health.Surroundings:
    token = settings.metrics_token
    return health.Surroundings(
        Waker(settings.redis_url).ping,
        lambda: schema(services.store.database),
        lambda: shutil.disk_usage(settings.data_dir).free,
        token.get_secret_value() if token else "",
    )
