"""Batch routes: up to 100 inputs, row errors in a 207, one bad property refuses all (2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, g

from . import history, merges, render, values, writes
from .errors import ApiError, answer, invalid, problem
from .objects import association_ends, by_property, create_one, render_written, require
from .paths import Both, body, inputs
from .portal import kind_of
from .shapes import iso
from .world import caller, portal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .records import Record
    from .shapes import Json

batches = Blueprint("batches", __name__)
MOST_WITH_HISTORY = 50

route = Both(batches, "/crm/v3/objects", "/crm/objects/<version>")


@route("/<name>/batch/<verb>", "POST")
def batch(name: str, verb: str) -> Response:
    """Serve one batch call."""
    work = _VERBS.get(verb)
    if work is None:
        raise ApiError(404, {"status": "error", "message": f"no batch/{verb}"})
    started = portal().now()
    kind = kind_of(name)
    rows, failing = _set_aside(inputs())
    results, errors, status = work(kind, rows)
    if verb == "archive" and not failing:
        return Response(status=204)
    return _multi(results, errors + failing, status, started)


def _set_aside(rows: list[Json]) -> tuple[list[Json], list[Json]]:
    # Rows that a "partial" fault makes fail; they are not applied.
    fault = g.get("fault")
    if fault is None or fault.do != "partial":
        return rows, []
    ids = {str(one) for one in fault.more.get("ids", [])}
    category = fault.more.get("category", "OBJECT_NOT_FOUND")
    gone = [str(row.get("id")) for row in rows if str(row.get("id")) in ids]
    if not gone:
        return rows, []
    kept = [row for row in rows if str(row.get("id")) not in ids]
    return kept, [_error(category, f"Could not process {gone}", {"ids": gone})]


def _error(category: str, message: str, context: Json) -> Json:
    return {"status": "error", "category": category, "message": message, "context": context}


def _missing(kind: str, ids: list[str]) -> list[Json]:
    if not ids:
        return []
    message = f"Could not get some {kind} objects, they may be deleted or not exist."
    return [_error("OBJECT_NOT_FOUND", message, {"ids": ids})]


def _multi(results: list[Json], errors: list[Json], status: int, started: int) -> Response:
    found: Json = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(started),
        "completedAt": iso(portal().now()),
    }
    if errors:
        return answer({**found, "numErrors": len(errors), "errors": errors}, 207)
    return answer(found, status)


Outcome = tuple[list["Json"], list["Json"], int]


def _read(kind: str, rows: list[Json]) -> Outcome:
    wanted = body()
    past = wanted.get("propertiesWithHistory") or []
    if past and len(rows) > MOST_WITH_HISTORY:
        raise invalid(f"At most {MOST_WITH_HISTORY} inputs with propertiesWithHistory")
    found: dict[int, Record] = {}
    gone = []
    for row in rows:
        record = by_property(kind, wanted.get("idProperty"), str(row.get("id")))
        if record is None:
            gone.append(str(row.get("id")))
        else:
            found[record.id] = record
    # In the order of ids, each once: the order of the inputs is not kept.
    shown = [
        render.shown(portal(), found[one], wanted.get("properties") or (), past)
        for one in sorted(found)
    ]
    return shown, _missing(kind, gone), 200


def _update(kind: str, rows: list[Json]) -> Outcome:
    _refuse_twins(rows)
    clean = [values.clean(portal(), kind, row.get("properties", {})) for row in rows]
    _refuse_shared(kind, clean)
    found = [by_property(kind, row.get("idProperty"), str(row.get("id"))) for row in rows]
    for values_of_row, record in zip(clean, found, strict=True):
        if record:
            require(kind, values_of_row, record)
            writes.refuse_stage(portal(), kind, values_of_row, record)
            writes.refuse_duplicates(portal(), kind, values_of_row, record)
    results = []
    for row, values_of_row, record in zip(rows, clean, found, strict=True):
        if record:
            writes.update(portal(), record, values_of_row, caller())
            results.append(_traced(render_written(record, row), row))
    gone = [str(row.get("id")) for row, record in zip(rows, found, strict=True) if record is None]
    return results, _missing(kind, gone), 200


def _refuse_twins(rows: list[Json]) -> None:
    ids = [str(row.get("id")) for row in rows]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise invalid(f"Duplicate IDs found in batch input: {twice}. IDs must be unique")


def _traced(shown: Json, row: Json) -> Json:
    trace = row.get("objectWriteTraceId")
    return {**shown, "objectWriteTraceId": trace} if trace else shown


def _create(kind: str, rows: list[Json]) -> Outcome:
    # Errors come by row only if every input carries an objectWriteTraceId (section 2.2).
    clean = [values.clean(portal(), kind, row.get("properties", {})) for row in rows]
    by_row = all(row.get("objectWriteTraceId") for row in rows)
    if not by_row:
        _refuse_shared(kind, clean)
        for row, values_of_row in zip(rows, clean, strict=True):
            association_ends(kind, row)
            require(kind, values_of_row, None)
            writes.refuse_new(portal(), kind, values_of_row)
    results, errors = [], []
    for row in rows:
        try:
            results.append(_traced(render_written(create_one(kind, row), row), row))
        except ApiError as error:
            if not by_row:
                raise
            trace = {"objectWriteTraceId": [row["objectWriteTraceId"]]}
            told = error.body
            errors.append(_error(told["category"], told["message"], trace))
    return results, errors, 201


def _refuse_shared(kind: str, clean: list[dict[str, str]]) -> None:
    # One unique value in two rows: nothing of the batch is written.
    shared = [
        key
        for values_of_row in clean
        for name, text in values_of_row.items()
        for key in history.keys(portal(), kind, name, text)
    ]
    if len(set(shared)) < len(shared):
        raise problem(409, "CONFLICT", "Two inputs of the batch set the same unique value")


def _upsert(kind: str, rows: list[Json]) -> Outcome:
    _refuse_twins(rows)
    clean = [values.clean(portal(), kind, row.get("properties", {})) for row in rows]
    results = []
    for row, values_of_row in zip(rows, clean, strict=True):
        name = str(row.get("idProperty") or "hs_object_id")
        record = by_property(kind, name, str(row.get("id")))
        if record is None and name == "hs_object_id":
            raise invalid("idProperty is required to create with upsert")
        new = record is None
        if record is None:
            text = {name: str(row.get("id"))}
            record = writes.create(portal(), kind, {**text, **values_of_row}, caller())
        else:
            writes.update(portal(), record, values_of_row, caller())
        results.append({**_traced(render_written(record, row), row), "new": new})
    return results, [], 200


def _archive(kind: str, rows: list[Json]) -> Outcome:
    for row in rows:
        record = portal().record(kind, str(row.get("id")))
        if record:
            merges.archive(portal(), record, caller())
    return [], [], 204


_VERBS: dict[str, Callable[[str, list[Json]], Outcome]] = {
    "read": _read,
    "create": _create,
    "update": _update,
    "upsert": _upsert,
    "archive": _archive,
}
