"""Everybody is scored anew: after a training, on request, and because time passes."""

from __future__ import annotations

from datetime import timedelta

from connector.domain.facts import AccountId
from connector.domain.visits import day_of
from connector.pipeline.services import Services

# When the day turns for models and scores, in UTC: most of the world's sales are at home.
NIGHT = timedelta(hours=3)
NIGHTLY = "night"


def rescore(services: Services, account_id: AccountId, *, at_once: bool = True) -> None:
    """Have everybody of an account scored anew, and soon."""
    last: str | None = ""
    while last is not None:
        with services.store.writing() as unit:
            last = unit.scores.mark_next(account_id, last, services.now(), at_once=at_once)
    services.wake("drain", account_id)


def grow_older(services: Services) -> None:
    """Have those accounts trained and scored anew for which a new day has begun."""
    today = day_of(services.now() - NIGHT)
    with services.store.reading() as unit:
        older = [account for account, aged_on in unit.models.aged() if aged_on < today]
    for account_id in older:
        with services.store.writing() as unit:
            unit.models.grow_older(AccountId(account_id), today)
            if unit.scores.customers(AccountId(account_id)):
                unit.models.want(AccountId(account_id), NIGHTLY, services.now())
        services.wake("train", account_id)
