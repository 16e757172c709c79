"""From HTTP to a call and back: token, path, parameters, body; then the route's function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from connector import trace
from connector.api.model_page import POLICY
from connector.api.openapi import document
from connector.api.routes import PREFIX, Call, Route
from connector.api.sheets import sheet
from connector.api.table import ROUTES
from connector.api.words import LONGEST_TEXT, Nothing
from connector.domain.errors import ConfigurationRefused, NotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.pipeline.services import Services
    from connector.stored import Account

SHEET, PAGE = "text/csv", "text/html"
MOST = 1024 * 1024  # bytes of a body
Model = TypeVar("Model", bound=BaseModel)


def blueprint(services: Services) -> Blueprint:
    """Return the API."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    for route in ROUTES:
        rule = route.path.replace("{", "<").replace("}", ">")
        api.add_url_rule(
            rule, route.name, _view(services, route), methods=[route.method], strict_slashes=False
        )
    api.add_url_rule("/openapi.json", "openapi", _openapi)
    return api


def account(services: Services) -> Account:
    """Return the account behind the bearer token; raise Unauthorized."""
    told = request.authorization
    token = told.token if told is not None and told.type == "bearer" else None
    if not token:
        raise Unauthorized("send the account's API token: Authorization: Bearer ...")
    with services.store.reading() as unit:
        found = unit.account_by_token(token)
    if found is None:
        raise Unauthorized("this API token is not known")
    return found


def _view(services: Services, route: Route) -> Callable[..., Response]:
    def view(**places: str) -> Response:
        call = Call(
            services, account(services), _places(places), _query(route.query), _body(route.body)
        )
        with trace.following([trace.accept(request.headers.get(trace.HEADER))]):
            if route.sheet and _wants("csv", SHEET):
                return _sheet(route, [row.model_dump() for row in route.sheet(call)])
            if route.page and _wants("html", PAGE):
                return _page(route.page(call))
            return _json(route.run(call).model_dump_json(by_alias=True), route.status)

    return view


def _openapi() -> Response:
    return _json(document())


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status=status, content_type="application/json")


def _wants(name: str, kind: str) -> bool:
    """Say whether a kind is asked for: by a parameter, or as what the caller likes best."""
    told = request.args.get("format")
    best = request.accept_mimetypes.best_match(["application/json", kind])
    return told == name or (told is None and best == kind)


def _page(text: str) -> Response:
    reply = Response(text, content_type=f"{PAGE}; charset=utf-8")
    reply.headers["Content-Security-Policy"] = POLICY
    return reply


def _sheet(route: Route, rows: list[dict[str, Any]]) -> Response:
    reply = Response(sheet(route.columns, rows), content_type=f"{SHEET}; charset=utf-8")
    reply.headers["Content-Disposition"] = f'attachment; filename="{route.name}.csv"'
    return reply


def _places(places: dict[str, str]) -> dict[str, str]:
    for place in places.values():
        if len(place) > LONGEST_TEXT or not place.isprintable():
            raise NotFound("there is nothing under that id")
    return places


def _query(model: type[Model]) -> Model:
    """Read the parameters; an empty one counts as left out."""
    return _valid(model, {name: value for name, value in request.args.items() if value})


def _body(model: type[Model]) -> Model:
    """Read the body as JSON, whatever its content type; none at all is an empty object."""
    if model is Nothing:
        return model()
    request.max_content_length = MOST + 1  # a chunked body is cut there without a word
    sent = request.get_data(cache=False)
    if len(sent) > MOST:
        raise RequestEntityTooLarge
    try:
        found = json.loads(sent, parse_constant=_refuse) if sent.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is no JSON") from error
    return _valid(model, found)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are no JSON


def _valid(model: type[Model], sent: Any) -> Model:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise ConfigurationRefused([_fault(one) for one in faults]) from None


def _fault(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}" if place else str(error["msg"])
