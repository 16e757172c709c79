"""HubSpot's refusals: a status and its JSON body.

developers.hubspot.com, "Handling errors": every field of the body is optional for the reader.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .shapes import Json


class ApiError(Exception):
    """A refusal on its way to the client."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('message', '')}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return it as an HTTP response."""
        return answer(self.body, self.status, self.headers)


def answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Make a JSON response the way HubSpot does."""
    text = json.dumps(body, separators=(",", ":"))
    reply = Response(text, status, content_type="application/json;charset=utf-8")
    reply.headers.extend(dict(headers or {}))
    return reply


def problem(status: int, category: str, message: str, **more: object) -> ApiError:
    """Build the usual error body (section 2.4)."""
    body: Json = {"status": "error", "message": message, "correlationId": str(uuid.uuid4())}
    return ApiError(status, {**body, "category": category, **more})


def invalid(message: str, **more: object) -> ApiError:
    """Build a 400 VALIDATION_ERROR."""
    return problem(400, "VALIDATION_ERROR", message, **more)


def missing(message: str = "resource not found") -> ApiError:
    """Build a 404 for something that is not there."""
    return problem(404, "OBJECT_NOT_FOUND", message)


def invalid_values(faults: list[Json]) -> ApiError:
    """Build the 400 for values that a property refuses; the whole call fails with it."""
    told = [
        {
            "isValid": False,
            "message": fault["message"],
            "error": fault["code"],
            "name": fault["name"],
            "localizedErrorMessage": fault["message"],
        }
        for fault in faults
    ]
    errors = [
        {
            "message": fault["message"],
            "code": fault["code"],
            "context": {"propertyName": [fault["name"]]},
        }
        for fault in faults
    ]
    return invalid(f"Property values were not valid: {json.dumps(told)}", errors=errors)
