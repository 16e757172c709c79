"""What an admin does with models: looks at them, has one serve, or goes back to the last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from connector.domain.errors import Refused
from connector.domain.facts import AccountId
from connector.domain.scores import ScoreState
from connector.pipeline.ageing import rescore
from connector.pipeline.services import Services
from scorer.readiness import readiness

if TYPE_CHECKING:
    from connector.store.models import Training
    from connector.store.unit import Unit


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A model as an admin sees it; `held` says why its scores are not told to the CRMs."""

    id: str
    made_at: datetime
    state: str
    score_state: ScoreState
    held: str
    report: Mapping[str, Any]


def models(services: Services, account_id: AccountId) -> list[Model]:
    """Return an account's models, newest first."""
    with services.store.reading() as unit:
        return [_model(row) for row in unit.models.all(account_id)]


def serving(found: Sequence[Model]) -> Model | None:
    """Return the model that serves, with what the newest knows: how ready the data is, and days.

    A newer model that was refused was still learned from all customers of its day.
    """
    best = next((one for one in found if one.state == "serving"), None)
    if best is None or found[0] is best:
        return best
    newest = found[0].report
    state = {"state": best.score_state, "promoted": best.score_state == ScoreState.TRAINED}
    ready = readiness({**newest, **state})
    if found[0].state == "refused":
        ready["sentences"].append(f"the newest model does not serve: {'; '.join(newest['gate'])}")
    days = {name: newest[name] for name in ("distribution", "drift") if name in newest}
    return replace(best, report={**best.report, **days, "readiness": ready})


def want(services: Services, account_id: AccountId) -> Training:
    """Have a model learned soon; return how that stands."""
    with services.store.writing() as unit:
        unit.models.want(account_id, "asked for", services.now())
        told = unit.models.training(account_id)
    services.wake("train", account_id)
    return told


def give_up(services: Services, account_id: AccountId, reason: str) -> None:
    """Note why what an account wants learned can't even be begun; it is wanted no more."""
    now = services.now()
    with services.store.writing() as unit:
        unit.models.begin(account_id, now)
        unit.models.end(account_id, now, reason)


def promote(services: Services, account_id: AccountId, model_id: str) -> Model:
    """Have a model serve, in spite of gates and alarms, and everybody scored with it.

    Raises NotFound.
    """
    with services.store.writing() as unit:
        unit.models.one(account_id, model_id)
        unit.models.promote(account_id, model_id)
        found = _model(unit.models.one(account_id, model_id))
    rescore(services, account_id)
    return found


def rebase(services: Services, account_id: AccountId, model_id: str) -> Model:
    """Have a model serve with its scores' bands around its own base, kept as a model of its own.

    From then on a number means other odds than before; the report says which. Raises NotFound,
    and Refused for a model that can't be read.
    """
    with services.store.reading() as unit:
        row = unit.models.one(account_id, model_id)
        scorer = services.shelf.scorer(unit, account_id, model_id)
        key = unit.models.key(account_id)
    if scorer is None:
        raise Refused(f"the model {model_id} can't be read", advice="`connector train` makes one")
    before = scorer.base_
    fresh = type(scorer).from_bytes(scorer.to_bytes(key), key).rebase()
    moved = {"from": before, "to": fresh.base_, "at": services.now().isoformat()}
    made = {
        "id": services.new_id("mdl"),
        "account_id": account_id,
        "made_at": services.now(),
        "state": "kept",
        "score_state": row.score_state,
        "held": "",
        "report": {**row.report, "rebased": moved},
        "artefact": fresh.to_bytes(key),
    }
    with services.store.writing() as unit:
        unit.models.add(made)
    log.warning("scores_rebased", account_id=account_id, model_id=made["id"], **moved)
    return promote(services, account_id, made["id"])


def roll_back(services: Services, account_id: AccountId) -> Model:
    """Have the model serve again that served before; raise Refused where there is none.

    One that can't be read is passed over.
    """
    with services.store.reading() as unit:
        before = next(_before(services, unit, account_id), None)
    if before is None:
        raise Refused("no model served before this one", advice="`connector models` lists them")
    return promote(services, account_id, before)


def _before(services: Services, unit: Unit, account_id: AccountId) -> Iterator[str]:
    rows = unit.models.all(account_id)
    now = next((row.made_at for row in rows if row.state == "serving"), None)
    for row in rows:
        is_older = row.state == "kept" and (now is None or row.made_at < now)
        if is_older and services.shelf.scorer(unit, account_id, row.id) is not None:
            yield row.id


def _model(row: Any) -> Model:
    return Model(row.id, row.made_at, row.state, ScoreState(row.score_state), row.held, row.report)
