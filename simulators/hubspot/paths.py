"""Routes that exist twice: v3/v4 paths and dated ones, served by the same code (2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import g, request

from .errors import invalid, missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint

    from .shapes import Json


class Both:
    """Registers a view under its v3/v4 path and under its dated path."""

    def __init__(self, blueprint: Blueprint, old: str, dated: str) -> None:
        self._blueprint = blueprint
        self._roots = (old, dated)

    def __call__(self, rest: str, *methods: str) -> Callable[[Callable[..., Any]], Any]:
        """Serve `rest` below both roots."""

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            for root in self._roots:
                name = f"{view.__name__}-{'dated' if '<' in root else 'old'}"
                self._blueprint.add_url_rule(root + rest, name, view, methods=methods)
            return view

        return register


def take_version(_: str | None, values: dict[str, Any] | None) -> None:
    """Take the dated version off the views' arguments."""
    g.version = (values or {}).pop("version", None)


def check_version() -> None:
    """Refuse what is no version: a dated path has a year and a month."""
    if g.version is not None and not re.fullmatch(r"\d{4}-\d{2}(-beta)?", g.version):
        raise missing(f"There is no API version {g.version}")


def body() -> Json:
    """Return the JSON object that was sent, or refuse."""
    found = request.get_json(silent=True, force=True)
    if not isinstance(found, dict):
        raise invalid("Invalid input JSON on line 1, column 0: expected an object")
    return found


def inputs(most: int = 100) -> list[Json]:
    """Return the inputs of a batch call; more than the limit refuse it (section 2.2)."""
    found = body().get("inputs")
    if not isinstance(found, list):
        raise invalid("Invalid input JSON: inputs must be a list")
    if len(found) > most:
        message = f"The maximum number of inputs supported in a batch request is {most}"
        raise invalid(f"{message}, but received {len(found)}")
    g.inputs = len(found)
    return found


def words(name: str) -> list[str]:
    """Return a query parameter that may be repeated or separated by commas."""
    found = [part for value in request.args.getlist(name) for part in value.split(",")]
    return [part.strip() for part in found if part.strip()]


def page_limit(default: int, most: int) -> int:
    """Return the page size that was asked for, within what is allowed."""
    text = request.args.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(f"limit must be a number from 1 to {most}")
    return int(text)


def flag(name: str) -> bool:
    """Return a true/false query parameter."""
    return request.args.get(name, "false").lower() == "true"
