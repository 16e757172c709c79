"""Faults of processes: kills, stops, restarts, doubles."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from soak import processes
from soak.processes import wait_for

if TYPE_CHECKING:
    from soak.campaign import Campaign

ACK_P99_MS = 500
DRAIN_WITHIN = 12.0
LEASE = 33.0  # seconds; longer than a lease lasts


def kill_web(c: Campaign) -> None:
    """F1: the web server is killed at a random point, three times; what it forked goes with it."""
    for _ in range(3):
        c.during(c.chance.random())
        c.kill("web")
        c.expect(c.own.ensure(), "the web server does not come back")


def kill_web_child(c: Campaign) -> None:
    """F1: a process that the web server forked is killed; the server replaces it by itself."""
    parent = c.draw("web")
    children = [one.pid for one in processes.tree(parent) if one.parent == parent]
    if children:
        processes.send(c.chance.choice(children), signal.SIGKILL)
        c.kills["web child"] += 1
    c.during(2)
    c.expect(wait_for(c.own.answers, 10 * c.plan.patience), "no answer after a child was killed")


def kill_worker(c: Campaign) -> None:
    """F2: a worker is killed in whatever it does, four times; jobs run in it, it forks none."""
    for _ in range(4):
        c.during(c.chance.random())
        c.kill("worker")
        c.own.ensure()


def kill_workers(c: Campaign) -> None:
    """F2: every worker is killed at once, and they stay away for a while."""
    for pid in c.own.pids("worker"):
        c.kill("worker", pid)
    c.during(3)


def kill_clock(c: Campaign) -> None:
    """F2: the clock is killed and stays away; workers sweep by themselves."""
    c.kill("clock")
    c.during(3)


def kill_everything(c: Campaign) -> None:
    """F1-F3: every process is killed at one moment, Valkey too."""
    for role in ("web", "worker", "clock"):
        for pid in c.own.pids(role):
            c.kill(role, pid)
    if c.valkey is not None:
        c.valkey.end(signal.SIGKILL)
        c.kills["valkey"] += 1
    c.during(2)


def kill_supervisor(c: Campaign) -> None:
    """`connector up` is killed; the whole tree ends within 5 s, and a new one takes over."""
    c.kill("up")
    c.during(1)


def stop_worker(c: Campaign) -> None:
    """F2: a worker is frozen for longer than its leases last; woken up, it does no harm."""
    pid = c.draw("worker")
    processes.send(pid, signal.SIGSTOP)
    c.during(LEASE)
    processes.send(pid, signal.SIGCONT)


def stop_clock(c: Campaign) -> None:
    """F2: the clock is frozen for 5 s; workers sweep by themselves."""
    pid = c.draw("clock")
    processes.send(pid, signal.SIGSTOP)
    c.during(5)
    processes.send(pid, signal.SIGCONT)


def stop_web(c: Campaign) -> None:
    """F1: the web server is frozen for longer than the sender waits: it delivers again."""
    family = processes.tree(c.draw("web"))
    for one in family:
        processes.send(one.pid, signal.SIGSTOP)
    c.during(6)
    for one in family:
        processes.send(one.pid, signal.SIGCONT)


def stop_valkey(c: Campaign) -> None:
    """F3: Valkey is frozen for 8 s; p99 of the acks stays below 500 ms, all are 2xx."""
    pid = c.valkey.pid if c.valkey is not None else c.draw("valkey")
    processes.send(pid, signal.SIGSTOP)
    _without_redis(c, 8)
    processes.send(pid, signal.SIGCONT)


def kill_valkey(c: Campaign) -> None:
    """F3: Valkey is killed and away for 5 s; acks go on as if nothing were."""
    c.kill("valkey", c.valkey.pid if c.valkey is not None else c.draw("valkey"))
    _without_redis(c, 5)


def _without_redis(c: Campaign, seconds: float) -> None:
    began = time.time()
    c.during(seconds)
    rows = [row for row in c.deliveries(began) if row["attempt"] == 0]
    good = sorted(row["ms"] for row in rows if row["status"] // 100 == 2)
    c.expect(len(good) == len(rows), f"{len(rows) - len(good)} of {len(rows)} not acknowledged")
    if len(good) >= 20:
        p99 = good[int(len(good) * 0.99)]
        c.expect(p99 < ACK_P99_MS * c.plan.patience, f"p99 of acks is {p99} ms without Redis")


def flush_valkey(c: Campaign) -> None:
    """F3: FLUSHALL, three times."""
    for _ in range(3):
        c.during(c.chance.random())
        if c.valkey is not None:
            c.valkey.flush()


def without_valkey(c: Campaign) -> None:
    """F4: all is started anew without any Valkey; the product works and says `degraded`."""
    for role in ("web", "worker", "clock"):
        for pid in c.own.pids(role):
            c.kill(role, pid)
    if c.valkey is not None:
        c.valkey.end(signal.SIGKILL)
    c.expect(c.own.ensure(), "the product does not start without Valkey")
    c.during(4)
    ready = c.own.outside("readyz")
    c.expect(
        ready is not None and ready.status_code == 200 and ready.json()["status"] == "degraded",
        f"/readyz without Valkey: {ready and (ready.status_code, ready.text)}",
    )
    with c.work.lock:
        record = c.work.create().id
    c.expect(
        wait_for(
            lambda: bool(c.twin.value("contacts", record, "bnb_lead_slot")), 15 * c.plan.patience
        ),
        "an edit does not arrive without Valkey",
    )


def rolling_restart(c: Campaign) -> None:
    """F15: SIGTERM to each process in turn under load; each ends in time, by itself, with 0."""
    for role in ("web", "worker", "clock"):
        for process in list(c.own.own.get(role, [])):
            family = processes.tree(process.pid)
            process.send_signal(signal.SIGTERM)
            ended = wait_for(lambda p=process: p.poll() is not None, DRAIN_WITHIN * c.plan.patience)  # type: ignore[misc]
            c.expect(ended, f"{role} does not end on SIGTERM")
            c.expect(not ended or process.returncode == 0, f"{role} ended {process.returncode}")
            c.expect(not processes.still_alive(family), f"{role} left somebody behind")
            c.expect(c.own.ensure(), f"no answer after {role} was restarted")


def restart_up(c: Campaign) -> None:
    """F15: `connector up` gets SIGTERM under load; it ends in order, with 0, and leaves nobody."""
    process = c.own.own["up"][0]
    family = processes.tree(process.pid)
    process.send_signal(signal.SIGTERM)
    ended = wait_for(lambda: process.poll() is not None, 2.5 * DRAIN_WITHIN * c.plan.patience)
    c.expect(ended and process.returncode == 0, f"`connector up` ended {process.returncode}")
    c.expect(not processes.still_alive(family), "somebody was left behind")


def two_clocks(c: Campaign) -> None:
    """F16: a second clock and a third worker run beside, with no double effect."""
    more = [c.own.spawn("clock"), c.own.spawn("worker")]
    c.during(6)
    for process in more:
        c.kill("worker" if process is more[1] else "clock", process.pid)
        process.wait()


def two_webs(c: Campaign) -> None:
    """F16: a second web server on another port takes the deliveries while the first is killed."""
    port = c.own.other_port
    second = c.own.spawn("web", CONNECTOR_PORT=str(port))
    c.expect(wait_for(lambda: c.own.answers(port), 45), "the second web server does not start")
    other = c.webhook.replace(str(c.own.port), str(port))
    c.twin.settings(target=other, signed_url=c.webhook)
    c.kill("web", c.own.pids("web")[0])
    c.own.ensure()
    c.during(2)
    c.twin.settings(target=c.webhook)
    c.kill("web", second.pid)
    second.wait()


def migrate(c: Campaign) -> None:
    """F17: the migration runs twice while events queue up without workers; nothing is lost."""
    for pid in c.own.pids("worker"):
        c.kill("worker", pid)
    c.during(1)
    codes = [c.own.migrate(), c.own.migrate()]
    c.expect(codes == [0, 0], f"migrate ended {codes}")
