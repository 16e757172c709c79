from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.runtime.conftest import House


def test_two_clocks_wake_a_job_once_and_keep_house(house: House) -> None:
    house.start_valkey()
    house.put("a")
    clocks = [house.start("clock"), house.start("clock")]

    house.wait(lambda: len(house.done("housekeeping")) == 2)
    house.wait(lambda: house.redis().llen("rq:queue:work"))
    for clock in clocks:
        clock.terminate()

    assert [clock.wait(15) for clock in clocks] == [0, 0]
    assert house.redis().llen("rq:queue:work") == 1


def test_a_clock_without_redis_goes_on(house: House) -> None:
    house.put("a")
    clock = house.start("clock")
    house.wait(lambda: "redis_down" in house.words("clock"))

    house.start_valkey()
    house.wait(lambda: house.redis().llen("rq:queue:work"))

    assert clock.poll() is None
