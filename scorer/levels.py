"""Levels: every column as a few numbered levels, so that a model is a table of points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from scorer.columns import Column, as_numbers, as_words
from scorer.kinds import Floats, Ints, Small

INTERCEPT = "intercept"  # among reasons; no group has this name
MISSING, OTHER = 0, 1
MOST_NUMBERS, MOST_WORDS = 62, 250
WORD_FROM = 5  # a rarer word is "other"
EACH_ITS_BIN = 24  # numbers with no more different values are binned one by one
BINS = 8
SKEWED = 2.0
ENOUGH = 200_000  # values that edges are taken from
MOST_CELLS = 8_000_000  # that are worked on at once; many more take gigabytes for a moment
ZEROS = 0.05  # from this share on zero is a level of its own


@dataclass(frozen=True, slots=True)
class Scale:
    """How one column becomes levels, and what its levels stand for.

    Level 0 is missing; numbers go on from 1 by edges, words by their list after "other". `centres`
    is each level's mean value, tamed where skewed, in standard deviations from the usual level.
    """

    name: str
    group: str
    is_number: bool
    edges: Floats
    words: tuple[str, ...]
    counts: Ints
    centres: Floats
    bins: Ints
    usual: int

    @property
    def size(self) -> int:
        """How many levels there are."""
        return len(self.counts)


@dataclass(frozen=True, slots=True)
class Coded:
    """Rows by columns of levels; kept is only what is not a column's usual level, plus one."""

    kept: sparse.csr_matrix
    usual: Ints

    def __len__(self) -> int:
        return int(self.kept.shape[0])

    def rows(self, which: Ints) -> Coded:
        """Return some rows."""
        return Coded(self.kept[which], self.usual)

    def parts(self, most: int = MOST_CELLS) -> Iterator[Coded]:
        """Yield the rows in order, in parts of about so many kept cells."""
        step = max(1, most * len(self) // max(1, self.kept.nnz))
        if step >= len(self):
            yield self
            return
        for start in range(0, len(self), step):
            yield Coded(self.kept[start : start + step], self.usual)

    def dense(self, columns: Ints) -> Small:
        """Return some columns' levels in full."""
        part = self.kept[:, columns].toarray()
        return np.where(part == 0, self.usual[columns][None, :], part - 1).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Scales:
    """All columns' scales, with their levels numbered through."""

    all: tuple[Scale, ...]
    starts: Ints = field(init=False)
    usual: Ints = field(init=False)
    """Each column's usual level."""
    zeros: Ints = field(init=False)
    """Each column's level of nought."""
    counts: Ints = field(init=False)
    """How many rows each level had, numbered through."""

    def __post_init__(self) -> None:
        nought, none = np.zeros(1), [np.zeros(0, np.int64)]
        told = {
            "starts": np.cumsum([0, *(scale.size for scale in self.all)]),
            "usual": np.array([scale.usual for scale in self.all]),
            "zeros": np.array([int(levels_of(scale, nought)[0]) for scale in self.all]),
            "counts": np.concatenate([scale.counts for scale in self.all] or none),
        }
        for name, values in told.items():
            object.__setattr__(self, name, values.astype(np.int64))

    def places(self, coded: Coded) -> Ints:
        """Return where in the numbered levels each kept cell stands."""
        kept = coded.kept
        found: Ints = self.starts[kept.indices] + kept.data.astype(np.int64) - 1
        return found

    def code(self, columns: Sequence[Column]) -> Coded:
        """Return a table's columns as levels."""
        coded = [levels_of(scale, column) for scale, column in zip(self.all, columns, strict=True)]
        count = len(coded[0]) if coded else 0
        return _coded(coded, [scale.usual for scale in self.all], count)

    def code_sparse(self, matrix: sparse.csc_matrix) -> Coded:
        """Return a sparse matrix's columns as levels; what it doesn't hold is zero."""
        silent = (np.diff(matrix.indptr) == 0) & (self.zeros == self.usual)
        nothing = matrix.indices[:0], np.zeros(0, np.uint8)
        parts = [
            nothing if is_silent else self._column(matrix, number)
            for number, is_silent in enumerate(silent.tolist())
        ]
        return _stack(parts, self.usual, int(matrix.shape[0]))

    def _column(self, matrix: sparse.csc_matrix, number: int) -> tuple[Ints, Small]:
        scale = self.all[number]
        here = slice(matrix.indptr[number], matrix.indptr[number + 1])
        where, values = matrix.indices[here], matrix.data[here]
        levels = levels_of(scale, values.astype(np.float64))
        if self.zeros[number] != scale.usual:
            full = np.full(matrix.shape[0], self.zeros[number], np.uint8)
            full[where] = levels
            where, levels = np.arange(matrix.shape[0], dtype=where.dtype), full
        other = levels != scale.usual
        return where[other], levels[other]


def levels_of(scale: Scale, column: Column) -> Small:
    """Return one column's levels."""
    if scale.is_number:
        numbers = as_numbers(column)
        levels = 1 + np.searchsorted(scale.edges, numbers, side="left")
        return np.where(np.isnan(numbers), MISSING, levels).astype(np.uint8)
    known = {word: OTHER + 1 + number for number, word in enumerate(scale.words)} | {"": MISSING}
    return np.array([known.get(word, OTHER) for word in as_words(column)], np.uint8)


def learn_scales(names: Sequence[str], columns: Sequence[Column]) -> Scales:
    """Learn how a table's columns become levels; each is a group of its own."""
    return Scales(tuple(_scale(name, column) for name, column in zip(names, columns, strict=True)))


def learn_sparse(
    names: Sequence[str], groups: Sequence[str], matrix: sparse.csc_matrix, most: int = 30
) -> Scales:
    """Learn how a sparse matrix's columns of numbers become levels."""
    scales = []
    for number, (name, group) in enumerate(zip(names, groups, strict=True)):
        told = matrix.data[matrix.indptr[number] : matrix.indptr[number + 1]].astype(np.float64)
        silent = int(matrix.shape[0]) - len(told)
        scales.append(_numbers(name, group, told, silent, most))
    return Scales(tuple(scales))


def _scale(name: str, column: Column) -> Scale:
    group = f"{name} (column)" if name == INTERCEPT else name
    if isinstance(column, list):
        return _words(name, group, column)
    return _numbers(name, group, column, 0, MOST_NUMBERS)


def _words(name: str, group: str, column: list[str]) -> Scale:
    told = Counter(word for word in column if word)
    often = sorted(told.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
    words = tuple(word for word, count in often if count >= WORD_FROM)
    size = OTHER + 1 + len(words)
    bare = Scale(
        name,
        group,
        False,
        np.zeros(0),
        words,
        np.zeros(size, np.int64),
        np.zeros(size),
        np.arange(size),
        0,
    )
    counts = np.bincount(levels_of(bare, column), minlength=size)
    return Scale(
        name, group, False, bare.edges, words, counts, bare.centres, bare.bins, int(counts.argmax())
    )


def _numbers(name: str, group: str, told: Floats, silent: int, most: int) -> Scale:
    known = told[~np.isnan(told)]
    edges = _edges(known, silent, most)
    size = len(edges) + 2
    levels = 1 + np.searchsorted(edges, known, side="left")
    zero = 1 + int(np.searchsorted(edges, 0.0, side="left"))
    counts = np.bincount(levels, minlength=size).astype(np.int64)
    sums = np.bincount(levels, weights=_tame(known, known), minlength=size).astype(np.float64)
    counts[zero] += silent
    counts[MISSING] = len(told) - len(known)
    centres = _centred(sums, counts)
    usual = int(counts.argmax())
    return Scale(
        name, group, True, edges, (), counts, centres - centres[usual], _bins(counts), usual
    )


def _edges(known: Floats, silent: int, most: int) -> Floats:
    values = known[:: max(1, len(known) // ENOUGH)]
    zeros = silent + int((values == 0).sum())
    apart = bool(zeros > ZEROS * (len(values) + silent))
    if apart:
        values = values[values != 0]
    different = np.unique(values)
    if len(different) > most:
        shares = np.linspace(0, 1, most + 1)[1:-1]
        cuts = np.unique(np.quantile(values, shares, method="lower"))
    else:
        cuts = (different[:-1] + different[1:]) / 2
    if not apart:
        return np.asarray(cuts, np.float64)
    below, above = different[different < 0], different[different > 0]
    around = [*(below[-1:] / 2), float(above[0]) / 2 if len(above) else 0.5]
    lowest = below[-1] if len(below) else 0.0
    highest = around[-1]
    away = cuts[(cuts < lowest) | (cuts > highest)]
    return np.unique(np.concatenate([away, around]))


def _tame(values: Floats, like: Floats) -> Floats:
    spread = float(like.std()) if len(like) else 0.0
    if spread == 0 or abs(float((((like - like.mean()) / spread) ** 3).mean())) < SKEWED:
        return values
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), np.float64)


def _centred(sums: Floats, counts: Ints) -> Floats:
    told = counts.copy()
    told[MISSING] = 0
    middle = float(sums.sum() / max(1, told.sum()))
    centres = np.where(told > 0, sums / np.maximum(told, 1), middle)
    spread = float(np.sqrt((told * (centres - middle) ** 2).sum() / max(1, told.sum())))
    return np.asarray((centres - middle) / (spread or 1.0), np.float64)


def _bins(counts: Ints) -> Ints:
    told = counts[1:]
    if (told > 0).sum() <= EACH_ITS_BIN:
        return np.arange(len(counts))
    usual = int(told.argmax())
    rest = told.copy()
    if told[usual] > told.sum() / BINS:  # a heavy level is a bin of its own
        rest[usual] = 0
    share = (np.cumsum(rest) - rest / 2) / max(1, rest.sum())
    found = 1 + np.minimum((share * BINS).astype(np.int64), BINS - 1)
    if rest[usual] == 0:
        found[usual] = BINS + 1
    return np.concatenate([[0], found])


def _coded(levels: list[Small], usual: list[int], count: int) -> Coded:
    parts = []
    for column, common in zip(levels, usual, strict=True):
        where = np.flatnonzero(column != common)
        parts.append((where, column[where]))
    return _stack(parts, np.array(usual, np.int64), count)


def _stack(parts: list[tuple[Ints, Small]], usual: Ints, count: int) -> Coded:
    ends = np.concatenate([[0], np.cumsum([len(where) for where, _ in parts])])
    where = np.concatenate([each for each, _ in parts] or [np.zeros(0, np.int64)])
    data = np.concatenate([each for _, each in parts] or [np.zeros(0, np.uint8)]) + np.uint8(1)
    kept = sparse.csc_matrix((data, where, ends), shape=(count, len(parts)))
    return Coded(kept.tocsr(), usual)
