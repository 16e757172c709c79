"""Which values a property takes, and the error codes for those it does not (section 2.2)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from .errors import invalid, invalid_values
from .shapes import iso, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .portal import Portal
    from .shapes import Json

Refusal = tuple[str, str]
"""An error code and a message."""

LONGEST = 65_536


def clean(portal: Portal, kind: str, given: object, *, api: bool = True) -> dict[str, str]:
    """Return the values as HubSpot stores them; one refused value refuses the whole call."""
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: properties must be an object")
    faults: list[Json] = []
    kept: dict[str, str] = {}
    for name, value in given.items():
        text = _text(name, value)
        refusal = _refusal(portal, kind, name, text, api=api)
        if refusal:
            faults.append({"name": name, "code": refusal[0], "message": refusal[1]})
        else:
            kept[name] = _stored(portal, kind, name, text)
    if faults:
        raise invalid_values(faults)
    return kept


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise invalid(f"Invalid input JSON: the value of {name} is not a string")


def _refusal(portal: Portal, kind: str, name: str, text: str, *, api: bool) -> Refusal | None:
    found = portal.property(kind, name)
    if found is None:
        return "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    if api and (found["calculated"] or found["modificationMetadata"]["readOnlyValue"]):
        message = f'"{name}" is a read only property; its value cannot be set.'
        return "READ_ONLY_VALUE", message
    if text == "":
        return None
    if name in _OUTSIDE:
        return _OUTSIDE[name](portal, text)
    check = _CHECKS.get(found["type"])
    return check(found, text) if check else _length(text)


def _length(text: str) -> Refusal | None:
    if len(text) > LONGEST:
        return "PROPERTY_VALUE_TOO_LONG", f"Property value is longer than {LONGEST} characters"
    return None


def _number(_: Json, text: str) -> Refusal | None:
    try:
        fine = math.isfinite(float(text))
    except ValueError:
        fine = False
    return None if fine else ("INVALID_NUMBER", f"{text} was not a valid number.")


def _moment(_: Json, text: str) -> Refusal | None:
    try:
        to_ms(text)
    except ValueError:
        return "INVALID_DATE", f"{text} was not a valid date."
    return None


def _option(found: Json, text: str) -> Refusal | None:
    allowed = [row["value"] for row in found["options"]]
    chosen = text.split(";") if found["fieldType"] == "checkbox" else [text]
    if set(chosen) <= set(allowed):
        return None
    return "INVALID_OPTION", f"{text} was not one of the allowed options: {allowed}"


_CHECKS: Mapping[str, Callable[[Json, str], Refusal | None]] = {
    "number": _number,
    "datetime": _moment,
    "date": _moment,
    "enumeration": _option,
    "bool": _option,
}


def _email(_: Portal, text: str) -> Refusal | None:
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
        return None
    return "INVALID_EMAIL", f"Email address {text} is invalid"


def _owner(portal: Portal, text: str) -> Refusal | None:
    # The owner's id, not the user's (section 2.5).
    if any(owner["id"] == text and not owner["archived"] for owner in portal.owners):
        return None
    return "INVALID_OWNER_ID", f"Owner {text} does not exist"


def _pipeline(portal: Portal, text: str) -> Refusal | None:
    known = [row["id"] for row in portal.pipelines["deals"]]
    if text in known:
        return None
    return "INVALID_OPTION", f"{text} was not one of the allowed options: {known}"


def _deal_stage(portal: Portal, text: str) -> Refusal | None:
    if portal.deal_stage(text):
        return None
    return "INVALID_OPTION", f"{text} is not a stage of any deal pipeline"


_OUTSIDE: Mapping[str, Callable[[Portal, str], Refusal | None]] = {
    "email": _email,
    "hubspot_owner_id": _owner,
    "pipeline": _pipeline,
    "dealstage": _deal_stage,
}


def _stored(portal: Portal, kind: str, name: str, text: str) -> str:
    found = portal.properties[kind][name]
    if text == "":
        return ""
    if found["type"] == "datetime":
        return iso(to_ms(text))
    if found["type"] == "date":
        return iso(to_ms(text))[:10]
    return text.strip().lower() if name == "email" else text
