"""What `connector doctor` looks at in learning: trainings that failed, models that are held."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connector.commands.findings import Finding
from connector.domain.scores import ScoreState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connector.domain.facts import AccountId
    from connector.pipeline.services import Services
    from connector.store.models import Training

# A training that nobody begins for longer waits for a trainer that is not there.
LONGEST = timedelta(hours=1)


def check_models(services: Services) -> Iterator[Finding]:
    """Look at every account's training and at the model that serves it."""
    now = services.now()
    with services.store.reading() as unit:
        for account in unit.accounts():
            yield _training(account.id, unit.models.training(account.id), now)
            serving = unit.models.serving(account.id)
            if serving is not None:
                whole = services.shelf.scorer(unit, account.id, serving.id) is not None
                yield _model(account.id, serving, now, whole=whole)


def _model(account_id: AccountId, serving: Any, now: datetime, *, whole: bool) -> Finding:
    if not whole:
        return Finding(
            f"model of {account_id}",
            fine=False,
            text=f"{serving.id} was cut short or sealed with another key: it scores nobody, "
            "the one before it does if there is one",
            advice=f"run `connector train {account_id}`",
        )
    return Finding(
        f"model of {account_id}",
        fine=not serving.held,
        text=_worth(serving, now),
        advice=f"look at `connector models {account_id}` and at GET /api/v1/models/report; "
        "POST /api/v1/models/{id}/promote has them told all the same",
    )


def _worth(serving: Any, now: datetime) -> str:
    """Return how far a model is; what is not trained says what it lacks."""
    if serving.held:
        return f"its scores are held back: {serving.held}"
    text = f"{serving.score_state}, learned {(now - serving.made_at).days} days ago"
    if serving.score_state == ScoreState.TRAINED:
        return text
    lacks = (serving.report.get("readiness") or {}).get("sentences", ())
    return "; ".join([text, *lacks])


def _training(account_id: AccountId, training: Training, now: datetime) -> Finding:
    name, again = f"training of {account_id}", f"run `connector train {account_id}`"
    if training.failure:
        return Finding(name, fine=False, text=training.failure, advice=again)
    waits = now - training.wanted_at if training.wanted_at else timedelta()
    text = f"wanted for {waits.total_seconds():.0f} s" if training.wanted_at else "nothing waits"
    return Finding(name, fine=waits <= LONGEST, text=text, advice="see that a trainer runs")
