"""The model that scores an account's people, read once a process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from connector.domain.facts import AccountId
from connector.domain.scores import ScoreState

if TYPE_CHECKING:
    from connector.pipeline.rating import Days, Ratings
    from connector.store.scores import Due
    from connector.store.unit import Unit
    from scorer import JourneyScorer

log = structlog.get_logger(__name__)
MOST = 8  # models in memory
_loaded: OrderedDict[str, JourneyScorer] = OrderedDict()  # by id: a model never changes


@dataclass(frozen=True, slots=True)
class Serving:
    """A model that serves; `held` says why its scores are not told."""

    id: str
    state: ScoreState
    held: str
    scorer: JourneyScorer

    def rate(
        self, unit: Unit, account_id: AccountId, due: Sequence[Due], now: datetime
    ) -> tuple[Ratings, Days]:
        """Score people; return the buckets too of days that are over."""
        from connector.pipeline.rating import rate  # noqa: PLC0415 - numpy is for who has a model

        return rate(unit, account_id, self.scorer, due, now)


def serving(unit: Unit, account_id: AccountId) -> Serving | None:
    """Return the model that serves, None where there is none that can be read."""
    row = unit.models.serving(account_id)
    if row is None:
        return None
    scorer = load(unit, account_id, row.id)
    return (
        None if scorer is None else Serving(row.id, ScoreState(row.score_state), row.held, scorer)
    )


def load(unit: Unit, account_id: AccountId, model_id: str) -> JourneyScorer | None:
    """Return a model; one that was cut short or sealed by somebody else never serves."""
    from scorer import JourneyScorer  # noqa: PLC0415 - scikit-learn is for who has a model
    from scorer.artefact import BadModel  # noqa: PLC0415

    key = unit.models.key(account_id)
    if model_id not in _loaded:
        try:
            found = JourneyScorer.from_bytes(unit.models.artefact(model_id), key)
        except BadModel as error:
            log.error("model_unreadable", model_id=model_id, reason=str(error))  # noqa: TRY400
            return None
        _loaded[model_id] = found
        while len(_loaded) > MOST:
            _loaded.popitem(last=False)
    _loaded.move_to_end(model_id)
    return _loaded[model_id]
