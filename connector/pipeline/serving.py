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


class Shelf:
    """The models that this process has read; by id, as a model never changes."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._read: OrderedDict[str, JourneyScorer] = OrderedDict()

    def serving(self, unit: Unit, account_id: AccountId) -> Serving | None:
        """Return the model that serves, or of those before the last that can be read."""
        for row in unit.models.in_line(account_id):
            scorer = self.scorer(unit, account_id, row.id)
            if scorer is not None:
                return Serving(row.id, ScoreState(row.score_state), row.held, scorer)
        return None

    def scorer(self, unit: Unit, account_id: AccountId, model_id: str) -> JourneyScorer | None:
        """Return a model; one that was cut short or sealed by somebody else never serves."""
        if model_id not in self._read:
            found = _read(unit, account_id, model_id)
            if found is None:
                return None
            self._read[model_id] = found
            while len(self._read) > self._most:
                self._read.popitem(last=False)
        self._read.move_to_end(model_id)
        return self._read[model_id]


def _read(unit: Unit, account_id: AccountId, model_id: str) -> JourneyScorer | None:
    from scorer import JourneyScorer  # noqa: PLC0415 - scikit-learn is for who has a model
    from scorer.artefact import BadModel  # noqa: PLC0415

    key = unit.models.key(account_id)
    try:
        return JourneyScorer.from_bytes(unit.models.artefact(model_id), key)
    except (BadModel, KeyError) as error:  # cut short, sealed by others, of another time
        log.error("model_unreadable", model_id=model_id, reason=str(error))  # noqa: TRY400
        return None
