"""Property and group definitions: CRUD, with the documented conflicts (section 2.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from . import catalog
from .errors import ApiError, answer, invalid, missing, problem
from .paths import Both, body, flag, inputs
from .portal import kind_of
from .shapes import iso
from .world import portal

if TYPE_CHECKING:
    from .shapes import Json

properties = Blueprint("properties", __name__)
route = Both(properties, "/crm/v3/properties", "/crm/properties/<version>")

NEEDED = ("name", "label", "type", "fieldType", "groupName")
TYPES = {"string", "number", "date", "datetime", "enumeration", "bool", "phone_number"}
FIELD_TYPES = {
    "text",
    "textarea",
    "number",
    "date",
    "select",
    "radio",
    "checkbox",
    "booleancheckbox",
    "html",
    "file",
    "phonenumber",
    "calculation_equation",
}
MOST_CUSTOM = 1000
MOST_UNIQUE = 10
CHANGEABLE = {
    "label",
    "description",
    "groupName",
    "type",
    "fieldType",
    "options",
    "displayOrder",
    "hidden",
    "formField",
}


@route("/<name>", "GET")
def listed(name: str) -> Response:
    """List the properties of an object."""
    archived = flag("archived")
    found = [
        one for one in portal().properties[kind_of(name)].values() if one["archived"] is archived
    ]
    return answer({"results": found})


@route("/<name>", "POST")
def create(name: str) -> Response:
    """Create a property."""
    return answer(create_one(kind_of(name), body()), 201)


def create_one(kind: str, wanted: Json) -> Json:
    """Create a property, or bring an archived one back: also a 201."""
    _check(kind, wanted)
    held = portal().properties[kind].get(wanted["name"])
    if held and not held["archived"]:
        raise _exists(wanted["name"])
    made = held or _blank(wanted)
    made.update({**wanted, "archived": False, "options": _options(wanted)})
    made.pop("archivedAt", None)
    portal().properties[kind][wanted["name"]] = made
    return made


def _check(kind: str, wanted: Json) -> None:
    lacking = [each for each in NEEDED if not wanted.get(each)]
    if lacking:
        raise invalid(f"Invalid input JSON: some required fields were not set: {lacking}")
    if wanted["type"] not in TYPES or wanted["fieldType"] not in FIELD_TYPES:
        raise invalid(f"Unknown type or fieldType: {wanted['type']}, {wanted['fieldType']}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", str(wanted["name"])):
        raise invalid(f"{wanted['name']} is not a valid property name")
    if wanted["groupName"] not in portal().groups[kind]:
        raise invalid(f"Property group {wanted['groupName']} does not exist")
    custom = [one for one in portal().properties[kind].values() if not one["hubspotDefined"]]
    if len(custom) >= MOST_CUSTOM:
        raise invalid(f"The limit of {MOST_CUSTOM} custom properties has been reached")
    unique = sum(one["hasUniqueValue"] for one in custom)
    if wanted.get("hasUniqueValue") and unique >= MOST_UNIQUE:
        raise invalid(f"The limit of {MOST_UNIQUE} unique properties has been reached")


def _exists(name: str) -> ApiError:
    message = f"A property named '{name}' already exists."
    code = "Properties.PROPERTY_WITH_NAME_EXISTS"
    return problem(409, "OBJECT_ALREADY_EXISTS", message, subCategory=code)


def _blank(wanted: Json) -> Json:
    kind = "string" if wanted["type"] == "phone_number" else wanted["type"]
    made = catalog.definition(str(wanted["name"]), kind, str(wanted["groupName"]))
    now = iso(portal().now())
    free = {"archivable": True, "readOnlyDefinition": False, "readOnlyOptions": False}
    made |= {"hubspotDefined": False, "createdAt": now, "updatedAt": now, "formField": False}
    return made | {"modificationMetadata": {**free, "readOnlyValue": False}}


def _options(wanted: Json) -> list[Json]:
    given = wanted.get("options") or []
    values = [str(one.get("value")) for one in given]
    labels = [str(one.get("label")) for one in given]
    if len(set(values)) < len(values) or len(set(labels)) < len(labels):
        raise invalid("Option values and labels must be unique")
    if any(not one.get("label") or one.get("value") in {None, ""} for one in given):
        raise invalid("Every option needs a label and a value")
    if not given and wanted["type"] == "bool":
        return catalog.options(catalog.YES_NO)
    return [{"displayOrder": -1, "hidden": False, **one} for one in given]


@route("/<name>/<prop>", "GET")
def read(name: str, prop: str) -> Response:
    """Read one property."""
    return answer(_find(kind_of(name), prop, archived=flag("archived")))


def _find(kind: str, prop: str, *, archived: bool = False) -> Json:
    found = portal().properties[kind].get(prop)
    if found is None or found["archived"] is not archived:
        raise missing(f"No property exists with name '{prop}'")
    return found


@route("/<name>/<prop>", "PATCH")
def update(name: str, prop: str) -> Response:
    """Change a property; its name never changes."""
    kind, wanted = kind_of(name), body()
    found = _find(kind, prop)
    group = wanted.get("groupName", found["groupName"])
    if group not in portal().groups[kind]:
        raise invalid(f"Property group {group} does not exist")
    change = {key: value for key, value in wanted.items() if key in CHANGEABLE}
    if "options" in change:
        change["options"] = _options({**found, **change})
    found.update(change, updatedAt=iso(portal().now()))
    return answer(found)


@route("/<name>/<prop>", "DELETE")
def archive(name: str, prop: str) -> Response:
    """Archive a property; those that HubSpot defines stay."""
    archive_one(kind_of(name), prop)
    return Response(status=204)


def archive_one(kind: str, prop: str) -> None:
    """Archive one property; its values come back if it does."""
    found = portal().properties[kind].get(prop)
    if found is None or found["archived"]:
        return
    if found["hubspotDefined"]:
        raise invalid(f"{prop} is defined by HubSpot and cannot be archived")
    found.update(archived=True, archivedAt=iso(portal().now()))


@route("/<name>/batch/<verb>", "POST")
def batch(name: str, verb: str) -> Response:
    """Read, create or archive several properties."""
    kind, rows, now = kind_of(name), inputs(), iso(portal().now())
    if verb == "archive":
        for row in rows:
            archive_one(kind, str(row["name"]))
        return Response(status=204)
    if verb == "create":
        results = [create_one(kind, row) for row in rows]
    else:
        known = portal().properties[kind]
        results = [known[row["name"]] for row in rows if portal().property(kind, row["name"])]
    found = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    return answer(found, 201 if verb == "create" else 200)


@route("/<name>/groups", "GET")
def groups(name: str) -> Response:
    """List the property groups of an object."""
    return answer({"results": list(portal().groups[kind_of(name)].values())})


@route("/<name>/groups", "POST")
def create_group(name: str) -> Response:
    """Create a property group."""
    kind, wanted = kind_of(name), body()
    if not wanted.get("name") or not wanted.get("label"):
        raise invalid("Invalid input JSON: name and label are required")
    if wanted["name"] in portal().groups[kind]:
        message = f"A group named '{wanted['name']}' already exists."
        raise problem(409, "OBJECT_ALREADY_EXISTS", message)
    made = {"displayOrder": -1, **wanted, "archived": False}
    portal().groups[kind][wanted["name"]] = made
    return answer(made, 201)


@route("/<name>/groups/<group>", "GET")
def read_group(name: str, group: str) -> Response:
    """Read one property group."""
    return answer(_group(kind_of(name), group))


def _group(kind: str, group: str) -> Json:
    if group not in portal().groups[kind]:
        raise missing(f"No property group exists with name '{group}'")
    return portal().groups[kind][group]


@route("/<name>/groups/<group>", "PATCH")
def update_group(name: str, group: str) -> Response:
    """Change the label or the place of a group."""
    found = _group(kind_of(name), group)
    found.update({key: value for key, value in body().items() if key in {"label", "displayOrder"}})
    return answer(found)


@route("/<name>/groups/<group>", "DELETE")
def archive_group(name: str, group: str) -> Response:
    """Remove a group; one with active properties stays."""
    kind = kind_of(name)
    active = [one for one in portal().properties[kind].values() if one["groupName"] == group]
    if any(not one["archived"] for one in active):
        raise invalid(f"Group {group} has active properties and cannot be archived")
    portal().groups[kind].pop(group, None)
    return Response(status=204)
