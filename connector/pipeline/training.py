"""Learns from those who became customers: one training at a time for an account.

It reads without holding anybody up, and writes the model as one row. Who is to be scored again is
marked piece by piece; the drain does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from connector import figures
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId
from connector.domain.scores import ScoreState
from connector.pipeline.ageing import NIGHTLY, rescore
from connector.pipeline.rating import read_log
from connector.pipeline.services import Services
from scorer import JourneyScorer
from scorer.landmarks import ripening
from scorer.learning import TRAINED_FROM

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit
    from scorer.events import Events

log = structlog.get_logger(__name__)
SERVING, REFUSED = "serving", "refused"
# People whose places among all are known; more would not tell more.
SURVEYED, STEPS = 20_000, 101
REMEMBERED = 90  # days of scores


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    model_id: str
    state: str
    promoted: bool
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is learned from."""

    events: Events
    customers: Mapping[str, list[Any]]
    now: datetime
    champion: JourneyScorer | None


def train(services: Services, account_id: AccountId, why: str = "") -> Trained | None:
    """Learn an account's model anew; None while another process does, or where nothing waits.

    With `why` it is learned whether or not anybody waits. Raises NotFound, and ConnectorError
    where it can't be learned: then the model before goes on serving.
    """
    fence = services.store.take(f"train:{account_id}")
    if fence is None:
        return None
    try:
        reason = _begin(services, account_id, fence, why)
        if not reason:
            return None
        with services.store.keeping(fence), figures.timed("bb_training_seconds"):
            trained = _train(services, account_id, fence, reason)
        rescore(services, account_id, at_once=reason != NIGHTLY)
        return trained
    finally:
        services.store.drop(fence)


def _begin(services: Services, account_id: AccountId, fence: Fence, why: str) -> str:
    """Note that a training begins; return why, "" where nobody wants one."""
    now = services.now()
    with services.store.writing(fence) as unit:
        unit.account(account_id)
        if why:
            unit.models.want(account_id, why, now)
        wanted = unit.models.training(account_id)
        if wanted.wanted_at is None:
            return ""
        unit.models.begin(account_id, now)
        return why or wanted.why


def _train(services: Services, account_id: AccountId, fence: Fence, why: str) -> Trained:
    """Learn a model and store it; whatever is wrong is noted, what passes with time is raised."""
    try:
        scorer, more = _learn(_read(services, account_id), why)
        return _keep(services, account_id, fence, scorer, more)
    except ConnectorError:
        raise  # the database is busy, or the lease is lost: the training stays wanted
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        with services.store.writing(fence) as unit:
            unit.models.end(account_id, services.now(), reason)
        raise ConnectorError(
            f"the model can't be learned: {reason}",
            advice="the model before goes on serving; `connector train` tries again",
        ) from error


def _learn(lesson: _Lesson, why: str) -> tuple[JourneyScorer, Mapping[str, Any]]:
    """Return a model, and what its report says beside what it says itself."""
    scorer = JourneyScorer(random_state=0)
    scorer.fit(lesson.events, lesson.customers, lesson.now, champion=lesson.champion)
    return scorer, {
        "why": why,
        "spread": _spread(scorer, lesson),
        "ripening": _ripening(lesson, scorer.report_["horizon_days"]),
        **_moved(lesson),
    }


def _read(services: Services, account_id: AccountId) -> _Lesson:
    now = services.now()
    with services.store.reading() as unit:
        events = read_log(unit.scores.log(account_id))
        customers = _customers(unit, account_id)
        row = unit.models.serving(account_id)
        champion = services.shelf.scorer(unit, account_id, row.id) if row else None
    return _Lesson(events, customers, now, champion)


def _customers(unit: Unit, account_id: AccountId) -> Mapping[str, list[Any]]:
    """Return who became a customer, when, and whose win was one and the same."""
    rows = unit.scores.customers(account_id)
    deals = unit.ties.shared_wins(account_id, [one for one, _ in rows])
    return {
        "profile_id": [str(one) for one, _ in rows],
        "customer_at": [when for _, when in rows],
        "deal": [deals.get(one, "") for one, _ in rows],
    }


def _ripening(lesson: _Lesson, horizon_days: int) -> Mapping[str, Any]:
    """Return what the customers add now, and later, and when the last of it is ripe."""
    found = ripening(lesson.events, lesson.customers, lesson.now, horizon_days).values()
    last = max((one.ripe_at for one in found if one.rows_later), default=None)
    return {
        "rows_now": sum(one.rows_now for one in found),
        "rows_later": sum(one.rows_later for one in found),
        "ripe_at": last.isoformat() if last else None,
    }


def _moved(lesson: _Lesson) -> Mapping[str, Any]:
    """Return how the world has moved away from the model that serves: alarms, and figures."""
    champion = lesson.champion
    if champion is None or champion.state_ != ScoreState.TRAINED:
        return {"moved": {}, "drift": []}
    still = _still(lesson)
    people = still[:: _stride(still)]
    told = champion.watch(lesson.events, people, lesson.customers, lesson.now)
    today = {"psi": told.psi, "calibration_error": told.calibration_error}
    return {
        "moved": {f"{alarm.kind} {alarm.about}": alarm.text for alarm in told.alarms},
        "drift": [{"at": lesson.now.date().isoformat(), **today}],
    }


def _still(lesson: _Lesson) -> list[str]:
    """Return who is no customer."""
    won = set(lesson.customers["profile_id"])
    return [one for one in lesson.events.profiles if one not in won]


def _stride(people: Sequence[str]) -> int:
    return max(1, len(people) // SURVEYED)


def _spread(scorer: JourneyScorer, lesson: _Lesson) -> Sequence[float]:
    """Return the points below which each hundredth of those stands who are no customers."""
    still = _still(lesson)
    points = scorer.decision_function(lesson.events, still[:: _stride(still)], lesson.now)
    there = points[~np.isnan(points)]
    return np.quantile(there, np.linspace(0, 1, STEPS)).tolist() if len(there) else []


def _keep(
    services: Services,
    account_id: AccountId,
    fence: Fence,
    scorer: JourneyScorer,
    more: Mapping[str, Any],
) -> Trained:
    """Store the model, to serve or only to be looked at."""
    now, model_id = services.now(), services.new_id("mdl")
    report = {**scorer.report_, **more}
    with services.store.writing(fence) as unit:
        before = unit.models.serving(account_id)
        promoted = _may_serve(scorer, before)
        if before is not None and not promoted and (told := news(report["moved"], before.report)):
            unit.models.hold(before.id, "; ".join(told))
        report |= _history(unit, account_id, report, now)
        row = {
            "id": model_id,
            "account_id": account_id,
            "made_at": now,
            "state": SERVING if promoted else REFUSED,
            "score_state": scorer.state_,
            "held": _held(scorer),
            "report": report,
            "artefact": scorer.to_bytes(unit.models.key(account_id)),
        }
        unit.models.add(row)
        unit.models.end(account_id, now)
    names = {"model_id": model_id, "state": scorer.state_, "promoted": promoted}
    log.info("model_trained", account_id=account_id, **names)
    return Trained(model_id, scorer.state_, promoted, report)


def news(moved: Mapping[str, str], champion: Mapping[str, Any]) -> list[str]:
    """Return the alarms in spite of which nobody has had the champion serve, by its report."""
    accepted = champion.get("accepted", ())
    return [text for about, text in moved.items() if about not in accepted]


def _history(
    unit: Unit, account_id: AccountId, report: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return how many had which score, and how far these had drifted, day by day, with today."""
    today = now.date().isoformat()
    counts = {str(value): n for value, n in unit.scores.spread(account_id).items() if value}
    last: Mapping[str, Any] = next((row.report for row in unit.models.all(account_id)), {})
    days = [day for day in last.get("distribution", []) if day[0] != today]
    drift = [each for each in last.get("drift", []) if each["at"] != today]
    return {
        "distribution": [*days, [today, counts]][-REMEMBERED:],
        "drift": [*drift, *report["drift"]][-REMEMBERED:],
    }


def _held(scorer: JourneyScorer) -> str:
    """Return why a trained model's scores are not told; what is learning is known for a guess."""
    if scorer.state_ != ScoreState.TRAINED:
        return ""
    return "; ".join(alarm.text for alarm in scorer.alarms_)


def _may_serve(scorer: JourneyScorer, before: Any) -> bool:
    """Say whether a model takes over: what is still learning does, what is trained must pass."""
    if before is None or before.score_state != ScoreState.TRAINED:
        return True
    too_few = scorer.report_["usable_customers"] < TRAINED_FROM  # marks were taken back
    return too_few or bool(scorer.report_["promoted"])
