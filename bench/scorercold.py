"""The cold start: from a few customers and many others, as the reference measured it.

Five sets, K successes and at most 3,000 others, two fifths at their natural rate to try it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from bench.scorerdata import FIVE, Set
from scorer.columns import as_numbers, as_words, read_table
from scorer.kinds import Floats, Ints
from scorer.measures import auc

Fit = Callable[[dict[str, Any], Floats, dict[str, Any]], Floats]
POSITIVES = (5, 10, 20, 50)
NEGATIVES = 3000
TRIAL = 0.4
BINS = 8
RARE = 5


def cold_start(peers: Mapping[str, Fit], draws: int, first: int = 0) -> dict[str, Any]:
    """Return each model's mean AUC over sets and draws, and the reference's own recipe's."""
    print(f"\nCold start, mean AUC over {len(FIVE)} sets and {draws} draws")
    fits = {**peers, "recipe": recipe}
    told: dict[str, dict[str, float]] = {model: {} for model in fits}
    sets = [read() for read in FIVE.values()]
    for wins in POSITIVES:
        for model, fit in fits.items():
            found = [
                draw(fit, data, wins, seed) for data in sets for seed in range(first, first + draws)
            ]
            told[model][str(wins)] = float(np.mean(found))
        line = "  ".join(f"{model} {figures[str(wins)]:.3f}" for model, figures in told.items())
        print(f"  {wins:3} wins: {line}", flush=True)
    return told


def draw(fit: Fit, data: Set, wins: int, seed: int) -> float:
    """Return a model's AUC on one draw."""
    chance = np.random.default_rng(seed)
    rows = chance.permutation(len(data.won))
    cut = int(TRIAL * len(rows))
    trial, rest = rows[:cut], rows[cut:]
    won, lost = rest[data.won[rest] > 0][:wins], rest[data.won[rest] <= 0][:NEGATIVES]
    learn: Ints = np.sort(np.concatenate([won, lost]))
    told = fit(data.rows(learn), data.won[learn], data.rows(trial))
    return auc(data.won[trial], told)


def recipe(learn: dict[str, Any], won: Floats, trial: dict[str, Any]) -> Floats:
    """Return the mean of three plain models' log-odds, each in standard deviations."""
    parts = [
        _linear(learn, won, trial, strength=0.01, bins=False),
        _linear(learn, won, trial, strength=0.1, bins=True),
        _boosted(learn, won, trial),
    ]
    told = [(part - part.mean()) / (part.std() or 1.0) for part in parts]
    return np.asarray(np.mean(told, axis=0), np.float64)


def _linear(
    learn: dict[str, Any], won: Floats, trial: dict[str, Any], *, strength: float, bins: bool
) -> Floats:
    mine, theirs = _hot(learn, trial, bins=bins)
    model = LogisticRegression(C=strength, max_iter=500).fit(mine, won)
    return np.asarray(model.decision_function(theirs), np.float64)


def _boosted(learn: dict[str, Any], won: Floats, trial: dict[str, Any]) -> Floats:
    mine, theirs = _ordinal(learn, trial)
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=4,
        max_iter=60,
        learning_rate=0.05,
        min_samples_leaf=50,
        l2_regularization=20.0,
        max_features=0.3,
        interaction_cst="no_interactions",
        early_stopping=False,
        random_state=0,
    ).fit(mine, won)
    return np.asarray(model.decision_function(theirs), np.float64)


def _hot(learn: dict[str, Any], trial: dict[str, Any], *, bins: bool) -> tuple[Any, Any]:
    mine, theirs = read_table(learn), read_table(trial, list(learn))
    parts: list[tuple[Any, Any]] = []
    for name, column in mine.items():
        if isinstance(column, list):
            known, counts = np.unique(np.array(column), return_counts=True)
            words = known[counts >= RARE]
            parts.append((_ones(column, words), _ones(as_words(theirs[name]), words)))
        elif bins:
            shares = np.linspace(0, 1, BINS + 1)[1:-1]
            known = column[~np.isnan(column)]
            edges = np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)
            parts.append((_binned(column, edges), _binned(as_numbers(theirs[name]), edges)))
        else:
            parts.append(_scaled(column, as_numbers(theirs[name])))
    return tuple(sparse.hstack(side, format="csr") for side in zip(*parts, strict=True))


def _ones(column: list[str], words: Any) -> Any:
    return sparse.csr_matrix((np.array(column)[:, None] == words[None, :]).astype(float))


def _binned(column: Floats, edges: Floats) -> Any:
    level = np.where(np.isnan(column), len(edges) + 1, np.searchsorted(edges, column))
    return sparse.csr_matrix(np.eye(len(edges) + 2)[level])


def _scaled(mine: Floats, theirs: Floats) -> tuple[Any, Any]:
    known = mine[~np.isnan(mine)]
    middle = float(np.median(known)) if len(known) else 0.0
    full = [np.where(np.isnan(each), middle, each) for each in (mine, theirs)]
    tame = [np.sign(each) * np.log1p(np.abs(each)) for each in full]
    spread = float(tame[0].std()) or 1.0
    middle = float(tame[0].mean())
    one, two = (sparse.csr_matrix(((each - middle) / spread)[:, None]) for each in tame)
    return one, two


def _ordinal(learn: dict[str, Any], trial: dict[str, Any]) -> tuple[Floats, Floats]:
    mine, theirs = read_table(learn), read_table(trial, list(learn))
    parts = []
    for name, column in mine.items():
        if isinstance(column, list):
            place = {word: float(n) for n, word in enumerate(sorted(set(column)))}
            both = (column, as_words(theirs[name]))
            parts.append(tuple(np.array([place.get(w, np.nan) for w in each]) for each in both))
        else:
            parts.append((column, as_numbers(theirs[name])))
    one, two = (np.column_stack(side) for side in zip(*parts, strict=True))
    return one, two
