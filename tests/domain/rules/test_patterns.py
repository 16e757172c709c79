"""Patterns for addresses, against matchers that are slow and obvious."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.rules.automaton import Automaton
from connector.domain.rules.regular import BadPattern, read_glob, read_regex
from connector.domain.rules.urls import UrlMatch, Way

LETTERS = "ab/?.-"
texts = st.text(LETTERS + "c", max_size=12)
globs = st.text("ab/*?", max_size=8)


def regexes() -> st.SearchStrategy[str]:
    """Draw patterns that `re` reads too; short, so that it may try every way."""
    atoms = st.sampled_from(
        ["a", "b", r"\.", ".", "/", "[ab]", "[^a]", "[a-c/]", r"\w", r"\D", r"[\d\-]", r"\?"]
    )

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        groups = st.builds("({}|{}){}".format, inner, inner, st.sampled_from(["", "*", "+", "?"]))
        singles = st.builds("{}{}".format, atoms, st.sampled_from(["", "*", "+", "?"]))
        return st.lists(groups | singles, min_size=1, max_size=3).map("".join)

    body = st.recursive(atoms, grow, max_leaves=6)
    heads = st.sampled_from(["", "^", "(^|/)", "(^a|b)"])
    tails = st.sampled_from(["", "$", "(/|$)", "(b$|.)"])
    tied = st.builds("{}{}{}".format, heads, body, tails)
    return st.lists(tied, min_size=1, max_size=3).map("|".join)


@given(globs, texts)
def test_a_glob_fits_what_fnmatch_says(glob: str, text: str) -> None:
    assert Automaton(read_glob(glob)).accepts(text) == fnmatchcase(text, glob)


@given(regexes(), texts)
def test_a_regex_fits_what_re_says(pattern: str, text: str) -> None:
    slow = re.search(pattern.replace("$", r"\Z"), text, re.DOTALL | re.ASCII)

    assert Automaton(read_regex(pattern)).accepts(text) == (slow is not None)


@given(texts.filter(bool), texts.filter(bool))
def test_exact_and_prefix_are_what_they_say(pattern: str, url: str) -> None:
    assert UrlMatch(Way.EXACT, pattern).fits(url) == (url == pattern)
    assert UrlMatch(Way.PREFIX, pattern).fits(url) == (url[: len(pattern)] == pattern)


@given(globs.map(read_glob) | regexes().map(read_regex))
def test_a_pattern_fits_its_own_example(node: object) -> None:
    automaton = Automaton(node)  # type: ignore[arg-type]
    example = automaton.sample()

    assert example is None or automaton.accepts(example)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*)*x", "^" + "a?" * 90 + "$"]
)
def test_what_makes_other_engines_explode_takes_one_step_a_character(pattern: str) -> None:
    automaton = Automaton(read_regex(pattern))
    pulled = 0

    def url(length: int) -> Iterator[str]:
        nonlocal pulled
        for _ in range(length):
            pulled += 1
            yield "a"

    automaton.accepts(url(1_000))
    once = automaton.work
    automaton.accepts(url(100_000))

    assert pulled <= 101_000
    assert automaton.work <= 2 * len(pattern) * 2 * 1_000  # what a step led to is remembered
    assert automaton.work <= once + 4 * len(pattern) ** 2


def test_work_grows_with_the_length_though_nothing_were_remembered() -> None:
    pattern = "*a?a*b?" * 20
    most = 2 * (len(pattern) + 1)
    automaton = Automaton(read_glob(pattern))
    text = "".join(chr(300 + n) for n in range(20_000))  # no character comes twice

    automaton.accepts("a" + text)

    assert automaton.work <= most * (len(text) + 1)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a{2}", "counted repeats"),
        ("(a)\\1", "not known"),
        ("(?=a)", "is not known"),
        ("(a", "is missing"),
        ("a)", "too many"),
        ("a**", "repeat"),
        ("a+?", "repeat"),
        ("*a", "repeat"),
        ("[]", "at least one"),
        ("[z-a]", "wrong way round"),
        ("[a", "too early"),
        ("a\\", "too early"),
        ("a^b", "start of a pattern"),
        ("a$b", "end of a pattern"),
        ("(a$)b", "end of a pattern"),
        ("((a$))", "end of a pattern"),
        ("(a|$)$", "end of a pattern"),
        ("a(^|b)", "start of a pattern"),
        ("(a|$)?", "can't be repeated"),
        ("\\bword", "not known"),
        ("(" * 30 + ")" * 30, "deep"),
        ("a" * 201, "at most 200"),
    ],
)
def test_a_pattern_that_is_not_known_is_refused_by_name(pattern: str, says: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(says)):
        read_regex(pattern)


def test_an_address_may_end_or_go_on_behind_a_word() -> None:
    pricing = UrlMatch(Way.REGEX, r"(^|/)pricing(/|\?|$)")

    assert pricing.fits("https://example.com/pricing")
    assert pricing.fits("pricing?plan=a")
    assert not pricing.fits("https://example.com/pricing-2024")


def test_an_address_is_taken_as_it_was_sent() -> None:
    pricing = UrlMatch(Way.GLOB, "*/pricing*")

    assert pricing.fits("https://example.com/pricing?plan=a")
    assert not pricing.fits("https://example.com/Pricing")
    assert not pricing.fits("https://example.com/%70ricing")
    assert not UrlMatch(Way.GLOB, "*").fits("")


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        (("prefix", "https://a/"), ("prefix", "https://a/b"), True),
        (("prefix", "https://a/b"), ("prefix", "https://a/"), False),
        (("glob", "*/pricing*"), ("exact", "https://a/pricing"), True),
        (("regex", "pricing"), ("regex", "pricing"), True),
        (("regex", "."), ("regex", "a"), False),  # true, but not sure to be found
    ],
)
def test_one_pattern_covers_another(
    wide: tuple[str, str], narrow: tuple[str, str], *, covered: bool
) -> None:
    one, other = (UrlMatch(Way(way), pattern) for way, pattern in (wide, narrow))

    assert one.covers(other) is covered


def test_a_pattern_of_any_characters_takes_all_its_steps_at_once() -> None:
    pattern, url = "a" + "." * 190 + "b", "ac" * 1_000

    automaton = Automaton(read_regex(pattern))
    automaton.accepts(url)

    assert automaton.work < 5 * len(url)
