"""The API described as OpenAPI 3.1, made from the table of routes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from pydantic.json_schema import models_json_schema

from connector.api.routes import PREFIX, Route
from connector.api.table import ROUTES
from connector.api.words import Nothing, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

Json = dict[str, Any]
Refs = Mapping[Any, Json]  # by model and mode
Mode = Literal["validation", "serialization"]
Model = tuple[type["BaseModel"], Mode]
_TEMPLATE = "#/components/schemas/{model}"
_ALWAYS = (401, 422, 500, 503)
_WITH_BODY = (400, 413)
_SECURITY = {"token": {"type": "http", "scheme": "bearer", "description": "The account's token."}}


@cache
def document() -> str:
    """Return the description as JSON."""
    refs, schemas = models_json_schema(sorted(_models(), key=str), ref_template=_TEMPLATE)
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, refs)
    paths[f"{PREFIX}/openapi.json"] = {"get": _itself()}
    described = {
        "openapi": "3.1.0",
        "info": {"title": "Bread & Butter CRM connector", "version": "1"},
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": schemas.get("$defs", {}), "securitySchemes": _SECURITY},
    }
    return json.dumps(described)


def _models() -> set[Model]:
    answers: set[Model] = {(route.answer, "serialization") for route in ROUTES}
    bodies: set[Model] = {(route.body, "validation") for route in ROUTES}
    return answers | bodies | {(Problem, "serialization")}


def _operation(route: Route, refs: Refs) -> Json:
    operation = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "parameters": [*map(_place, route.places), *_parameters(route)],
        "responses": _responses(route, refs),
    }
    if route.body is not Nothing:
        schema = refs[route.body, "validation"]
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": False, "content": content}
    return operation


def _place(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameters(route: Route) -> list[Json]:
    properties = route.query.model_json_schema().get("properties", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in properties.items()
    ]


def _responses(route: Route, refs: Refs) -> Json:
    bad = (*_ALWAYS, *route.refusals, *(_WITH_BODY if route.body is not Nothing else ()))
    problem = {"application/problem+json": {"schema": refs[Problem, "serialization"]}}
    refused = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(bad)
    }
    answer: Json = {"application/json": {"schema": refs[route.answer, "serialization"]}}
    if route.sheet:
        answer["text/csv"] = {"schema": {"type": "string"}}
    return {str(route.status): {"description": route.summary, "content": answer}, **refused}


def _itself() -> Json:
    answer = {"description": "This document", "content": {"application/json": {"schema": {}}}}
    return {
        "operationId": "openapi",
        "summary": "Describe the API",
        "tags": ["openapi.json"],
        "security": [],
        "responses": {"200": answer},
    }
