"""`python -m bench.scorer [--json FILE] [--draws N]`: the scorer beside peers, and its scale."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from bench import scorerscale
from bench.report import DOCS, publish, verdicts
from bench.scorercold import cold_start
from bench.scorerdata import LEAKS, SETS, Set, folder, xeducation
from bench.scorernoise import campaign
from bench.scorernoise import faults as noise_faults
from scorer import LeadScorer
from scorer.columns import read_table
from scorer.kinds import Floats
from scorer.levels import learn_scales
from scorer.measures import auc, calibration_error, lift
from scorer.members import Sample, frequencies

Fit = Callable[[dict[str, Any], Floats, dict[str, Any]], Floats]
# set -> measure -> (figure, floor, is a higher figure better)
FLOORS: Mapping[str, Mapping[str, float]] = {
    "X Education strict": {"time_auc": 0.875, "time_ece": 0.05, "time_lift": 2.35},
    "Olist 90 d": {"time_auc": 0.67, "time_ap": 0.17, "time_lift": 1.9, "time_ece": 0.04},
    "Shoppers without PageValues": {"folds_auc": 0.755, "folds_ece": 0.025, "time_auc": 0.69},
    "Bank without duration": {"folds_auc": 0.765, "folds_ece": 0.02, "time_auc": 0.66},
}
COLD: Mapping[int, float] = {5: 0.66, 20: 0.71, 50: 0.745}


def main(words: list[str]) -> int:
    """Measure, print and compare with the floors; return 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scorer", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=10, help="of each world of chance")
    parser.add_argument("--only", choices=("sets", "cold", "leak", "noise", "scale"))
    parser.add_argument("--rows", type=_numbers, default=scorerscale.ROWS, metavar="N,N")
    parser.add_argument("--profiles", type=_numbers, default=scorerscale.PROFILES, metavar="N,N")
    parser.add_argument("--publish", action="store_true", help="put the scale into docs/benchmarks")
    asked = parser.parse_args(words)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "sets": lambda: {name: measure(name, read()) for name, read in SETS.items()},
        "cold": lambda: cold_start(PEERS, asked.draws),
        "leak": planted_leak,
        "noise": lambda: campaign(asked.seeds),
        "scale": lambda: scale(words, asked.rows, asked.profiles),
    }
    if not (folder() / "xeducation.csv.gz").exists():
        print(f"skipped: no data sets in {folder()}; CONNECTOR_BENCH_DATA says where they are")
        parts = {"scale": parts["scale"]}
    told = {name: part() for name, part in parts.items() if asked.only in {None, name}}
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n")
    if asked.publish and "scale" in told:
        publish({"scorer": told["scale"]}, DOCS)
    return int(any(missed(told)))


def scale(words: list[str], rows: Sequence[int], profiles: Sequence[int]) -> dict[str, Any]:
    """Return what learning and scoring take as rows grow, and print how each bar was met."""
    print("\nLearning and scoring as rows grow")
    args = " ".join(word for word in words if word != "--publish")
    told = {"command": f"make bench-scorer ARGS={json.dumps(args)}"}
    told |= scorerscale.measure(rows, profiles)
    for line in verdicts("scorer", told):
        print(f"  {line}")
    return told


def measure(name: str, data: Set) -> dict[str, Any]:
    """Return every model's figures on one set, forward in time and over five folds."""
    print(f"\n{name}: {len(data.won)} rows, {data.won.mean():.3f} won")
    told = {}
    for model, fit in PEERS.items():
        told[model] = _forward(fit, data) | _folds(fit, data)
        print(
            f"  {model:12}" + "  ".join(f"{key} {value:.3f}" for key, value in told[model].items())
        )
    drift = LeadScorer().fit(data.rows(data.older), data.won[data.older])
    alarms = [alarm.text for alarm in drift.drift(data.rows(data.newer))]
    print(f"  alarms: {alarms or 'none'}")
    return {"models": told, "alarms": alarms}


def planted_leak() -> dict[str, Any]:
    """Return what the scorer says when columns written afterwards are mapped in."""
    data = xeducation(LEAKS)
    alarms = [alarm.text for alarm in LeadScorer().fit(data.columns, data.won).alarms_]
    print(f"\nX Education with what is written afterwards: {alarms or 'no alarm'}")
    return {"alarms": alarms}


def missed(told: Mapping[str, Any]) -> list[str]:
    """Return the floors that are not met, and print all."""
    faults = []
    for name, floors in FLOORS.items():
        figures = told.get("sets", {}).get(name, {}).get("models", {}).get("LeadScorer", {})
        for key, floor in floors.items():
            if key in figures:
                faults += _judge(f"{name} {key}", figures[key], floor, most=key.endswith("ece"))
    for wins, floor in COLD.items():
        figures = told.get("cold", {}).get("LeadScorer", {})
        if str(wins) in figures:
            faults += _judge(f"cold start {wins}", figures[str(wins)], floor, most=False)
    if "leak" in told and not told["leak"]["alarms"]:
        faults.append("no alarm at a planted leak")
    return faults + noise_faults(told["noise"]) if "noise" in told else faults


def _numbers(words: str) -> tuple[int, ...]:
    return tuple(int(word) for word in words.split(",") if word)


def _judge(what: str, figure: float, floor: float, *, most: bool) -> list[str]:
    good = figure <= floor if most else figure >= floor
    print(f"{'met   ' if good else 'MISSED'} {what}: {figure:.3f} (floor {floor})")
    return [] if good else [what]


def _forward(fit: Fit, data: Set) -> dict[str, float]:
    started = time.process_time()
    older, newer = (data.rows(which, data.untimely) for which in (data.older, data.newer))
    chance = fit(older, data.won[data.older], newer)
    y = data.won[data.newer]
    figures = {
        "auc": auc(y, chance),
        "ap": _average_precision(y, chance),
        "ece": calibration_error(y, chance),
        "lift": lift(y, chance),
        "cpu_s": time.process_time() - started,
    }
    return {f"time_{key}": value for key, value in figures.items()}


def _folds(fit: Fit, data: Set) -> dict[str, float]:
    chance, single = np.zeros(len(data.won)), []
    for learn, trial in StratifiedKFold(5, shuffle=True, random_state=0).split(chance, data.won):
        chance[trial] = fit(data.rows(learn), data.won[learn], data.rows(trial))
        single.append(auc(data.won[trial], chance[trial]))
    return {"folds_auc": float(np.mean(single)), "folds_ece": calibration_error(data.won, chance)}


def _average_precision(y: Floats, chance: Floats) -> float:
    order = np.argsort(-chance, kind="stable")
    precise = np.cumsum(y[order]) / np.arange(1, len(y) + 1)
    return float((precise * y[order]).sum() / max(1.0, float(y.sum())))


def _ours(learn: dict[str, Any], won: Floats, trial: dict[str, Any]) -> Floats:
    return LeadScorer().fit(learn, won).predict_proba(trial)[:, 1]


def _odoo(learn: dict[str, Any], won: Floats, trial: dict[str, Any]) -> Floats:
    """Multiply how often each value won and lost, as Odoo does."""
    table = read_table(learn)
    scales = learn_scales(list(table), list(table.values()))
    sample = Sample(scales, scales.code(list(table.values())), won, np.ones(len(won)))
    coded = scales.code(list(read_table(trial, list(table)).values()))
    points = frequencies(0.1)(sample, 0).log_odds(scales, coded)
    return np.asarray(1 / (1 + np.exp(-np.clip(points, -500, 500))), np.float64)


def _peer(model: Callable[[], Any], *, scaled: bool) -> Fit:
    def fit(learn: dict[str, Any], won: Floats, trial: dict[str, Any]) -> Floats:
        numbers, words = _arrays(learn), _arrays(trial)
        kinds = [isinstance(column, list) for column in read_table(learn).values()]
        made = make_pipeline(_prepared(kinds, scaled=scaled), model())
        made.fit(numbers, won)
        return np.asarray(made.predict_proba(words)[:, 1], np.float64)

    return fit


def _arrays(table: dict[str, Any]) -> Any:
    columns = [np.array(column, dtype=object) for column in read_table(table).values()]
    return np.column_stack(columns)


def _prepared(kinds: list[bool], *, scaled: bool) -> Any:
    words = [n for n, is_words in enumerate(kinds) if is_words]
    numbers = [n for n, is_words in enumerate(kinds) if not is_words]
    if scaled:
        coded = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
        filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    else:
        coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        filled = SimpleImputer(strategy="median")
    return ColumnTransformer([("words", coded, words), ("numbers", filled, numbers)])


def _light() -> Any:
    from lightgbm import LGBMClassifier  # noqa: PLC0415 - only where it is there

    return LGBMClassifier(
        n_estimators=200,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=40,
        reg_lambda=1.0,
        random_state=0,
        n_jobs=1,
        verbose=-1,
    )


PEERS: dict[str, Fit] = {
    "LeadScorer": _ours,
    "logistic": _peer(lambda: LogisticRegression(C=0.1, max_iter=500), scaled=True),
    "forest": _peer(
        lambda: RandomForestClassifier(150, min_samples_leaf=5, random_state=0), scaled=False
    ),
    "boosting": _peer(
        lambda: HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            l2_regularization=1.0,
            max_features=0.5,
            early_stopping=False,
            random_state=0,
        ),
        scaled=False,
    ),
    "frequencies": _odoo,
}
if find_spec("lightgbm"):
    PEERS["LightGBM"] = _peer(_light, scaled=False)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
