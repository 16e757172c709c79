from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import structlog
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from connector.queue import FULL, Waker, flag

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def waiting(url: str) -> list[tuple[str, list[str]]]:
    queue = Queue("work", connection=Redis.from_url(url), serializer=JSONSerializer)
    return [(str(job.func_name), list(job.args)) for job in queue.jobs]


def nobody(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/nobody.sock?db=0"


def test_signals_for_one_job_are_one_job(valkey: str) -> None:
    waker = Waker(valkey)

    assert [waker.wake("drain", "a") for _ in range(3)] == [True, True, True]
    assert waker.wake("drain", "b")
    assert waker.wake("split", "a")

    assert waiting(valkey) == [
        ("connector.jobs.drain.drain", ["a"]),
        ("connector.jobs.drain.drain", ["b"]),
        ("connector.jobs.split.split", ["a"]),
    ]


def test_a_job_that_has_begun_is_woken_again(valkey: str) -> None:
    waker = Waker(valkey)
    waker.wake("drain", "a")

    waker.clear("drain", "a")
    waker.wake("drain", "a")

    assert len(waiting(valkey)) == 2


def test_a_job_carries_ids_as_json_and_has_no_time_limit(valkey: str) -> None:
    Waker(valkey).wake("deliver", "c1")

    redis = Redis.from_url(valkey)
    (key,) = redis.keys("rq:job:*")
    stored = redis.hgetall(key)
    assert stored[b"timeout"] == b"-1"
    assert stored[b"result_ttl"] == b"0"
    assert stored[b"failure_ttl"] == b"604800"
    assert "c1" in json.dumps(Queue("work", redis, serializer=JSONSerializer).jobs[0].args)
    assert 0 < redis.ttl(flag("deliver", "c1")) <= 5


def test_a_full_queue_takes_no_more(valkey: str) -> None:
    Redis.from_url(valkey).rpush("rq:queue:work", *(str(n) for n in range(FULL)))

    assert Waker(valkey).wake("drain", "a")

    assert Redis.from_url(valkey).llen("rq:queue:work") == FULL


def test_a_job_held_off_is_not_woken(valkey: str) -> None:
    waker = Waker(valkey)

    waker.hold_off("drain", "a", 30)

    assert waker.wake("drain", "a")
    assert waiting(valkey) == []
    assert Redis.from_url(valkey).ttl(flag("drain", "a")) > 20


def test_a_dead_redis_is_said_once_and_not_asked_again_at_once(tmp_path: Path) -> None:
    waker = Waker(nobody(tmp_path))

    began = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        answers = [waker.wake("drain", str(n)) for n in range(1000)]
        answers += [waker.clear("drain", "a"), waker.ping(), Waker(nobody(tmp_path)).ping()]

    assert not any(answers)
    assert [entry["event"] for entry in logs] == ["redis_down"]
    assert time.monotonic() - began < 5


def test_a_redis_that_hangs_costs_no_more_than_a_moment(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        waker = Waker(f"unix://{tmp_path}/s?db=0")

        began = time.monotonic()
        assert not waker.wake("drain", "a")

    assert time.monotonic() - began < 5  # 0.2 s and a busy machine


def test_a_redis_that_is_back_is_said_once(
    valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.queue.ASK_AGAIN_AFTER", 0.0)
    server = valkey.partition("@")[2].partition("?")[0]
    waker = Waker(valkey.replace(server, str(tmp_path / "s")))

    with structlog.testing.capture_logs() as logs:
        assert not waker.ping()
        assert not waker.ping()
        (tmp_path / "s").symlink_to(server)
        assert waker.ping()
        assert waker.wake("drain", "a")

    assert [entry["event"] for entry in logs] == ["redis_down", "redis_back"]


def test_threads_may_share_a_waker(valkey: str) -> None:
    waker = Waker(valkey)
    waker.ping()
    answers: list[bool] = []

    def shout() -> None:
        answers.extend(waker.wake("drain", str(n)) for n in range(20))

    threads = [threading.Thread(target=shout) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [True] * 80
    assert sorted(args[0] for _, args in waiting(valkey)) == sorted(str(n) for n in range(20))


def test_a_fork_may_go_on_with_its_parents_waker(valkey: str) -> None:
    waker = Waker(valkey)
    waker.ping()

    if (child := os.fork()) == 0:
        os._exit(0 if waker.wake("drain", "child") else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert waker.wake("drain", "parent")

    assert sorted(args[0] for _, args in waiting(valkey)) == ["child", "parent"]
