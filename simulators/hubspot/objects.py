"""Routes of single records: list, read, create, patch, archive, merge, privacy deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, request

from . import links, merges, render, values, writes
from .errors import answer, invalid, missing
from .paths import Both, body, flag, page_limit, words
from .portal import kind_of
from .world import caller, portal

if TYPE_CHECKING:
    from .records import Record
    from .shapes import Json

objects = Blueprint("objects", __name__)
route = Both(objects, "/crm/v3/objects", "/crm/objects/<version>")


@route("/<name>", "GET")
def listed(name: str) -> Response:
    """List records in order of id; 50 a page when history is asked for (section 2.2)."""
    kind = kind_of(name)
    limit = page_limit(10, 50 if words("propertiesWithHistory") else 100)
    after = request.args.get("after", "0")
    if not after.isdigit():
        raise invalid("after is not a paging cursor")
    page: list[Record] = []
    archived = flag("archived")
    for record in portal().stores[kind].after(int(after)):
        if (record.archived_at is not None) is archived:
            page.append(record)
        if len(page) > limit:
            break
    return answer(_page(page, limit))


def _page(found: list[Record], limit: int) -> Json:
    page: Json = {"results": [_asked(record) for record in found[:limit]]}
    if len(found) > limit:
        last = str(found[limit - 1].id)
        link = f"{request.base_url}?limit={limit}&after={last}"
        page["paging"] = {"next": {"after": last, "link": link}}
    return page


def _asked(record: Record) -> Json:
    return render.shown(
        portal(),
        record,
        words("properties"),
        words("propertiesWithHistory"),
        words("associations"),
    )


@route("/<name>/<record_id>", "GET")
def read(name: str, record_id: str) -> Response:
    """Read one record; a merged id answers with the survivor under its own id."""
    return answer(_asked(locate(kind_of(name), record_id, archived=flag("archived"))))


def locate(kind: str, record_id: str, *, archived: bool = False) -> Record:
    """Find a record by id, or by the unique property that `idProperty` names."""
    found = by_property(kind, request.args.get("idProperty"), record_id, archived=archived)
    if found is None:
        raise missing()
    return found


def by_property(
    kind: str, id_property: object, text: str, *, archived: bool = False
) -> Record | None:
    """Find a record by id or by a unique property; refuse a property that is not unique."""
    if id_property in {None, "", "hs_object_id"}:
        return portal().record(kind, text, archived=archived)
    name = str(id_property)
    found = portal().property(kind, name)
    if found is None or not (found["hasUniqueValue"] or (kind, name) == ("contacts", "email")):
        raise invalid(f"idProperty {name} is not a unique property of {kind}")
    return portal().by_key(kind, name, text)


@route("/<name>", "POST")
def create(name: str) -> Response:
    """Create a record, with its associations if it brings some."""
    return answer(render_written(create_one(kind_of(name), body()), body()), 201)


def create_one(kind: str, wanted: Json) -> Record:
    """Create one record of a create call."""
    clean = values.clean(portal(), kind, wanted.get("properties", {}))
    ends = association_ends(kind, wanted)
    require(kind, clean, None)
    record = writes.create(portal(), kind, clean, caller())
    for other, type_ids in ends:
        links.link(portal(), record, other, caller(), type_ids)
    return record


def association_ends(kind: str, wanted: Json) -> list[tuple[Record, list[int]]]:
    """Return the records that a create call associates its own with, and how."""
    return [_end(kind, row) for row in wanted.get("associations") or []]


def _end(kind: str, row: Json) -> tuple[Record, list[int]]:
    # The whole of it is checked before the record is made: a create is all or nothing.
    try:
        target, ids = row["to"]["id"], [int(each["associationTypeId"]) for each in row["types"]]
    except (KeyError, TypeError, ValueError) as error:
        raise invalid("Invalid input JSON: an association needs to.id and types") from error
    for (start, end), known in links.TYPES.items():
        if start == kind and set(ids) & set(known) and set(ids) <= {*known, *portal().labels}:
            found = portal().record(end, target)
            if found:
                return found, ids
    raise invalid(f"Object {target} of the association does not exist")


def render_written(record: Record, wanted: Json) -> Json:
    """Show what a write answers: the written properties beside the usual ones."""
    return render.shown(portal(), record, wanted.get("properties", {}))


@route("/<name>/<record_id>", "PATCH")
def patch(name: str, record_id: str) -> Response:
    """Write some properties of a record."""
    kind = kind_of(name)
    record = locate(kind, record_id)
    clean = values.clean(portal(), kind, body().get("properties", {}))
    require(kind, clean, record)
    writes.update(portal(), record, clean, caller())
    return answer(render_written(record, body()))


def require(kind: str, clean: dict[str, str], record: Record | None) -> None:
    """Enforce the admin's required properties, on 2026-09 paths and later (section 0)."""
    if not g.version or g.version[:7] < "2026-09":
        return
    for name in portal().config.required_properties.get(kind, []):
        if not clean.get(name, record.value(name) if record else ""):
            error: Json = {
                "message": f"{name} is required",
                "code": "MISSING_REQUIRED_PROPERTY",
                "context": {"propertyName": [name]},
            }
            raise invalid(f"Required property {name} is missing", errors=[error])


@route("/<name>/<record_id>", "DELETE")
def archive(name: str, record_id: str) -> Response:
    """Archive a record; doing it again is no error."""
    record = portal().record(kind_of(name), record_id)
    if record:
        merges.archive(portal(), record, caller())
    return Response(status=204)


@route("/<name>/merge", "POST")
def merge(name: str) -> Response:
    """Merge two records; the answer may carry a third id (section 2.2)."""
    wanted = body()
    ids = str(wanted.get("primaryObjectId")), str(wanted.get("objectIdToMerge"))
    survivor = merges.merge_ids(portal(), kind_of(name), *ids, caller())
    return answer(render.shown(portal(), survivor))


@route("/<name>/gdpr-delete", "POST")
def gdpr_delete(name: str) -> Any:
    """Erase a contact; an unknown e-mail is blocklisted (section 4)."""
    wanted, kind = body(), kind_of(name)
    text = str(wanted.get("objectId"))
    record = by_property(kind, wanted.get("idProperty"), text)
    if record:
        merges.erase(portal(), record, caller())
    elif wanted.get("idProperty") == "email":
        portal().blocked.add(text.lower())
    else:
        raise missing()
    return Response(status=204)
