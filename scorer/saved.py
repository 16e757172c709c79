"""What both scorers have learned, as JSON and arrays, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import scipy
import sklearn

from scorer.alarms import Alarm
from scorer.artefact import BadModel, pack, unpack
from scorer.learning import Learned
from scorer.levels import Scale, Scales
from scorer.points import Points

FLAT = ("edges", "counts", "centres", "bins")


def versions() -> dict[str, str]:
    """Return the versions that a model was made with."""
    return {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }


def schema_hash(scales: Scales) -> str:
    """Return the hash of what columns there are and how they become levels."""
    digest = hashlib.sha256(json.dumps([_about(scale) for scale in scales.all]).encode())
    for scale in scales.all:
        digest.update(scale.edges.tobytes())
    return digest.hexdigest()


def taken_apart(scales: Scales, learned: Learned) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return scales and model as JSON and arrays."""
    about = {
        "scales": [_about(scale) for scale in scales.all],
        "schema": schema_hash(scales),
        "versions": versions(),
        "intercept": learned.model.intercept,
        "base": learned.base,
        "members": dict(learned.members),
    }
    arrays: dict[str, Any] = {"table": learned.model.table}
    for name in FLAT:
        parts = [getattr(scale, name) for scale in scales.all]
        arrays[name] = np.concatenate(parts or [np.zeros(0)])
        arrays[f"{name}_sizes"] = np.array([len(part) for part in parts], np.int64)
    pairs = learned.model.pairs
    arrays["pairs"] = np.array(list(pairs), np.int64).reshape(-1, 2)
    arrays["joint"] = np.concatenate([table.ravel() for table in pairs.values()] or [np.zeros(0)])
    arrays["seen"], arrays["unseen_points"] = learned.seen, learned.unseen_points
    return about, arrays


def put_together(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> tuple[Scales, Learned]:
    """Return scales and model again, the same to the bit."""
    parts = {name: _cut(arrays[name], arrays[f"{name}_sizes"]) for name in FLAT}
    scales = Scales(
        tuple(
            Scale(
                said["name"],
                said["group"],
                said["is_number"],
                parts["edges"][n],
                tuple(said["words"]),
                parts["counts"][n],
                parts["centres"][n],
                parts["bins"][n],
                said["usual"],
            )
            for n, said in enumerate(about["scales"])
        )
    )
    if schema_hash(scales) != about["schema"] or len(arrays["table"]) != scales.starts[-1]:
        raise BadModel("the model's columns do not fit its schema; train again")
    pairs, at = {}, 0
    for one, two in arrays["pairs"].tolist():
        shape = scales.all[one].size, scales.all[two].size
        pairs[one, two] = arrays["joint"][at : at + shape[0] * shape[1]].reshape(shape)
        at += shape[0] * shape[1]
    model = Points(about["intercept"], arrays["table"], pairs)
    unseen = arrays["seen"], arrays["unseen_points"]
    return scales, Learned(model, about["base"], about["members"], *unseen)


def sealed(scorer: Any, more: Mapping[str, Any], key: bytes) -> bytes:
    """Return a scorer that has learned as sealed bytes; `more` is what only its kind has."""
    about, arrays = taken_apart(scorer.scales_, scorer.learned_)
    about |= {
        "random_state": _kept(scorer.random_state),
        "state": scorer.state_,
        "report": scorer.report_,
        "alarms": [asdict(alarm) for alarm in scorer.alarms_],
    }
    return pack(about | dict(more), arrays, key)


def unsealed(scorer: Any, kind: str, data: bytes, key: bytes) -> Mapping[str, Any]:
    """Give a scorer back what sealed bytes hold, and return that; BadModel for another kind."""
    about, arrays = unpack(data, key)
    if about.get("kind") != kind:
        raise BadModel("this is another kind of model")
    scorer.random_state = about["random_state"]
    scorer.scales_, scorer.learned_ = put_together(about, arrays)
    scorer.state_, scorer.report_ = about["state"], about["report"]
    scorer.alarms_ = [Alarm(**alarm) for alarm in about["alarms"]]
    return about


def _kept(random_state: Any) -> int | None:
    return int(random_state) if isinstance(random_state, int | np.integer) else None


def _about(scale: Scale) -> dict[str, Any]:
    return {
        "name": scale.name,
        "group": scale.group,
        "is_number": scale.is_number,
        "words": list(scale.words),
        "usual": scale.usual,
    }


def _cut(flat: Any, sizes: Any) -> list[Any]:
    return np.split(flat, np.cumsum(sizes)[:-1]) if len(sizes) else []
