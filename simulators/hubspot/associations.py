"""Association routes: list, put, delete, labels and batches, on v4 and dated paths (2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from . import catalog, links
from .errors import answer, invalid, missing
from .paths import Both, inputs, page_limit
from .portal import kind_of
from .shapes import iso
from .world import caller, portal

if TYPE_CHECKING:
    from .records import Record
    from .shapes import Json

associations = Blueprint("associations", __name__)
route = Both(associations, "/crm/v4/objects", "/crm/objects/<version>")
batch_route = Both(associations, "/crm/v4/associations", "/crm/associations/<version>")

PAIR = "/<name>/<record_id>/associations/<to_name>/<to_id>"


def _record(name: str, record_id: object) -> Record:
    found = portal().record(kind_of(name), str(record_id))
    if found is None:
        raise missing()
    return found


def _row(other: int, types: set[int]) -> Json:
    return {"toObjectId": other, "associationTypes": links.described(portal(), types)}


@route("/<name>/<record_id>/associations/<to_name>", "GET")
def listed(name: str, record_id: str, to_name: str) -> Response:
    """List what a record is associated with, up to 500 a page."""
    record, limit = _record(name, record_id), page_limit(500, 500)
    after = int(request.args.get("after", "0"))
    found = sorted(links.neighbours(portal(), record, kind_of(to_name)))
    rows = [_row(*each) for each in found if each[0] > after]
    reply: Json = {"results": rows[:limit]}
    if len(rows) > limit:
        reply["paging"] = {"next": {"after": str(rows[limit - 1]["toObjectId"])}}
    return answer(reply)


@route("/<name>/<record_id>/associations/default/<to_name>/<to_id>", "PUT")
def put_default(name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """Associate two records without a label."""
    one, other = _record(name, record_id), _record(to_name, to_id)
    links.link(portal(), one, other, caller())
    now = iso(portal().now())
    pairs = ((one, other), (other, one))
    results = [_made(start, end, links.plain(start.kind, end.kind)) for start, end in pairs]
    reply = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    return answer(reply)


def _made(start: Record, end: Record, type_id: int) -> Json:
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"from": {"id": str(start.id)}, "to": {"id": str(end.id)}, "associationSpec": spec}


@route(PAIR, "PUT")
def put(name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """Associate two records with labels."""
    specs = request.get_json(silent=True, force=True)
    if not isinstance(specs, list) or not specs:
        raise invalid("Invalid input JSON: expected a list of association types")
    one, other = _record(name, record_id), _record(to_name, to_id)
    types = [int(spec["associationTypeId"]) for spec in specs]
    links.link(portal(), one, other, caller(), types)
    return answer(_labelled(one, other, types), 201)


def _labelled(one: Record, other: Record, types: list[int]) -> Json:
    labels = [row["label"] for row in links.described(portal(), set(types)) if row["label"]]
    return {
        "fromObjectTypeId": catalog.OBJECT_TYPES[one.kind].type_id,
        "fromObjectId": one.id,
        "toObjectTypeId": catalog.OBJECT_TYPES[other.kind].type_id,
        "toObjectId": other.id,
        "labels": labels,
    }


@route(PAIR, "DELETE")
def delete(name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """Remove every association between two records."""
    links.unlink(portal(), _record(name, record_id), _record(to_name, to_id), caller())
    return Response(status=204)


@batch_route("/<name>/<to_name>/labels", "GET")
def labels(name: str, to_name: str) -> Response:
    """List the association types between two objects."""
    known = {*links.TYPES.get((kind_of(name), kind_of(to_name)), ()), *portal().labels}
    return answer({"results": links.described(portal(), known)})


@batch_route("/<name>/<to_name>/batch/read", "POST")
def batch_read(name: str, to_name: str) -> Response:
    """Read the associations of up to 1,000 records; a record without any is an error row."""
    results, gone = [], []
    for row in inputs(1000):
        found = portal().record(kind_of(name), str(row["id"]))
        ends = links.neighbours(portal(), found, kind_of(to_name)) if found else []
        if ends:
            to = [_row(*each) for each in sorted(ends)]
            results.append({"from": {"id": str(row["id"])}, "to": to})
        else:
            gone.append(str(row["id"]))
    return _multi(results, gone, to_name)


def _multi(results: list[Json], gone: list[str], to_name: str) -> Response:
    now = iso(portal().now())
    reply: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not gone:
        return answer(reply)
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {to_name} is associated with {one}.",
            "context": {"fromObjectId": [one]},
        }
        for one in gone
    ]
    return answer({**reply, "numErrors": len(errors), "errors": errors}, 207)


@batch_route("/<name>/<to_name>/batch/create", "POST")
def batch_create(name: str, to_name: str) -> Response:
    """Make up to 2,000 associations with their types."""
    results = []
    for row in inputs(2000):
        one, other = _record(name, row["from"]["id"]), _record(to_name, row["to"]["id"])
        types = [int(spec["associationTypeId"]) for spec in row["types"]]
        links.link(portal(), one, other, caller(), types)
        results.append(_labelled(one, other, types))
    now = iso(portal().now())
    reply = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    return answer(reply, 201)


@batch_route("/<name>/<to_name>/batch/associate/default", "POST")
def batch_default(name: str, to_name: str) -> Response:
    """Make up to 2,000 associations without labels."""
    results = []
    for row in inputs(2000):
        one, other = _record(name, row["from"]["id"]), _record(to_name, row["to"]["id"])
        links.link(portal(), one, other, caller())
        results.append(_made(one, other, links.plain(one.kind, other.kind)))
    now = iso(portal().now())
    reply = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    return answer(reply)


@batch_route("/<name>/<to_name>/batch/archive", "POST")
def batch_archive(name: str, to_name: str) -> Response:
    """Remove up to 100 associations."""
    for row in inputs(100):
        for target in row["to"]:
            one, other = _record(name, row["from"]["id"]), _record(to_name, target["id"])
            links.unlink(portal(), one, other, caller())
    return Response(status=204)
