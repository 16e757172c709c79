"""Commands about models and scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from connector import bootstrap
from connector.commands.shown import as_json, guarded, show, table
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId
from connector.pipeline import ageing, modelling
from connector.pipeline.drain import drain

account = click.argument("account_id")
_SHOWN = ("id", "made_at", "state", "score_state", "customers", "held")


@click.command()
@account
@as_json
@guarded
def train(account_id: str, *, json_: bool) -> None:
    """Learn from an account's customers now, and score everybody anew."""
    from connector.pipeline.training import train as learn  # noqa: PLC0415 - loads scikit-learn

    services = bootstrap.services()
    found = learn(services, AccountId(account_id), "asked for")
    if found is None:
        raise ConnectorError("a training of this account is under way", advice="wait for its end")
    drain(services, AccountId(account_id))
    names = ("customers", "usable_customers", "rows", "rows_won", "horizon_days", "metrics")
    told = {name: found.report[name] for name in (*names, "gate", "alarms")}
    result = {"model_id": found.model_id, "state": found.state, "promoted": found.promoted, **told}
    text = f"{found.state}: {told['usable_customers']} usable of {told['customers']} customers, "
    text += f"{told['rows']:,} rows; " + ("it serves now" if found.promoted else "it may not serve")
    reasons = [*told["gate"]] * (not found.promoted) + [*told["alarms"]]
    reasons += found.report["readiness"]["sentences"][1:]
    show(result, "\n  ".join([text, *reasons]), json_=json_)


@click.command()
@account
@as_json
@guarded
def rescore(account_id: str, *, json_: bool) -> None:
    """Score everybody of an account anew, and tell the CRMs what has changed."""
    services = bootstrap.services()
    with services.store.reading() as unit:
        own = unit.account(account_id).id
    ageing.rescore(services, own)
    drain(services, own)
    with services.store.reading() as unit:
        spread = unit.scores.spread(own)
    scored = sum(number for value, number in spread.items() if value is not None)
    result = {"scored": scored, "without_score": spread.get(None, 0)}
    show(result, f"{scored:,} have a score, {spread.get(None, 0):,} have none", json_=json_)


@click.command()
@account
@as_json
@guarded
def models(account_id: str, *, json_: bool) -> None:
    """List an account's models, newest first."""
    services = bootstrap.services()
    with services.store.reading() as unit:
        own = unit.account(account_id).id
    rows: list[Mapping[str, Any]] = [
        {
            "id": one.id,
            "made_at": one.made_at.isoformat(timespec="seconds"),
            "state": one.state,
            "score_state": str(one.score_state),
            "customers": one.report["usable_customers"],
            "held": one.held,
        }
        for one in modelling.models(services, own)
    ]
    show(rows, table(rows, [*_SHOWN], "no model yet: mark a Customer"), json_=json_)


@click.command()
@account
@as_json
@guarded
def rollback(account_id: str, *, json_: bool) -> None:
    """Have the model serve again that served before, and score everybody with it."""
    services = bootstrap.services()
    with services.store.reading() as unit:
        own = unit.account(account_id).id
    found = modelling.roll_back(services, own)
    show({"model_id": found.id}, f"{found.id} serves again", json_=json_)


COMMANDS = (train, rescore, models, rollback)
