import numpy as np
import pytest
from scipy import sparse

from scorer.kinds import Floats, log_odds
from scorer.levels import Coded, learn_sparse
from scorer.measures import auc
from scorer.members import Sample, _some, logistic


def _sample(rows: int = 400, columns: int = 12) -> Sample:
    chance = np.random.default_rng(0)
    told = sparse.random(rows, columns, 0.3, format="csc", random_state=0)
    told.data = np.ceil(told.data * 9)
    points: Floats = told[:, 0].toarray()[:, 0] / 3 - 1.5
    names = [f"c{number}" for number in range(columns)]
    scales = learn_sparse(names, names, told)
    won = chance.random(rows) < 1 / (1 + np.exp(-points))
    return Sample(scales, scales.code_sparse(told), won.astype(float), np.ones(rows))


@pytest.mark.parametrize("most", [1, 7, 100, 10**9])
def test_parts_are_the_rows_in_order(most: int) -> None:
    coded = _sample().coded

    parts = list(coded.parts(most))

    assert sum(len(part) for part in parts) == len(coded)
    together = Coded(sparse.vstack([part.kept for part in parts], format="csr"), coded.usual)
    assert (together.dense(np.arange(12)) == coded.dense(np.arange(12))).all()


def test_all_who_won_are_among_those_learned_from_and_the_base_is_kept() -> None:
    sample = _sample(4000)
    wins = int(sample.y.sum())

    some, offset = _some(sample, 0, 2 * wins + 500)

    assert some.y.sum() == wins
    assert len(some.y) == 2 * wins + 500
    lost = len(sample.y) - wins
    assert offset == pytest.approx(np.log((wins + 500) / lost))


def test_a_regression_of_some_rows_tells_the_same_chances() -> None:
    sample = _sample(6000)
    some, offset = _some(sample, 0, 4000)

    whole, part = logistic(0.1)(sample, 0), logistic(0.1)(some, 0).scaled(1.0, offset)

    mine, theirs = (model.log_odds(sample.scales, sample.coded) for model in (whole, part))
    assert np.abs(mine - theirs).mean() < 0.15
    assert auc(sample.y, theirs) == pytest.approx(auc(sample.y, mine), abs=0.02)
    assert theirs.mean() == pytest.approx(mine.mean(), abs=0.1)
    assert -3 < log_odds(sample.base) < 1
