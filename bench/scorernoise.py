"""Whether chance is ever promoted, and behaviour that tells nearly always."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.worlds import AS_OF, NOISE, Chance, World, by_prices
from scorer import JourneyScorer

PEOPLE, CUSTOMERS = 200, 50
PLANTED = {25: 200, 50: 250, 200: 800}  # customers -> people
PLANTED_SEEDS, MOST = 10, 0.5


def campaign(seeds: int) -> dict[str, Any]:
    """Return how many of so many seeds of each world were promoted."""
    print(f"\nPromoted, of {seeds} seeds of chance and {PLANTED_SEEDS} of behaviour that tells")
    told = {}
    for name, make in NOISE.items():
        told[name] = _promoted(make, PEOPLE, CUSTOMERS, seeds)
        print(f"  {name}: {told[name]} of {seeds}", flush=True)
    for customers, people in PLANTED.items():
        name = f"behaviour, {customers} customers"
        told[name] = _promoted(by_prices, people, customers, PLANTED_SEEDS)
        print(f"  {name}: {told[name]} of {PLANTED_SEEDS}", flush=True)
    return told


def faults(told: dict[str, int]) -> list[str]:
    """Return what should not be: chance that was promoted, behaviour that mostly was not."""
    wrong = [f"chance was promoted: {name}" for name in NOISE if told.get(name, 0)]
    planted = {name: count for name, count in told.items() if name not in NOISE}
    return wrong + [
        f"not promoted: {name}" for name, count in planted.items() if count <= MOST * PLANTED_SEEDS
    ]


def _promoted(
    make: Callable[[Chance, int, int], World], people: int, customers: int, seeds: int
) -> int:
    worlds = (make(np.random.default_rng(seed), people, customers) for seed in range(seeds))
    scorers = (JourneyScorer().fit(one.events, one.customers, AS_OF) for one in worlds)
    return sum(bool(scorer.report_["promoted"]) for scorer in scorers)
