import numpy as np
import pytest

from scorer import JourneyScorer, LeadScorer
from scorer.artefact import BadModel
from tests.scorer.people import KEY, table


@pytest.fixture(scope="module")
def kept() -> bytes:
    columns, _ = table(60)
    return LeadScorer().fit(columns, np.arange(60) < 8).to_bytes(KEY)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_model_that_was_cut_short_never_serves(kept: bytes, share: float) -> None:
    with pytest.raises(BadModel):
        LeadScorer.from_bytes(kept[: int(len(kept) * share)], KEY)


@pytest.mark.parametrize("place", [3, 20, 60, 400, -1])
def test_a_model_with_one_byte_changed_never_serves(kept: bytes, place: int) -> None:
    changed = bytearray(kept)
    changed[place] ^= 1

    with pytest.raises(BadModel):
        LeadScorer.from_bytes(bytes(changed), KEY)


def test_a_model_of_another_house_never_serves(kept: bytes) -> None:
    with pytest.raises(BadModel, match="another key"):
        LeadScorer.from_bytes(kept, b"another key")


def test_a_model_of_another_kind_never_serves(kept: bytes) -> None:
    with pytest.raises(BadModel, match="another kind"):
        JourneyScorer.from_bytes(kept, KEY)
