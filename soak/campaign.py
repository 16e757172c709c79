"""A campaign: a workload that never rests, faults drawn by a seed, and check points in between."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from simulators.hubspot.testing import Twin
from soak import compare, processes, written
from soak.backlog import NEVER, Backlog
from soak.installation import Installation, Through
from soak.processes import wait_for
from soak.servers import Postgres, Valkey
from soak.walk import Walk
from soak.workload import Workload

ORPHANS_WITHIN = 5.0
CHECK_EVERY = 60.0
FIRST_PEOPLE = 25
LEASE = 35.0  # seconds; until somebody else ends what a dead worker began


@dataclass(frozen=True)
class Plan:
    """What to run."""

    minutes: float = 10.0
    seed: int = 1
    database: Literal["sqlite", "postgres"] = "sqlite"
    through: Through = "procfile"
    disk: Literal["small", "real"] = "small"
    only: tuple[str, ...] = ()
    pace: float = 0.1
    visits: float = 0.1
    converge_within: float = 90.0
    patience: float = 1.0
    """What expected times are multiplied with; a busy machine needs more."""


@dataclass
class Campaign:
    """One run: the product, the twin, the servers, and what was found."""

    plan: Plan
    folder: Path
    twin: Twin
    own: Installation
    work: Workload
    valkey: Valkey | None = None
    postgres: Postgres | None = None
    walk: Walk | None = None
    connection: str = ""
    account: str = ""
    small_disk: bool = False
    findings: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    orphans: list[str] = field(default_factory=list)
    excuses: list[tuple[float, float]] = field(default_factory=list)
    converged: list[float] = field(default_factory=list)
    verdicts: list[compare.Verdict] = field(default_factory=list)
    say: Callable[[str], object] = print
    repeated: list[str] = field(default_factory=list)
    fault: str = ""

    def __post_init__(self) -> None:
        self.chance = random.Random(f"faults {self.plan.seed}")
        self.began = time.monotonic()
        self.resting = threading.Event()
        self.idle = threading.Event()
        self.over = threading.Event()
        self.backlog = Backlog(self.own, self.over)
        self._seen = 0
        self._frozen: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._work, name="workload", daemon=True)

    # What faults use

    def expect(self, holds: object, text: str) -> None:
        """Note a finding where an expectation does not hold."""
        if not holds:
            self.found(text)

    def found(self, text: str) -> None:
        """Note a finding, with when and during what."""
        line = f"{time.monotonic() - self.began:7.1f}s {self.fault}: {text}"
        self.findings.append(line)
        self.say(f"FINDING {line}")

    def during(self, seconds: float) -> None:
        """Let the workload go on for a while."""
        time.sleep(seconds)

    def draw(self, role: str) -> int:
        """Draw one process of a role; wait for it where the supervisor is still at it."""
        place = self.chance.random()
        if not wait_for(lambda: bool(self.own.pids(role)), 20):
            raise RuntimeError(f"no {role} is running")
        pids = self.own.pids(role)
        return pids[int(place * len(pids))]

    def kill(self, role: str, pid: int | None = None) -> None:
        """Kill one process of a role, and see that nothing of its tree outlives it for long."""
        chosen = pid if pid is not None else self.draw(role)
        family = processes.tree(chosen)
        processes.send(chosen, signal.SIGKILL)
        self.kills[role] += 1
        if not wait_for(lambda: not processes.still_alive(family), ORPHANS_WITHIN):
            for one in processes.still_alive(family):
                self.orphans.append(f"{one.pid} {' '.join(one.words[-3:])} of {role}")
                self.found(f"orphan of a killed {role}: {one.words[-3:]}")
                processes.send(one.pid, signal.SIGKILL)

    def deliveries(self, since: float) -> list[dict[str, Any]]:
        """Return the deliveries that ended after a moment (epoch seconds)."""
        rows = self.twin.world.sender.deliveries
        return [row for row in list(rows) if row["at"] >= since * 1000]

    def calls(self, since: float) -> list[dict[str, Any]]:
        """Return the calls of the API that began after a moment (epoch seconds)."""
        return [row for row in list(self.twin.world.calls) if row["at"] >= since * 1000]

    # The run

    def run(self, table: dict[str, Any]) -> None:
        """Draw faults until the time is over; a fault comes again once all have come."""
        for _ in range(FIRST_PEOPLE):
            self.work.create()
        self._thread.start()
        self.backlog.start()
        self.walking.start(self.found)
        names = self.plan.only or tuple(table)
        until = self.began + self.plan.minutes * 60
        last = time.monotonic()
        for name in self._order(names):
            if time.monotonic() >= until:
                break
            self._strike(name, table[name])
            if time.monotonic() - last > CHECK_EVERY:
                self.check()
                last = time.monotonic()
        self.check(is_last=True)

    def _order(self, names: tuple[str, ...]) -> Iterator[str]:
        while True:
            deck = list(names)
            self.chance.shuffle(deck)
            yield from deck
            if self.plan.only:
                return

    def _strike(self, name: str, row: Any) -> None:
        self.fault = name
        self.struck[name] += 1
        began = time.time()
        self.say(f"{time.monotonic() - self.began:7.1f}s {name}")
        try:
            row.act(self)
        except Exception as error:  # noqa: BLE001 - a broken fault is a finding, not the end
            self.found(f"{type(error).__name__}: {error}")
        self.heal()
        if row.repeats:
            self.excuses.append((began, time.time() + LEASE))
        if name == "freeze a worker":
            self._frozen.append(self.excuses[-1])
        self.judge_answers(row.allow)
        self.fault = f"after {name}"
        self.during(1.5)

    def heal(self) -> None:
        """Put the world right, without a hand on anything that should mend itself."""
        self.twin.clear_faults()
        self.twin.resume()
        self.twin.settings(target=self.webhook, signed_url=self.webhook, signature_offset_ms=0)
        if self.valkey is not None:
            processes.send(self.valkey.pid, signal.SIGCONT)
            if not self.valkey.answers():
                self.valkey.end(signal.SIGKILL)
                self.valkey.start()
        self.expect(self.own.ensure(), "the web server does not come back")

    def judge_answers(self, allow: frozenset[int]) -> None:
        """Every delivery is answered 2xx or 503, or not at all; else only as its fault allows."""
        rows = self.twin.world.sender.deliveries
        fresh, self._seen = rows[self._seen :], len(rows)
        odd = self.walking.odd() + Counter(
            row["status"]
            for row in fresh
            if row["status"] // 100 != 2 and row["status"] not in {0, 503} | allow
        )
        self.expect(not odd, f"deliveries were answered {dict(odd)}")
        given_up = [row for row in fresh if row["attempt"] >= 10 and row["status"] // 100 != 2]
        self.expect(not given_up, "the sender gave up: the harness must retry for longer")
        self.expect(not self.work.odd, f"the API: {Counter(self.work.odd)}")
        self.work.odd.clear()

    @property
    def walking(self) -> Walk:
        """Return the visitors' part."""
        if self.walk is None:
            raise RuntimeError("nobody has connected the platform")
        return self.walk

    @property
    def webhook(self) -> str:
        """Return where the twin sends."""
        return f"{self.own.url}/webhooks/hubspot/{self.connection}"

    # Check points

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Hold the workload while the block runs."""
        self.resting.set()
        self.walking.rest()
        self.idle.wait(60)
        try:
            yield
        finally:
            self.resting.clear()
            self.walking.go_on()

    def check(self, *, is_last: bool = False) -> None:
        """Wait until all is quiet, then compare everything."""
        self.fault = "check"
        with self.at_rest():
            began = time.monotonic()
            verdict = self._converge(began)
            taken = time.monotonic() - began
            self.converged.append(round(taken, 1))
            acked = compare.acked_events(self.twin.world.sender.deliveries)
            scene = compare.look(self.own, self.work)
            counted = compare.account_for(self.own, self.work, acked, scene.story.erased)
            verdict.lost += counted.lost
            verdict.doubled += counted.doubled
            visits = self.walking.check()
            for what in ("lost", "doubled", "diverged", "details"):
                getattr(verdict, what).extend(getattr(visits, what))
            if is_last:
                now = int(time.time() * 1000)
                known = wait_for(lambda: self.backlog.worked_off(now) != NEVER, 10)
                self.expect(known, "the inbox does not tell what is worked off")
                self.repeated = written.repeats(self.work, self.excuses, self.backlog.worked_off)
                verdict.doubled += self.repeated
                for row in written.after_opt_out(scene, self._frozen, self.backlog.worked_off):
                    self.found(f"after the opt-out: {row}")
        self.verdicts.append(verdict)
        for what in ("lost", "doubled", "diverged"):
            rows = getattr(verdict, what)
            for row in rows[:10]:
                self.found(f"{what}: {row}")
        self._stuck()
        self.say(
            f"{time.monotonic() - self.began:7.1f}s check: {len(acked)} acked, {verdict.people} "
            f"people, lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
            f"diverged {len(verdict.diverged)}, converged in {taken:.1f} s"
        )

    def _converge(self, began: float) -> compare.Verdict:
        until = began + self.plan.converge_within
        while True:
            quiet = wait_for(self.is_quiet, max(until - time.monotonic(), 0.1))
            verdict = compare.compare(compare.look(self.own, self.work), ledgers=quiet)
            if verdict.is_good and quiet:
                return verdict
            if time.monotonic() > until:
                self.expect(quiet, f"not quiet: {self.own.get('status')}")
                return verdict
            time.sleep(0.5)

    def is_quiet(self) -> bool:
        """Say whether nothing is on its way in or out."""
        if self.twin.ask("GET", "idle")["waiting"] or not self.walking.is_quiet:
            return False
        status = self.own.get("status")
        return not (status["inbox"]["pending"] or status["outbox"]["pending"])

    def _stuck(self) -> None:
        status = self.own.get("status")
        parked = list(self.own.items("outbox", state="parked"))
        self.expect(not parked, f"parked writes: {parked[:3]}")
        self.expect(not status["outbox"]["held"], "writes are held")

    def _work(self) -> None:
        while not self.over.is_set():
            if self.resting.is_set():
                self.idle.set()
                time.sleep(0.05)
                continue
            self.idle.clear()
            try:
                self.work.act()
            except Exception as error:  # noqa: BLE001 - said, and the stream goes on
                self.found(f"the workload stumbled: {type(error).__name__}: {error}")
            time.sleep(self.plan.pace)
