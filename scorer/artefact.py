"""Models as bytes: JSON and arrays under a seal, never code. The same model is the same bytes."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

MARK = b"bnb-score-1\n"
SEAL = hashlib.sha256().digest_size

Arrays = Mapping[str, Any]


class BadModel(ValueError):
    """A model that must not serve: cut short, sealed by another key, or of another kind."""


def pack(about: Mapping[str, Any], arrays: Arrays, key: bytes) -> bytes:
    """Return a model as sealed bytes."""
    if not key:
        raise ValueError("a model is sealed with a key; give one")
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    box = io.BytesIO()
    np.savez_compressed(box, **dict(sorted(arrays.items())))
    body = len(text).to_bytes(8, "big") + text + box.getvalue()
    return MARK + _seal(body, key) + body


def unpack(data: bytes, key: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a model's bytes say and hold; raise BadModel unless every byte is sealed."""
    if not data.startswith(MARK):
        raise BadModel("these bytes are no model of this format; train again")
    seal, body = data[len(MARK) : len(MARK) + SEAL], data[len(MARK) + SEAL :]
    if not hmac.compare_digest(seal, _seal(body, key)):
        raise BadModel("the model is damaged or sealed with another key; train again")
    size = int.from_bytes(body[:8], "big")
    try:
        about = json.loads(body[8 : 8 + size])
        with np.load(io.BytesIO(body[8 + size :]), allow_pickle=False) as arrays:
            return about, {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise BadModel("the model can't be read; train again") from error


def _seal(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, MARK + body, hashlib.sha256).digest()
