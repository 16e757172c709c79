"""What a mark adds now, and when the rest matures."""

import json
from datetime import timedelta

import pytest

from scorer.events import read_events, read_time
from scorer.landmarks import make_complete_rows, read_wins, ripening
from tests.scorer.people import AS_OF, START, event

HORIZON = 30


def _won(profile: str, days: float) -> dict[str, object]:
    return {"profile_id": profile, "customer_at": START + timedelta(days=days)}


def test_a_mark_of_today_adds_little_now_and_the_rest_a_horizon_later() -> None:
    events = [event("a", START, "/"), event("b", START, "/")]
    now = START + timedelta(days=40, seconds=1)

    told = ripening(events, [_won("a", 40)], now, HORIZON)["a"]

    assert told.ripe_at == START + timedelta(days=40 + HORIZON)
    assert told.rows_now >= 1
    assert told.rows_later >= 1


def test_a_mark_whose_horizon_is_over_has_nothing_to_wait_for() -> None:
    told = ripening([event("a", START, "/")], [_won("a", 20)], AS_OF, HORIZON)["a"]

    assert told.rows_later == 0
    assert told.ripe_at < AS_OF


def test_only_usable_customers_are_told() -> None:
    events = [event("a", START, "/"), event("late", START + timedelta(days=9), "/")]

    told = ripening(events, [_won("a", 5), _won("late", 5), _won("silent", 5)], AS_OF)

    assert set(told) == {"a"}


def test_what_a_customer_who_came_lately_adds_can_be_written_down() -> None:
    now = START + timedelta(days=9)

    told = ripening([event("a", START, "/")], [_won("a", 8)], now, HORIZON)["a"]

    assert told.rows_later > 0
    assert json.loads(json.dumps(told[:2])) == [told.rows_now, told.rows_later]


@pytest.mark.parametrize("days", [3, 9, 40, 75])
def test_what_was_promised_is_there_when_it_is_ripe(days: int) -> None:
    events, customers = [event("a", START, "/")], [_won("a", days)]
    now = START + timedelta(days=days, seconds=1)
    log = read_events(events)

    told = ripening(events, customers, now, HORIZON)["a"]

    then = read_time(told.ripe_at)
    later = make_complete_rows(log, read_wins(log, customers, then), then, HORIZON)
    before = make_complete_rows(log, read_wins(log, customers, then), read_time(now), HORIZON)
    assert told.rows_later == max(0, len(later.who) - len(before.who))
