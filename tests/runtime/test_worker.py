"""The worker on a real Valkey: what kills an ordinary RQ worker must not stop ours."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from connector.queue import Waker, flag

if TYPE_CHECKING:
    from tests.runtime.conftest import House

MAIN = "MainThread"
SWEEPER = "sweep"


@pytest.fixture
def waker(house: House) -> Waker:
    return Waker(house.settings.redis_url, {"drain": "fakes.drain"})


def queue(house: House) -> Queue:
    return Queue("work", connection=house.redis(), serializer=JSONSerializer)


def wake(house: House, waker: Waker, key: str) -> None:
    """Signal until it is taken: a waker that has just seen an outage looks away for a second."""
    house.wait(lambda: waker.wake("drain", key))


def test_jobs_arrive_through_redis_and_survive_bad_ones(house: House, waker: Waker) -> None:
    house.start_valkey()
    worker = house.start("worker")

    queue(house).enqueue_call("fakes.drain", ("slow60",), timeout=1, result_ttl=0)
    queue(house).enqueue_call("fakes.foreign", ("x",), result_ttl=0)
    wake(house, waker, "bad")
    wake(house, waker, "exits")
    wake(house, waker, "good")
    house.wait(lambda: "good" in house.ids_done())

    assert house.ids_done() == {"good"}
    assert house.done()[0][2] == MAIN
    assert house.done("foreign") == []
    assert "foreign_job_refused" in house.words("worker")
    assert len(queue(house).failed_job_registry) == 3
    assert worker.poll() is None


def test_a_worker_leaves_the_machine_to_whoever_answers(house: House) -> None:
    worker = house.start("worker")

    own = os.getpriority(os.PRIO_PROCESS, 0)
    house.wait(lambda: os.getpriority(os.PRIO_PROCESS, worker.pid) > own)


def test_a_failing_job_is_left_alone_for_a_while(house: House, waker: Waker) -> None:
    house.start_valkey()
    house.start("worker")

    wake(house, waker, "bad")
    house.wait(lambda: house.redis().get(flag("drain", "bad")) == b"held")

    assert waker.wake("drain", "bad")
    assert len(queue(house)) == 0


def test_without_redis_the_worker_looks_for_itself_and_goes_back(house: House) -> None:
    house.put("early", "bad", "exits")
    house.start("worker")
    house.wait(lambda: "early" in house.ids_done())

    house.start_valkey()
    house.wait(lambda: house.redis().scard("rq:workers"))
    house.put("late")
    house.wait(lambda: "late" in house.ids_done())

    assert [row[2] for row in house.done()] == [SWEEPER, MAIN]
    assert house.words("worker").count('"redis_down"') == 1
    assert house.words("worker").count('"redis_back"') == 1


def test_redis_may_die_in_the_middle_of_waiting_and_come_back(house: House) -> None:
    server = house.start_valkey()
    worker = house.start("worker")
    house.wait(lambda: house.redis().client_list() and _blocked(house))

    server.kill()
    server.wait()
    house.put("meanwhile")
    house.wait(lambda: "meanwhile" in house.ids_done())
    house.start_valkey()
    house.wait(lambda: _blocked(house))
    house.put("after")
    house.wait(lambda: "after" in house.ids_done())

    assert [row[2] for row in house.done()] == [SWEEPER, MAIN]
    assert worker.poll() is None


def test_a_frozen_redis_freezes_neither_the_work_nor_the_end(house: House) -> None:
    server = house.start_valkey()
    worker = house.start("worker")
    house.wait(lambda: _blocked(house))

    server.send_signal(signal.SIGSTOP)
    house.put("meanwhile")
    house.wait(lambda: "meanwhile" in house.ids_done())
    worker.terminate()

    assert worker.wait(15) == 0
    assert "stopped_in_the_middle" not in house.words("worker")


def test_an_emptied_redis_loses_no_work(house: House, waker: Waker) -> None:
    house.start_valkey()
    house.start("worker")
    wake(house, waker, "slow0.5")
    house.wait(lambda: house.done("tried"))
    house.put("lost")
    wake(house, waker, "lost")

    house.redis().flushall()
    house.wait(lambda: house.ids_done() == {"slow0.5", "lost"})

    house.wait(lambda: house.redis().scard("rq:workers") == 1)


def test_it_ends_at_once_when_idle(house: House) -> None:
    house.start_valkey()
    worker = house.start("worker")
    house.wait(lambda: _blocked(house))

    asked = time.monotonic()
    worker.terminate()

    assert worker.wait(10) == 0
    assert time.monotonic() - asked < 5
    assert house.redis().scard("rq:workers") == 0


@pytest.mark.parametrize("thread", [MAIN, SWEEPER])
def test_it_finishes_what_it_does_before_it_ends(house: House, waker: Waker, thread: str) -> None:
    if thread == MAIN:
        house.start_valkey()
        wake(house, waker, "slow1")
    else:
        house.put("slow1")
    worker = house.start("worker")
    house.wait(lambda: house.done("tried"))

    worker.terminate()

    assert worker.wait(15) == 0
    assert [row[1:3] for row in house.done()] == [("slow1", thread)]


def _blocked(house: House) -> bool:
    return any("b" in client["flags"] for client in house.redis().client_list())
