"""The web application: webhooks in, the API out, and nothing else that answers."""

from __future__ import annotations

from flask import Flask

from connector import bootstrap, logs
from connector.intake import StoreIntake
from connector.runtime import lifeline
from webhooks.hubspot import blueprint as hubspot


def create_app() -> Flask:
    """Return the WSGI application for this process's settings."""
    settings = bootstrap.settings()
    logs.configure(settings)
    lifeline.hold()
    services = bootstrap.services()
    app = Flask("connector")
    app.register_blueprint(hubspot(StoreIntake(services, settings), settings.public_url))
    return app
