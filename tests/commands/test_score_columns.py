"""The doctor names the score's columns in the scorer's own words."""

from __future__ import annotations

import subprocess
import sys

from connector.commands.score_columns import RULES, advice, fed_by, fed_by_any
from connector.mapping.journey_words import TYPES
from scorer.features import KINDS


def test_every_type_of_ours_has_a_rule_to_create() -> None:
    assert set(RULES) == set(TYPES)


def test_every_event_feeds_the_clock_and_the_pace() -> None:
    told = fed_by_any()

    assert {"Activity", "Visits", "Pace", "Time of day"} <= set(told)
    assert "Pages" not in told


def test_a_page_view_feeds_what_an_address_says() -> None:
    assert {"Pages", "Page", "First page of visits", "Source", "Campaign"} & set(
        fed_by("page_view")
    ) == {"Pages", "Page", "Source", "Campaign"}


def test_a_type_of_the_customer_s_own_may_get_a_column() -> None:
    assert fed_by("demo_watched") == ["Events: demo watched, if many visitors have it"]


def test_what_only_moves_slots_feeds_nothing_and_says_so() -> None:
    assert fed_by("opt_out") == []
    assert any(one.startswith("opt_out (moves slots)") for one in advice([]))


def test_no_kind_of_column_is_fed_by_nobody() -> None:
    fed = {one.split(":")[0] for kind in RULES for one in fed_by(kind)} | set(fed_by_any())
    known = {words.group.replace("{}", "").strip(" :") for words in KINDS.values()}

    assert known - fed == {"Country"}  # any event of a sender that tells it


def test_nobody_waits_for_what_learns() -> None:
    code = "import sys, connector.commands.score_columns as c; c.fed_by('page_view')"
    code += "; print(any(m.startswith('sklearn') for m in sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "False"
