"""JourneyScorer: learns from journeys who becomes a customer, never fooled by the future."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorer import alarms, learning, summary
from scorer.alarms import Alarm
from scorer.bands import State, scores
from scorer.days import Buckets, Daily, from_days, from_events
from scorer.events import MICROSECOND, Events, read_events, read_time
from scorer.features import Schema, learn_schema, matrix
from scorer.gates import Verdict, judge_first
from scorer.kinds import Flags, Floats, Ints, chances, log_odds
from scorer.landmarks import Rows, Wins, make_rows, read_wins
from scorer.levels import Coded, Scales, learn_sparse
from scorer.members import Sample
from scorer.points import reasons
from scorer.readiness import readiness
from scorer.rules import PRIOR, prior_points
from scorer.saved import sealed, unsealed
from scorer.signs import Names, reader

KIND = "journeys"
CHUNK = 10_000
LEAST_SEEN, LEAST_SHARE = 5, 0.001  # rows that a column must be told by


class JourneyScorer(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores profiles by their journeys: the chance to become a customer within a horizon.

    Events have `profile_id, type, code, url, occurred_at` and may have `received_at` and others;
    customers have `profile_id, customer_at` and may have `deal`. Instants are UTC if unsaid.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, events: Any, customers: Any, as_of: Any, horizon_days: int | None = None) -> Self:
        """Learn from what had happened and come in before an instant."""
        instant = read_time(as_of)
        log = read_events(events).before(instant)
        wins = read_wins(log, customers, instant)
        rows = make_rows(log, wins, instant, horizon_days)
        whole = learn_schema(log)
        told = build(log, whole, rows.who, rows.when)
        kept = np.union1d(worth_keeping(told), ruled(whole))
        self.schema_ = narrowed(whole, kept)
        self.columns_: Ints = _places(self.schema_, [whole.names[n] for n in kept])
        names, groups = self._told_as()
        self.scales_: Scales = learn_sparse(names, groups, told[:, kept])
        coded = self.scales_.code_sparse(told[:, kept])
        self._learn(rows, wins, coded)
        self.report_ = self._report(rows, wins, whole, told) | {"as_of": _said(instant)}
        self.report_ |= self._pictures(rows, coded) | {"fill": summary.fill(whole, told, rows.who)}
        self.report_["readiness"] = readiness(self.report_)
        return self

    def predict_proba(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> Floats:
        """Return the chances of no customer and of a customer within the horizon; NaN: no journey.

        With day buckets `events` need hold the day of `as_of` only.
        """
        points, _ = self._points(events, profile_ids, as_of, buckets)
        won = chances(points)
        return np.column_stack([1.0 - won, won])

    def predict_score(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> Ints:
        """Return whole numbers from 1 to 10; 0 where there is no score: no journey, no customer."""
        points, _ = self._points(events, profile_ids, as_of, buckets)
        told = scores(np.nan_to_num(points), self.learned_.base, State(self.state_))
        return np.where(np.isnan(points), 0, told)

    def explain(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> list[dict[str, float]]:
        """Return points by group, which sum with "intercept" to the log-odds; empty: no score."""
        points, coded = self._points(events, profile_ids, as_of, buckets)
        told = reasons(self.learned_.model, self.scales_, coded).as_dicts()
        return [{} if np.isnan(point) else one for point, one in zip(points, told, strict=True)]

    def decision_function(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> Floats:
        """Return log-odds; NaN where there is no score."""
        return self._points(events, profile_ids, as_of, buckets)[0]

    def columns(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> tuple[sparse.csc_matrix, Flags]:
        """Return profiles' columns of whole numbers, and who has a journey at all."""
        check_is_fitted(self, "learned_")
        instant = read_time(as_of)
        profiles = [str(profile) for profile in profile_ids]
        log = read_events(events).before(instant)
        when = np.full(len(profiles), instant)
        if buckets is None:
            told = build(log, self.schema_, log.find(profiles), when)
        else:
            told = build_from_days(log, self.schema_, profiles, instant, buckets)
        there = np.asarray(told[:, _places(self.schema_, [ANYTHING])].toarray()[:, 0] > 0)
        return told[:, self.columns_], there

    def drift(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> list[Alarm]:
        """Return what differs between these profiles and those that it learned from."""
        told, there = self.columns(events, profile_ids, as_of, buckets)
        coded = self.scales_.code_sparse(told).rows(np.flatnonzero(there))
        return alarms.drifts(self.learned_.model, self.scales_, self.learned_.unseen_points, coded)

    def to_bytes(self, key: bytes) -> bytes:
        """Return the model as sealed bytes; the same data and chance give the same."""
        check_is_fitted(self, "learned_")
        return sealed(self, {"kind": KIND, "signs": list(self.schema_.signs)}, key)

    @classmethod
    def from_bytes(cls, data: bytes, key: bytes) -> Self:
        """Return the model that sealed bytes hold; BadModel for anything else."""
        found = cls()
        about = unsealed(found, KIND, data, key)
        found.schema_ = Schema(tuple(about["signs"]))
        found.columns_ = _places(found.schema_, [scale.name for scale in found.scales_.all])
        return found

    def _told_as(self) -> tuple[list[str], list[str]]:
        names, groups = self.schema_.names, self.schema_.groups
        return [names[n] for n in self.columns_], [groups[n] for n in self.columns_]

    def _points(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None
    ) -> tuple[Floats, Coded]:
        told, there = self.columns(events, profile_ids, as_of, buckets)
        coded = self.scales_.code_sparse(told)
        points = self.learned_.model.log_odds(self.scales_, coded)
        silent = ~there | (self.state_ == State.UNTRAINED)
        return np.where(silent, np.nan, points), coded

    def _learn(self, rows: Rows, wins: Wins, coded: Coded) -> None:
        usable = int(wins.usable.sum())
        sample = Sample(self.scales_, coded, rows.y, rows.weights)
        self.verdict_: Verdict | None = None
        self.alarms_: list[Alarm] = []
        if usable < learning.LEARNING_FROM or not len(coded):
            base = log_odds(sample.base)
            self.learned_ = learning.Learned(prior_points(self.scales_, base), base)
            self.state_ = str(State.RULES if usable else State.UNTRAINED)
            return
        seed = int(self.random_state)
        self.learned_ = learning.learn(sample, seed, rows.who, rows.newest)
        self.state_ = str(State.LEARNING)
        unseen, y = self.learned_.unseen_points, rows.y[self.learned_.seen]
        self.alarms_ = alarms.leaks(self.learned_.model, self.scales_, coded, y, unseen)
        if usable < learning.TRAINED_FROM:
            return
        self.verdict_ = judge_first(y, unseen, self.learned_.base, seed)
        if self.verdict_.promoted:
            self.state_ = str(State.TRAINED)

    def _report(
        self, rows: Rows, wins: Wins, whole: Schema, told: sparse.csc_matrix
    ) -> dict[str, Any]:
        verdict = self.verdict_
        return {
            "state": self.state_,
            "customers": wins.told,
            "usable_customers": int(wins.usable.sum()),
            "customers_learned_from": len(np.unique(rows.who[rows.y > 0])),
            "profiles": len(np.unique(rows.who)),
            "rows": len(rows.y),
            "rows_won": int(rows.y.sum()),
            "horizon_days": rows.horizon_days,
            "provisional": rows.provisional,
            "columns_defined": len(whole),
            "columns_seen": int((np.diff(told.indptr) > 0).sum()),
            "columns_used": len(self.columns_),
            "columns_per_row": float(told.nnz / max(1, told.shape[0])),
            "schema": self.schema_.digest,
            "members": dict(self.learned_.members),
            "promoted": bool(verdict and verdict.promoted),
            "gate": list(verdict.reasons) if verdict else ["fewer than 20 usable customers"],
            "metrics": dict(verdict.figures) if verdict else {},
            "alarms": [alarm.text for alarm in self.alarms_],
            "window": [_said(int(when)) for when in (rows.when.min(), rows.when.max())]
            if len(rows.when)
            else [],
        }

    def _band(self) -> tuple[float, State]:
        return self.learned_.base, State(self.state_)

    def _pictures(self, rows: Rows, coded: Coded) -> dict[str, Any]:
        learned = self.learned_
        seen = learned.seen
        wins = len(np.unique(rows.who[seen][rows.y[seen] > 0]))
        return {
            "plots": summary.plots(learned, self.scales_, coded, rows.y, self._band()),
            "uncertainty": summary.uncertainty(learned.unseen_points, rows.y[seen], wins),
        }


ANYTHING = "all:|count_1000000"


def build(log: Events, schema: Schema, who: Ints, when: Ints) -> sparse.csc_matrix:
    """Return rows by columns, from raw events strictly before each row's instant."""
    names = Names()
    by = reader(log, names)
    parts = []
    for start in range(0, len(who), CHUNK):
        here = slice(start, start + CHUNK)
        daily = from_events(by, who[here], when[here])
        parts.append(matrix(schema, names, daily, when[here]).tocsr())  # rows stack without copies
    whole = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, len(schema)))
    del parts
    return whole.tocsc()


def build_from_days(
    log: Events, schema: Schema, profiles: Sequence[str], when: int, buckets: Buckets
) -> sparse.csc_matrix:
    """Return the same for one instant, from day buckets and that day's events."""
    names = Names()
    by = reader(log, names)
    daily: Daily = from_days(by, profiles, when, buckets)
    return matrix(schema, names, daily, np.full(len(profiles), when))


def worth_keeping(told: sparse.csc_matrix) -> Ints:
    """Return the columns that enough rows tell something by, each of equal ones once."""
    least = max(LEAST_SEEN, round(LEAST_SHARE * told.shape[0]))
    often = np.flatnonzero(np.diff(told.indptr) >= least)
    told.sort_indices()
    seen: dict[bytes, int] = {}
    for column in often.tolist():
        here = slice(told.indptr[column], told.indptr[column + 1])
        digest = hashlib.blake2b(told.indices[here].tobytes())
        digest.update(told.data[here].tobytes())
        seen.setdefault(digest.digest(), column)
    return np.array(sorted(seen.values()), np.int64)


def ruled(schema: Schema) -> Ints:
    """Return the columns that prior rules give points for."""
    return np.array([n for n, name in enumerate(schema.names) if name in PRIOR], np.int64)


def narrowed(schema: Schema, columns: Ints) -> Schema:
    """Return a schema of the signs that some columns are of, and of "anything done"."""
    names = schema.names
    signs = {names[n].rpartition("|")[0] for n in columns.tolist()} | {"all:"}
    return Schema(tuple(sorted(signs)))


def _places(schema: Schema, names: Sequence[str]) -> Ints:
    place = {name: number for number, name in enumerate(schema.names)}
    return np.array([place[name] for name in names], np.int64)


def _said(instant: int) -> str:
    return datetime.fromtimestamp(instant / MICROSECOND, UTC).isoformat()
