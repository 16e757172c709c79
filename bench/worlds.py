"""Made-up accounts whose truth is known: four kinds of chance, and one of behaviour that tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
AS_OF = START + timedelta(days=DAYS)
PAGES = ("/", "/blog/a", "/docs", "/about", "/pricing", "/careers")

Chance = np.random.Generator


@dataclass(frozen=True, slots=True)
class World:
    """An account's event log and its customers."""

    events: list[dict[str, Any]]
    customers: list[dict[str, Any]]


def at_random(chance: Chance, people: int, customers: int) -> World:
    """Let anybody win, at any time after the first visit."""
    came = chance.uniform(0, DAYS - 30, people)
    events = [row for n in range(people) for row in _journey(chance, n, came[n])]
    won = chance.choice(people, customers, replace=False)
    return World(events, [_customer(n, chance.uniform(came[n], DAYS)) for n in won])


def after_a_fixed_lag(chance: Chance, people: int, customers: int) -> World:
    """Let anybody win, 4 to 14 days after the first visit: its age alone foretells the win."""
    came = chance.uniform(0, DAYS - 20, people)
    events = [row for n in range(people) for row in _journey(chance, n, came[n])]
    won = chance.choice(people, customers, replace=False)
    return World(events, [_customer(int(n), came[n] + chance.uniform(4, 14)) for n in won])


def heavy_users(chance: Chance, people: int, customers: int) -> World:
    """Give most of everything to a few, for months; anybody wins."""
    came = chance.uniform(0, DAYS - 30, people)
    busy = np.minimum(1 + chance.pareto(0.8, people) * 3, 150).astype(int)
    events = [
        row
        for n in range(people)
        for row in _journey(chance, n, came[n], int(busy[n]), float(chance.uniform(1, 60)))
    ]
    won = chance.choice(people, customers, replace=False)
    return World(events, [_customer(n, chance.uniform(came[n], DAYS)) for n in won])


def in_bursts(chance: Chance, people: int, customers: int) -> World:
    """Bring people in crowds and mark them in batches; anybody wins."""
    days = np.sort(chance.uniform(0, DAYS - 30, 6))
    crowd = chance.integers(0, len(days), people)
    came = days[crowd] + chance.exponential(1.0, people)
    events = [
        row | {"utm_campaign": f"c{crowd[n]}"}
        for n in range(people)
        for row in _journey(chance, n, came[n])
    ]
    batches = chance.uniform(30, DAYS, 5)
    won = chance.choice(people, customers, replace=False)
    return World(events, [_customer(n, chance.choice(batches)) for n in won])


def by_prices(chance: Chance, people: int, customers: int) -> World:
    """Let behaviour tell: nine of ten who win look at prices, one of ten of the rest does."""
    came = chance.uniform(0, DAYS, people)
    keen = np.isin(np.arange(people), chance.choice(people, customers, replace=False))
    events = []
    for n in range(people):
        looks = bool(keen[n]) == (chance.random() < 0.9)  # noqa: PLR2004 - nine of ten
        pages = ("/pricing", *PAGES[:4]) if looks else PAGES[:4]
        events += _journey(chance, n, came[n], pages=pages, must="/pricing" if looks else "")
    won = np.flatnonzero(keen)
    return World(events, [_customer(int(n), came[n] + chance.uniform(4, 14)) for n in won])


NOISE: Mapping[str, Callable[[Chance, int, int], World]] = {
    "at random": at_random,
    "after a fixed lag": after_a_fixed_lag,
    "heavy users": heavy_users,
    "in bursts": in_bursts,
}


def _journey(  # noqa: PLR0913 - a made-up journey's every trait
    chance: Chance,
    number: int,
    came: float,
    steps: int = 0,
    lasts: float = 2.0,
    *,
    pages: tuple[str, ...] = PAGES,
    must: str = "",
) -> list[dict[str, Any]]:
    count = steps or int(chance.integers(2, 8))
    days = np.sort(np.concatenate([[0.0], chance.uniform(0, lasts, count - 1)])) + came
    looked = [str(chance.choice(pages)) for _ in range(count)]
    looked[int(chance.integers(0, count))] = must or looked[0]
    return [_view(number, day, page) for day, page in zip(days, looked, strict=True)]


def _view(number: int, day: float, page: str) -> dict[str, Any]:
    at = START + timedelta(days=float(day))
    told = {"profile_id": f"p{number:05}", "type": "page_view", "code": ""}
    return told | {"url": f"https://x.example{page}", "occurred_at": at.isoformat()}


def _customer(number: int, day: float) -> dict[str, Any]:
    at = START + timedelta(days=float(day))
    return {"profile_id": f"p{number:05}", "customer_at": at.isoformat()}
