"""Builds rows of whole numbers from journeys, and chooses the columns that tell something."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from scorer.days import Buckets, Daily, from_days, from_events
from scorer.events import Events
from scorer.features import Schema, matrix
from scorer.kinds import Ints
from scorer.rules import PRIOR
from scorer.signs import Names, reader

CHUNK = 10_000
LEAST_SEEN, LEAST_SHARE = 5, 0.001  # rows that a column must be told by
ANYTHING, LATELY = "all:|count_1000000", "all:|count_30"


def build(log: Events, schema: Schema, who: Ints, when: Ints) -> sparse.csc_matrix:
    """Return rows by columns, from raw events strictly before each row's instant."""
    names = Names()
    by = reader(log, names)
    parts = []
    for start in range(0, len(who), CHUNK):
        here = slice(start, start + CHUNK)
        daily = from_events(by, who[here], when[here])
        parts.append(matrix(schema, names, daily, when[here]).tocsr())  # rows stack without copies
    whole = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, len(schema)))
    del parts
    return whole.tocsc()


def build_from_days(
    log: Events, schema: Schema, profiles: Sequence[str], when: int, buckets: Buckets
) -> sparse.csc_matrix:
    """Return the same for one instant, from day buckets and that day's events."""
    names = Names()
    by = reader(log, names)
    daily: Daily = from_days(by, profiles, when, buckets)
    return matrix(schema, names, daily, np.full(len(profiles), when))


def worth_keeping(told: sparse.csc_matrix) -> Ints:
    """Return the columns that enough rows tell something by, each of equal ones once."""
    least = max(LEAST_SEEN, round(LEAST_SHARE * told.shape[0]))
    often = np.flatnonzero(np.diff(told.indptr) >= least)
    told.sort_indices()
    seen: dict[bytes, int] = {}
    for column in often.tolist():
        here = slice(told.indptr[column], told.indptr[column + 1])
        digest = hashlib.blake2b(told.indices[here].tobytes())
        digest.update(told.data[here].tobytes())
        seen.setdefault(digest.digest(), column)
    return np.array(sorted(seen.values()), np.int64)


def ruled(schema: Schema) -> Ints:
    """Return the columns that prior rules give points for, and the one that tells who is here."""
    wanted = {*PRIOR, LATELY}
    return np.array([n for n, name in enumerate(schema.names) if name in wanted], np.int64)


def narrowed(schema: Schema, columns: Ints) -> Schema:
    """Return a schema of the signs that some columns are of, and of "anything done"."""
    names = schema.names
    signs = {names[n].rpartition("|")[0] for n in columns.tolist()} | {"all:"}
    return Schema(tuple(sorted(signs)))


def places(schema: Schema, names: Sequence[str]) -> Ints:
    """Return where columns are."""
    place = {name: number for number, name in enumerate(schema.names)}
    return np.array([place[name] for name in names], np.int64)
