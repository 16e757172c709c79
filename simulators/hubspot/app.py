"""The twin's HTTP face: what every call passes before and after it is served."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from . import control, gate
from .account import account
from .associations import associations
from .batches import batches
from .errors import ApiError, answer
from .oauth import oauth
from .objects import objects
from .owners_pipelines import owners_pipelines
from .paths import take_version
from .preferences import preferences
from .properties import properties
from .search import search
from .wire import Server
from .world import World, world

if TYPE_CHECKING:
    from .config import Config

BLUEPRINTS = (
    objects,
    batches,
    search,
    properties,
    owners_pipelines,
    associations,
    preferences,
    account,
    oauth,
)


PLAIN = (400, 404, 405, 413, 415)
"""What Flask refuses by itself; it answers HTML where HubSpot answers JSON."""


class TwinApp(Flask):
    """A Flask application that serves one call at a time, as its state needs."""

    def dispatch_request(self) -> Any:
        """Serve the call with the portal to itself; faults that wait are over by now."""
        with world().portal.lock, world().sender.together():
            return super().dispatch_request()


def create_app(config: Config) -> Flask:
    """Make the application of one portal."""
    app = TwinApp(__name__)
    app.url_map.strict_slashes = False
    app.extensions["twin"] = World(config)
    app.url_value_preprocessor(take_version)
    app.before_request(gate.before)
    app.after_request(gate.after)
    app.register_error_handler(ApiError, lambda error: error.response())
    for code in PLAIN:
        app.register_error_handler(code, _plain)
    for blueprint in (*BLUEPRINTS, control.control):
        app.register_blueprint(blueprint)
    return app


def _plain(error: Any) -> Response:
    return answer({"status": "error", "message": error.description}, error.code)


class Running:
    """A twin that listens on a loopback port, in threads of this process."""

    def __init__(self, config: Config, port: int = 0) -> None:
        app = create_app(config)
        self.world: World = app.extensions["twin"]
        self._server = Server(port, app)
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True, name="hubspot-twin"
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end what still waits, and stop sending webhooks."""
        self.world.stopping.set()
        self._server.stop()
        self._thread.join()
        self.world.sender.stop()
