"""A CRM that fails now and then is left alone for a moment, and longer only while nothing works."""

from __future__ import annotations

from itertools import count

from connector.domain.errors import CrmDown
from tests.pipeline.acts import lead
from tests.pipeline.crm import Call, Trouble
from tests.pipeline.house import House

DOWN = Trouble(CrmDown("502"))


def rested(house: House) -> float:
    """Deliver, wait as long as the CRM is left alone, and return for how long."""
    house.deliver()
    until = house.connection().rest_until
    seconds = (until - house.clock.now()).total_seconds() if until else 0.0
    house.clock.pass_(seconds + 0.1)
    return seconds


def test_a_crm_that_fails_again_and_again_is_left_alone_for_longer(house: House) -> None:
    house.raise_(lead(house), 7)
    house.crm.trouble["write"].extend([DOWN, DOWN, DOWN])

    assert [round(rested(house)) for _ in range(4)] == [1, 2, 5, 0]
    assert house.connection().failures == 0


def test_a_crm_that_does_something_between_failures_is_not(house: House) -> None:
    lead(house)

    waits = []
    for slot in ("7", "5", "7", "5"):
        house.crm.edit("11", bnb_set_slot=slot)
        house.clock.pass_(1)
        house.hear()
        fail_at_second(house)
        waits.append(round(rested(house)))

    assert waits == [1, 1, 1, 1]


def fail_at_second(house: House) -> None:
    """Have the second call from now on fail: by then one piece of work is done."""
    calls = count(1)

    def second(_: Call) -> None:
        if next(calls) == 2:
            raise DOWN.error

    house.crm.before = second
