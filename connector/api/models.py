"""Models: which there are, which one serves, and when the next is learned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import StrictBool

from connector.api.model_page import page
from connector.api.routes import Call, Route
from connector.api.words import Answer, Body, Document, Nothing, Page
from connector.pipeline import modelling
from scorer.readiness import readiness


class ModelAnswer(Answer):
    """A model; `held` says why its scores are not told to the CRMs."""

    id: str
    made_at: datetime
    state: str
    score_state: str
    held: str | None
    report: Document


class Models(Page[ModelAnswer]):
    """An account's models, newest first."""


class TrainingAnswer(Answer):
    """How the training stands that was asked for."""

    wanted_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    failure: str | None


UNTRAINED: Mapping[str, Any] = {"state": "untrained", "customers": 0, "usable_customers": 0}


def list_models(call: Call[Nothing, Nothing]) -> Models:
    """List the models that are kept."""
    found = modelling.models(call.services, call.account.id)
    return Models(items=[_answer(one) for one in found])


class ReportQuery(Body):
    """`format=html` asks for the page of plots."""

    format: Literal["json", "html"] | None = None


class ReportAnswer(Answer):
    """What the model that serves is worth, and how ready the account's data is for a better one."""

    model_id: str | None
    score_state: str
    readiness: Document
    report: Document


def get_report(call: Call[ReportQuery, Nothing]) -> ReportAnswer:
    """Return what the serving model is worth; `Accept: text/html` brings it as a page of plots."""
    best = modelling.serving(modelling.models(call.services, call.account.id))
    report = best.report if best else UNTRAINED
    return ReportAnswer(
        model_id=best.id if best else None,
        score_state=best.score_state if best else "untrained",
        readiness=Document(dict(report.get("readiness") or readiness(report))),
        report=Document(dict(report)),
    )


def report_page(call: Call[ReportQuery, Nothing]) -> str:
    """Return the models as a page of plots, the one that serves first."""
    found = modelling.models(call.services, call.account.id)
    best = modelling.serving(found)
    first = [best] if best else []
    return page([_told(one) for one in [*first, *(one for one in found if one.state != "serving")]])


def _told(one: modelling.Model) -> dict[str, object]:
    return {
        **one.report,
        "title": f"Model of {one.made_at:%Y-%m-%d %H:%M} UTC",
        "trained_at": one.made_at.isoformat(timespec="seconds"),
        "serving": one.state == "serving",
        "alarms": [one.held] if one.held else [],
    }


def train_model(call: Call[Nothing, Nothing]) -> TrainingAnswer:
    """Have a model learned soon; the trainer process does it."""
    told = modelling.want(call.services, call.account.id)
    return TrainingAnswer(
        wanted_at=told.wanted_at,
        started_at=told.started_at,
        ended_at=told.ended_at,
        failure=told.failure or None,
    )


class PromoteBody(Body):
    """With `rebase` scores hang on the model's own base from now on: a 7 means other odds then."""

    rebase: StrictBool = False


def promote_model(call: Call[Nothing, PromoteBody]) -> ModelAnswer:
    """Have a model serve, whatever gates and alarms say, and everybody scored with it."""
    act = modelling.rebase if call.body.rebase else modelling.promote
    return _answer(act(call.services, call.account.id, call.places["model_id"]))


def _answer(one: modelling.Model) -> ModelAnswer:
    return ModelAnswer(
        id=one.id,
        made_at=one.made_at,
        state=one.state,
        score_state=one.score_state,
        held=one.held or None,
        report=Document(dict(one.report)),
    )


ROUTES = (
    Route("GET", "/models", "List models", list_models, Models),
    Route(
        "GET",
        "/models/report",
        "Say what the serving model is worth",
        get_report,
        ReportAnswer,
        ReportQuery,
        page=report_page,
    ),
    Route("POST", "/models/train", "Have a model learned", train_model, TrainingAnswer, status=202),
    Route(
        "POST",
        "/models/{model_id}/promote",
        "Have a model serve",
        promote_model,
        ModelAnswer,
        body=PromoteBody,
        refusals=(404, 409),
    ),
)
