"""Models: which there are, which one serves, and when the next is learned."""

from datetime import datetime

from connector.api.routes import Call, Route
from connector.api.words import Answer, Document, Nothing, Page
from connector.pipeline import modelling


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


def list_models(call: Call[Nothing, Nothing]) -> Models:
    """List the models that are kept."""
    found = modelling.models(call.services, call.account.id)
    return Models(items=[_answer(one) for one in found])


def train_model(call: Call[Nothing, Nothing]) -> TrainingAnswer:
    """Have a model learned soon; the trainer process does it."""
    told = modelling.want(call.services, call.account.id)
    return TrainingAnswer(
        wanted_at=told.wanted_at,
        started_at=told.started_at,
        ended_at=told.ended_at,
        failure=told.failure or None,
    )


def promote_model(call: Call[Nothing, Nothing]) -> ModelAnswer:
    """Have a model serve, whatever gates and alarms say, and everybody scored with it."""
    return _answer(modelling.promote(call.services, call.account.id, call.places["model_id"]))


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
    Route("POST", "/models/train", "Have a model learned", train_model, TrainingAnswer, status=202),
    Route(
        "POST",
        "/models/{model_id}/promote",
        "Have a model serve",
        promote_model,
        ModelAnswer,
        refusals=(404,),
    ),
)
