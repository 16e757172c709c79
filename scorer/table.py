"""LeadScorer: learns from any table who becomes a customer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from scorer import alarms, learning, summary
from scorer.alarms import Alarm
from scorer.bands import State, scores
from scorer.cells import is_missing
from scorer.columns import read_as, read_table
from scorer.kinds import Chance, Floats, Ints, chances, seed_of
from scorer.levels import Coded, Scales, learn_scales
from scorer.measures import auc, calibration_error
from scorer.members import Sample
from scorer.points import reasons
from scorer.saved import sealed, unsealed

KIND = "table"


class LeadScorer(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores rows of a table by a calibrated additive model that explains itself exactly.

    X is a DataFrame, a dict of equally long columns, or rows of numbers; columns hold numbers,
    words, booleans or nothing. `random_state` is the only chance there is.
    """

    def __init__(self, random_state: Chance = 0) -> None:
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows and what became of them; two classes, the later in order the success."""
        columns = read_table(X)
        names = list(columns)
        if not names:
            raise ValueError("the table has no columns")
        self.classes_, won = _outcomes(y)
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        self.scales_: Scales = learn_scales(names, list(columns.values()))
        coded = self.scales_.code(list(columns.values()))
        if len(coded) != len(won):
            raise ValueError(f"X has {len(coded)} rows and y has {len(won)}")
        weights = np.ones(len(won)) if sample_weight is None else np.asarray(sample_weight, float)
        sample = Sample(self.scales_, coded, won, weights)
        self.learned_ = learning.learn(sample, seed_of(self.random_state))
        self.state_ = str(state_of(int(won.sum())))
        unseen, seen = self.learned_.unseen_points, self.learned_.seen
        model = self.learned_.model
        self.alarms_ = alarms.leaks(model, self.scales_, coded.rows(seen), won[seen], unseen)
        self.report_ = self._report(won)
        band = self.learned_.base, State(self.state_)
        about = summary.plots(self.learned_, self.scales_, coded, won, band)
        self.report_["plots"] = about
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return each row's log-odds."""
        coded = self._code(X)
        return self.learned_.model.log_odds(self.scales_, coded)

    def predict_proba(self, X: Any) -> Floats:
        """Return each row's chances, of failure and of success."""
        won = chances(self.decision_function(X))
        return np.column_stack([1.0 - won, won])

    def predict(self, X: Any) -> Any:
        """Return the likelier class of each row."""
        return self.classes_[(self.decision_function(X) > 0).astype(np.int64)]

    def predict_score(self, X: Any) -> Ints:
        """Return each row's score, a whole number from 1 to 10."""
        told = self.decision_function(X)
        return scores(told, self.learned_.base, State(self.state_))

    def explain(self, X: Any) -> list[dict[str, float]]:
        """Return each row's points by column, which sum with "intercept" to its log-odds."""
        coded = self._code(X)
        return reasons(self.learned_.model, self.scales_, coded).as_dicts()

    def drift(self, X: Any) -> list[Alarm]:
        """Return what differs between these rows and those that it learned from."""
        coded = self._code(X)
        then = alarms.Reference(self.learned_.unseen_points, self.scales_.counts)
        return alarms.drifts(self.learned_.model, self.scales_, then, coded)

    def to_bytes(self, key: bytes) -> bytes:
        """Return the model as sealed bytes; the same data and chance give the same."""
        check_is_fitted(self, "learned_")
        return sealed(self, {"kind": KIND, "classes": self.classes_.tolist()}, key)

    @classmethod
    def from_bytes(cls, data: bytes, key: bytes) -> Self:
        """Return the model that sealed bytes hold; BadModel for anything else."""
        found = cls()
        about = unsealed(found, KIND, data, key)
        found.classes_ = np.array(about["classes"])
        names = [scale.name for scale in found.scales_.all]
        found.feature_names_in_, found.n_features_in_ = np.array(names, dtype=object), len(names)
        return found

    def _report(self, won: Floats) -> dict[str, Any]:
        unseen, y = self.learned_.unseen_points, won[self.learned_.seen]
        return {
            "rows": len(won),
            "rows_won": int(won.sum()),
            "auc": auc(y, unseen),
            "calibration_error": calibration_error(y, chances(unseen)),
            "members": dict(self.learned_.members),
        }

    def _code(self, X: Any) -> Coded:
        check_is_fitted(self, "learned_")
        columns = read_as(X, {scale.name: scale.is_number for scale in self.scales_.all})
        return self.scales_.code(list(columns.values()))


def state_of(wins: int) -> State:
    """Return what so many successes allow."""
    if wins >= learning.TRAINED_FROM:
        return State.TRAINED
    return State.LEARNING if wins >= learning.LEARNING_FROM else State.RULES


def _outcomes(y: Any) -> tuple[Any, Floats]:
    told = np.asarray(y)
    if told.ndim == 2 and told.shape[1] == 1:  # noqa: PLR2004 - rows of one cell
        told = told[:, 0]
    if told.ndim != 1 or not len(told):
        raise ValueError("y is one column, with an outcome for each row")
    if any(is_missing(outcome) for outcome in told.tolist()):
        raise ValueError("y says nothing of some rows; leave those out")
    classes = np.unique(told)
    if len(classes) > 2:  # noqa: PLR2004 - success or not
        raise ValueError(f"y has {len(classes)} classes; two are meant: success or not")
    if len(classes) == 1:  # nobody won yet, or everybody
        only = np.array([False, True]) if classes.dtype.kind == "b" else np.array([0, 1])
        if classes.dtype.kind in "biuf":
            return only, (told != 0).astype(np.float64)
        return np.array(["", str(classes[0])]), np.ones(len(told))
    return classes, (told == classes[1]).astype(np.float64)
