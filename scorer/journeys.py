"""JourneyScorer: learns from journeys who becomes a customer, never fooled by the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorer import alarms, learning, summary
from scorer.alarms import Alarm, Watched
from scorer.bands import State, scores
from scorer.building import (
    ANYTHING,
    LATELY,
    build,
    build_from_days,
    narrowed,
    places,
    ruled,
    worth_keeping,
)
from scorer.cells import word_of
from scorer.champion import held_out, outgrown, without_new_leaks
from scorer.days import Buckets
from scorer.events import MICROSECOND, Events, read_events, read_time
from scorer.features import Schema, learn_schema
from scorer.gates import Order, Standing, Verdict, judge, judge_first, order_among
from scorer.kinds import Chance, Flags, Floats, Ints, chances, log_odds, seed_of
from scorer.landmarks import (
    Rows,
    Wins,
    last_seen,
    make_complete_rows,
    make_rows,
    read_wins,
    thinned,
)
from scorer.levels import Coded, Scales, learn_sparse
from scorer.members import Sample
from scorer.points import reasons
from scorer.readiness import readiness
from scorer.rules import prior_points
from scorer.saved import sealed, unsealed

KIND = "journeys"
FEWEST_GROWN = 10  # customers in rows after the first event, by which an order is judged alone


class Rated(NamedTuple):
    """What a model says of profiles, a row each."""

    points: Floats
    scores: Ints
    reasons: list[dict[str, float]]


class JourneyScorer(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores profiles by their journeys: the chance to become a customer within a horizon.

    Events have `profile_id, type, code, url, occurred_at` and may have `received_at` and others;
    customers have `profile_id, customer_at` and may have `deal`. Instants are UTC if unsaid.
    """

    base_: float  # in log-odds; the bands of scores hang on it
    learned_: learning.Learned

    def __init__(self, random_state: Chance = 0) -> None:
        self.random_state = random_state

    def fit(
        self,
        events: Any,
        customers: Any,
        as_of: Any,
        horizon_days: int | None = None,
        *,
        champion: Self | None = None,
        accept_shift: bool = False,
    ) -> Self:
        """Learn from what had happened and come in before an instant.

        A trained `champion` must be beaten on rows that neither has seen, and scores keep its base;
        `accept_shift` is a person's word that they may move, and that alarms have been looked at.
        """
        instant = read_time(as_of)
        self._seed = seed_of(self.random_state)
        log = read_events(events).before(instant)
        wins = read_wins(log, customers, instant)
        made = make_rows(log, wins, instant, horizon_days)
        rows, share = thinned(made, self._seed)
        last = last_seen(rows, len(log.profiles))[log.who]
        whole = learn_schema(log.keep((log.occurred < last) & (log.received < last)))
        told = build(log, whole, rows.who, rows.when)
        kept = np.union1d(worth_keeping(told), ruled(whole))
        self.schema_ = narrowed(whole, kept)
        self.columns_: Ints = places(self.schema_, [whole.names[n] for n in kept])
        names, groups = self._told_as()
        self.scales_: Scales = learn_sparse(names, groups, told[:, kept])
        coded = self.scales_.code_sparse(told[:, kept])
        self._learn(rows, wins, coded)
        recent = np.intersect1d(rows.shared, self._lately(told[:, kept]))
        recent = recent[self._as_many(rows, share)[recent]]
        self.reference_ = alarms.reference(self.learned_.model, self.scales_, coded.rows(recent))
        offset = float(np.log(share))  # how much rarer successes are than among the rows
        self._judge(log, rows, (champion, offset), accept_shift=accept_shift)
        self.report_ = self._report(rows, wins, whole, told) | {"as_of": _said(instant)}
        self.report_ |= self._pictures(rows, coded) | {"fill": summary.fill(whole, told, rows.who)}
        self.report_["readiness"] = readiness(self.report_)
        if share < 1.0:
            self.report_["share_of_lost"] = share
            self._put_back(offset)
        return self

    def _put_back(self, offset: float) -> None:
        """Have chances hold for everybody: only some of the lost were learned from."""
        learned = self.learned_
        moved = learned.unseen_points + offset
        model = learned.model.scaled(1.0, offset)
        if self.base_ == learned.base:
            self.base_ += offset
        self.learned_ = replace(
            learned, model=model, base=learned.base + offset, unseen_points=moved
        )
        self.reference_ = replace(self.reference_, points=self.reference_.points + offset)

    def _as_many(self, rows: Rows, share: float) -> Flags:
        """Return rows of which as few are of winners as there are among all people."""
        chance = np.random.default_rng(self._seed)
        won = np.isin(rows.who, np.unique(rows.who[rows.y > 0]))
        return np.asarray(~won | (chance.random(len(won)) < share), np.bool_)

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
        return self.rate(events, profile_ids, as_of, buckets).scores

    def rebase(self) -> Self:
        """Let scores hang on the model's own base from now on: they may all move at once."""
        self.base_ = self.learned_.base
        return self

    def explain(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> list[dict[str, float]]:
        """Return points by group, which sum with "intercept" to the log-odds; empty: no score."""
        return self.rate(events, profile_ids, as_of, buckets).reasons

    def rate(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> Rated:
        """Return log-odds, scores and reasons at once; NaN, 0 and empty where there is no score."""
        points, coded = self._points(events, profile_ids, as_of, buckets)
        silent = np.isnan(points)
        told = scores(np.nan_to_num(points), self.base_, State(self.state_))
        why = reasons(self.learned_.model, self.scales_, coded).as_dicts()
        return Rated(
            points,
            np.where(silent, 0, told),
            [{} if none else one for none, one in zip(silent.tolist(), why, strict=True)],
        )

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
        profiles = [word_of(profile) for profile in profile_ids]
        log = read_events(events).before(instant)
        when = np.full(len(profiles), instant)
        if buckets is None:
            told = build(log, self.schema_, log.find(profiles), when)
        else:
            told = build_from_days(log, self.schema_, profiles, instant, buckets)
        there = np.asarray(told[:, places(self.schema_, [ANYTHING])].toarray()[:, 0] > 0)
        return told[:, self.columns_], there

    def drift(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None = None
    ) -> list[Alarm]:
        """Return what differs between these profiles and those that it learned from."""
        coded = self._here_lately(events, profile_ids, as_of, buckets)
        return alarms.drifts(self.learned_.model, self.scales_, self.reference_, coded)

    def outcomes(self, events: Any, customers: Any, as_of: Any) -> list[Alarm]:
        """Return how what it foretells differs from what has become known since it learned."""
        return alarms.outcomes(*self._matured(events, customers, as_of))

    def watch(self, events: Any, profile_ids: Sequence[str], customers: Any, as_of: Any) -> Watched:
        """Return how the world has moved away from it since it learned."""
        log = read_events(events)
        parts = self.learned_.model, self.scales_, self.reference_
        coded = self._here_lately(log, profile_ids, as_of, None)
        points, y, order = self._matured(log, customers, as_of)
        return Watched(
            [*alarms.drifts(*parts, coded), *alarms.outcomes(points, y, order)],
            alarms.score_shift(*parts, coded),
            alarms.missed(points, y),
        )

    def _here_lately(
        self, events: Any, profile_ids: Sequence[str], as_of: Any, buckets: Buckets | None
    ) -> Coded:
        told, _ = self.columns(events, profile_ids, as_of, buckets)
        return self.scales_.code_sparse(told).rows(self._lately(told))

    def _matured(self, events: Any, customers: Any, as_of: Any) -> tuple[Floats, Floats, Order]:
        """Return what was foretold, and what has become known since it learned."""
        instant = read_time(as_of)
        log = read_events(events).before(instant)
        wins = read_wins(log, customers, instant)
        rows = make_complete_rows(log, wins, instant, int(self.report_["horizon_days"]))
        fresh = np.flatnonzero(rows.known > read_time(self.report_["as_of"]))
        points = self.at_landmarks(log, rows.who[fresh], rows.when[fresh])
        y = rows.y[fresh]
        return points, y, self._order(rows, fresh, y, points)

    def to_bytes(self, key: bytes) -> bytes:
        """Return the model as sealed bytes; the same data and chance give the same."""
        check_is_fitted(self, "learned_")
        more = {"kind": KIND, "signs": list(self.schema_.signs), "frozen_base": self.base_}
        return sealed(self, more | {"reference": alarms.as_lists(self.reference_)}, key)

    @classmethod
    def from_bytes(cls, data: bytes, key: bytes) -> Self:
        """Return the model that sealed bytes hold; BadModel for anything else."""
        found = cls()
        about = unsealed(found, KIND, data, key)
        found.schema_ = Schema(tuple(about["signs"]))
        found.base_ = about["frozen_base"]
        found.reference_ = alarms.from_lists(about["reference"])
        found.columns_ = places(found.schema_, [scale.name for scale in found.scales_.all])
        return found

    def _lately(self, told: sparse.csc_matrix) -> Ints:
        """Return the rows of those who were here in the last 30 days, of all ages alike."""
        names = [scale.name for scale in self.scales_.all]
        return np.flatnonzero(told[:, [names.index(LATELY)]].toarray()[:, 0] > 0)

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
        self.alarms_: list[Alarm] = []
        if usable < learning.LEARNING_FROM or not len(coded):
            base = log_odds(sample.base)
            self.learned_ = learning.Learned(prior_points(self.scales_, base), base)
            self.state_ = str(State.RULES if usable else State.UNTRAINED)
            return
        self.learned_ = learning.learn(sample, self._seed, rows.who, rows.newest)
        self.state_ = str(State.LEARNING)
        seen, unseen = self.learned_.seen, self.learned_.unseen_points
        y, whose = rows.y[seen], rows.who[seen]
        self.alarms_ = alarms.leaks(
            self.learned_.model, self.scales_, coded.rows(seen), y, unseen, whose
        )

    def _judge(
        self, log: Events, rows: Rows, before: tuple[Self | None, float], *, accept_shift: bool
    ) -> None:
        champion, offset = before
        self.base_ = self.learned_.base
        self.verdict_: Verdict | None = None
        serving = champion if champion is not None and champion.state_ == State.TRAINED else None
        if serving is not None:
            self.base_ = serving.base_
        customers = len(np.unique(rows.who[self.learned_.seen][rows.y[self.learned_.seen] > 0]))
        if self.state_ != State.LEARNING or customers < learning.TRAINED_FROM:
            return
        if serving is None:
            self.verdict_ = self._first(rows)
        elif outgrown(customers, serving.report_):
            self.verdict_ = self._first(rows)
            if not accept_shift:
                self.verdict_ = without_new_leaks(self.verdict_, self.alarms_, serving.alarms_)
        else:
            self.verdict_ = self._next(log, rows, (serving, offset), accept_shift=accept_shift)
        if self.verdict_.promoted:
            self.state_ = str(State.TRAINED)

    def _first(self, rows: Rows) -> Verdict:
        seen, points = self.learned_.seen, self.learned_.unseen_points
        y = rows.y[seen]
        order = self._order(rows, seen, y, points)
        return judge_first(y, points, self.learned_.base, self._seed, order=order)

    def _order(self, rows: Rows, which: Ints, y: Floats, points: Floats) -> Order:
        grown = np.flatnonzero(rows.kind[which] > 0)  # the first event alone is no behaviour yet
        if len(np.unique(rows.who[which][grown][y[grown] > 0])) < FEWEST_GROWN:
            grown = np.arange(len(which))
        of = which[grown]
        among = Standing(rows.who[of], rows.kind[of], rows.came[of])
        return order_among(y[grown], points[grown], among)

    def _next(
        self, log: Events, rows: Rows, before: tuple[Self, float], *, accept_shift: bool
    ) -> Verdict:
        champion, offset = before
        which = held_out(rows, self.learned_, read_time(champion.report_["as_of"]))
        seen = self.learned_.seen[which]
        verdict = judge(
            rows.y[seen],
            self.learned_.unseen_points[which],
            champion.at_landmarks(log, rows.who[seen], rows.when[seen]) - offset,
            self._seed,
            accept_shift=accept_shift,
            base=champion.base_ - offset,
        )
        if accept_shift:
            return verdict
        return without_new_leaks(verdict, self.alarms_, champion.alarms_)

    def at_landmarks(self, log: Events, who: Ints, when: Ints) -> Floats:
        """Return the log-odds of a log's profiles at instants, by what had come in before those."""
        told = build(log, self.schema_, who, when)[:, self.columns_]
        return self.learned_.model.log_odds(self.scales_, self.scales_.code_sparse(told))

    def _report(
        self, rows: Rows, wins: Wins, whole: Schema, told: sparse.csc_matrix
    ) -> dict[str, Any]:
        verdict = self.verdict_
        return {
            "state": self.state_,
            "customers": wins.told,
            "usable_customers": int(wins.usable.sum()),
            "customers_heard_of_late": wins.late,
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
        return self.base_, State(self.state_)

    def _pictures(self, rows: Rows, coded: Coded) -> dict[str, Any]:
        learned = self.learned_
        seen = learned.seen
        wins = len(np.unique(rows.who[seen][rows.y[seen] > 0]))
        return {
            "plots": summary.plots(learned, self.scales_, coded, rows.y, self._band()),
            "uncertainty": summary.uncertainty(learned.unseen_points, rows.y[seen], wins),
        }


def _said(instant: int) -> str:
    return datetime.fromtimestamp(instant / MICROSECOND, UTC).isoformat()
