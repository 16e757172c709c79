"""Owners and pipelines (section 2.5)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from . import catalog
from .errors import answer, invalid, missing
from .paths import Both, body, flag, page_limit
from .portal import kind_of
from .world import portal

if TYPE_CHECKING:
    from .shapes import Json

owners_pipelines = Blueprint("owners_pipelines", __name__)
owner_route = Both(owners_pipelines, "/crm/v3/owners", "/crm/owners/<version>")
route = Both(owners_pipelines, "/crm/v3/pipelines", "/crm/pipelines/<version>")


def _dated(row: Json) -> Json:
    began = portal().started_at
    return {"createdAt": began, "updatedAt": began, **row}


@owner_route("/", "GET")
def owners() -> Response:
    """List owners, 100 a page, perhaps only the one of an e-mail."""
    email, limit = request.args.get("email"), page_limit(100, 500)
    after = int(request.args.get("after", "0"))
    found = [
        _dated(one)
        for one in portal().owners
        if one["archived"] is flag("archived") and email in {None, one["email"]}
    ]
    reply: Json = {"results": found[after : after + limit]}
    if after + limit < len(found):
        reply["paging"] = {"next": {"after": str(after + limit)}}
    return answer(reply)


@owner_route("/<owner_id>", "GET")
def owner(owner_id: str) -> Response:
    """Read one owner, by its own id or by the user's."""
    name = request.args.get("idProperty", "id")
    for one in portal().owners:
        if str(one.get(name)) == owner_id and one["archived"] is flag("archived"):
            return answer(_dated(one))
    raise missing()


def _pipelines(kind: str) -> list[Json]:
    if kind == "contacts":
        rows = portal().properties[kind]["lifecyclestage"]["options"]
        return [catalog.lifecycle_pipeline(rows)]
    return portal().pipelines.get(kind, [])


def _shown(pipeline: Json) -> Json:
    return {**_dated(pipeline), "stages": [_dated(stage) for stage in pipeline["stages"]]}


def _find(kind: str, pipeline_id: str) -> Json:
    for one in _pipelines(kind):
        if one["id"] == pipeline_id:
            return one
    raise missing()


@route("/<name>", "GET")
def pipelines(name: str) -> Response:
    """List the pipelines of an object; contacts have their lifecycle as one (section 3)."""
    return answer({"results": [_shown(one) for one in _pipelines(kind_of(name))]})


@route("/<name>", "POST")
def create_pipeline(name: str) -> Response:
    """Create a pipeline with its stages."""
    kind, wanted = kind_of(name), body()
    if kind == "contacts" or not wanted.get("label") or not wanted.get("stages"):
        raise invalid("A pipeline needs a label and stages")
    made: Json = {
        "id": wanted.get("pipelineId") or str(portal().next_id()),
        "label": wanted["label"],
        "displayOrder": wanted.get("displayOrder", -1),
        "stages": [_stage(row) for row in wanted["stages"]],
        "archived": False,
    }
    portal().pipelines.setdefault(kind, []).append(made)
    return answer(_shown(made), 201)


def _stage(row: Json) -> Json:
    return {
        "id": row.get("stageId") or uuid.uuid4().hex[:12],
        "label": row["label"],
        "displayOrder": row.get("displayOrder", -1),
        "metadata": {name: str(value) for name, value in row.get("metadata", {}).items()},
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }


@route("/<name>/<pipeline_id>", "GET")
def read_pipeline(name: str, pipeline_id: str) -> Response:
    """Read one pipeline."""
    return answer(_shown(_find(kind_of(name), pipeline_id)))


@route("/<name>/<pipeline_id>", "PATCH")
def update_pipeline(name: str, pipeline_id: str) -> Response:
    """Rename a pipeline or move it."""
    found = _find(kind_of(name), pipeline_id)
    found.update({key: value for key, value in body().items() if key in {"label", "displayOrder"}})
    return answer(_shown(found))


@route("/<name>/<pipeline_id>", "DELETE")
def delete_pipeline(name: str, pipeline_id: str) -> Response:
    """Delete a pipeline."""
    kind = kind_of(name)
    rows = portal().pipelines.get(kind, [])
    portal().pipelines[kind] = [one for one in rows if one["id"] != pipeline_id]
    return Response(status=204)


@route("/<name>/<pipeline_id>/stages", "GET")
def stages(name: str, pipeline_id: str) -> Response:
    """List the stages of a pipeline."""
    found = _find(kind_of(name), pipeline_id)
    return answer({"results": [_dated(stage) for stage in found["stages"]]})


@route("/<name>/<pipeline_id>/stages", "POST")
def create_stage(name: str, pipeline_id: str) -> Response:
    """Add a stage to a pipeline."""
    made = _stage(body())
    _find(kind_of(name), pipeline_id)["stages"].append(made)
    return answer(_dated(made), 201)


@route("/<name>/<pipeline_id>/stages/<stage_id>", "GET")
def read_stage(name: str, pipeline_id: str, stage_id: str) -> Response:
    """Read one stage."""
    for stage in _find(kind_of(name), pipeline_id)["stages"]:
        if stage["id"] == stage_id:
            return answer(_dated(stage))
    raise missing()
