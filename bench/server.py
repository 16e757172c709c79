"""The product's own web process, with two routes that do nothing beside the real ones.

`python -m bench.server` is `connector web` with another factory of the app: the same granian with
the same settings serves them all, so that a ratio compares one thing only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request

NOOP, BARE = "/noop", "/bare"


class Bare:
    """Answers one path before Flask sees it; all else goes on to the app."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Read the body and answer 204, or pass the request on."""
        if environ.get("PATH_INFO") != BARE:
            return self._app(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start("204 No Content", [])
        return [b""]


def create_app() -> Any:
    """Return the product's app with the routes that do nothing."""
    from connector.app import create_app as product  # noqa: PLC0415 - as granian's worker does

    app = product()

    def noop() -> Response:
        request.get_data(cache=False)
        return Response("", status=204, content_type="text/plain; charset=utf-8")

    app.add_url_rule(NOOP, view_func=noop, methods=["POST"])
    app.wsgi_app = Bare(app.wsgi_app)  # type: ignore[method-assign,assignment]
    return app


def main() -> None:
    """Serve as `connector web` does."""
    from connector.runtime.lifeline import Lifeline  # noqa: PLC0415 - nor here
    from connector.runtime.web import run_web  # noqa: PLC0415
    from connector.settings import current  # noqa: PLC0415

    run_web(current(), Lifeline.from_environment(), target="bench.server:create_app")


if __name__ == "__main__":
    main()
