from hypothesis import given
from hypothesis import strategies as st

from scorer.sentences import LONGEST, changed, sentence, top

POINTS = st.dictionaries(st.text(min_size=1, max_size=60), st.floats(-3, 3), max_size=20)


def test_reasons_say_what_raises_what_lowers_and_what_is_new() -> None:
    now = {"intercept": -2.0, "Pages: pricing": 1.24, "Source": -0.4, "Pace": 0.01}

    text = sentence(now, {"Pages: pricing": 0.2, "Source": -0.4})

    assert text == "Up: Pages: pricing +1.2; Down: Source -0.4; New: Pages: pricing +1.0"


@given(POINTS, st.none() | POINTS)
def test_reasons_fit_the_field(now: dict[str, float], before: dict[str, float] | None) -> None:
    assert 0 < len(sentence(now, before)) <= LONGEST


def test_the_intercept_is_no_reason() -> None:
    assert top({"intercept": 5.0, "Source": 0.4}) == ([("Source", 0.4)], [])
    assert changed({"intercept": 5.0}, {"intercept": 1.0}) == []
