"""What a web server's worker process loads: its lifeline first, then the application."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from connector.runtime import lifeline

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """Return the application; loading it takes seconds where a machine is busy.

    A web server that is killed meanwhile must leave nobody behind.
    """
    lifeline.hold()
    app: Flask = import_module("connector.app").create_app()
    return app
