"""What escalation rules are, said once more: an oracle that reads everything again each time.

It knows no window, no index and no cache, only loops over all that ever happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.pipeline.house import PIPELINE, START

RANK: dict[int | None, int] = {int(slot): n for n, slot in enumerate(PIPELINE.funnel)}
TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Law:
    """A rule as the oracle has it."""

    id: str
    page: str
    to: int
    counted: str
    within: int
    at_least: int
    cooldown: int
    once: bool
    cap: int | None
    since: datetime = START

    def document(self) -> dict[str, Any]:
        count = {"event": "page_view", "url": {"glob": f"*/{self.counted}*"}}
        condition = {"count": {**count, "within": f"{self.within}h"}, "at_least": self.at_least}
        return {
            "name": self.id,
            "trigger": {"event": "page_view", "url": {"glob": f"*/{self.page}*"}},
            "conditions": {"all": [condition]} if self.at_least else {"all": []},
            "to": self.to,
            "cooldown": f"{self.cooldown}h",
            "once": self.once,
            "daily_cap": self.cap,
        }


@dataclass(frozen=True)
class Heard:
    """An event as the oracle has it."""

    who: str
    at: datetime
    number: int
    page: str
    silent: bool
    received: datetime

    @property
    def place(self) -> tuple[datetime, int]:
        return self.at, self.number

    @property
    def live(self) -> bool:
        return not self.silent


class Oracle:
    """Everything that ever happened, read again from its beginning for every question."""

    def __init__(self, people: Mapping[str, int], rest: timedelta = 30 * DAY) -> None:
        self.rest = rest
        self.laws: dict[str, Law] = {}
        self.heard: list[Heard] = []
        self.steps: dict[str, list[tuple[datetime, int, str, int]]] = {
            one: [(START, 0, "put", slot)] for one, slot in people.items()
        }
        self.fired: list[tuple[str, str, datetime]] = []

    def moves(self, who: str) -> list[tuple[datetime, int | None, int, str]]:
        under: int | None = None
        out, found = False, []
        for when, _, kind, slot in sorted(self.steps[who]):
            before = 10 if out else under
            if kind == "put" and slot == 10:
                out = True
            elif kind != "raise" or (under in range(3, 8) and RANK[slot] > RANK[under]):
                under = slot
            after = 10 if out else under
            if after is not None and after != before:
                found.append((when, before, after, kind))
        return found

    def slot(self, who: str, at: datetime | None = None) -> int | None:
        found = [goal for when, _, goal, _ in self.moves(who) if at is None or when <= at]
        return found[-1] if found else None

    def put(self, who: str, slot: int, now: datetime, kind: str = "put") -> None:
        latest = max(when for when, *_ in self.steps[who])
        when = latest + TICK if latest >= now else now
        self.steps[who].append((when, len(self.steps[who]), kind, slot))

    def hear(self, batch: list[Heard]) -> None:
        moments = [(one, law) for one in batch if one.live for law in self.laws.values()]
        late = []
        for one in batch:
            before = [old.at for old in self.heard if old.who == one.who]
            if one.live and before and one.at < max(before):
                late.append(one)
        for old in self.heard:
            after = [one for one in late if one.who == old.who]
            if old.live and after and old.place > min(one.place for one in after):
                moments += [
                    (old, law)
                    for law in self.laws.values()
                    if law.at_least and any(one.page == law.counted for one in after)
                ]
        self.heard += batch
        order = sorted(moments, key=lambda m: (m[0].place, -RANK[m[1].to], m[1].id))
        for one, law in order:
            there = one.received >= law.since and one.page == law.page
            if there and self.says_yes(law, one.who, one.at):
                self.fire(law, one.who, one.at)

    def says_yes(self, law: Law, who: str, at: datetime) -> bool:
        then, slot = self.slot(who, at), self.slot(who)
        if then in {None, 1, 2} or slot not in range(3, 8) or RANK[law.to] <= RANK[slot]:
            return False
        for when, start, goal, kind in self.moves(who):
            back = kind == "put" and start and 10 not in {start, goal}
            if back and RANK[goal] < RANK[start] and at < when + self.rest:
                return False
        mine = [when for law_id, other, when in self.fired if (law_id, other) == (law.id, who)]
        if (law.once and mine) or any(abs(at - when) < law.cooldown * HOUR for when in mine):
            return False
        number = 0
        for one in self.heard:
            if one.who == who and one.page == law.counted:
                number += at - law.within * HOUR < one.at <= at
        days = [when.date() for law_id, _, when in self.fired if law_id == law.id]
        return number >= law.at_least and (law.cap is None or days.count(at.date()) < law.cap)

    def fire(self, law: Law, who: str, at: datetime) -> None:
        since = self.moves(who)[-1][0]
        self.steps[who].append((max(at, since + TICK), len(self.steps[who]), "raise", law.to))
        self.fired.append((law.id, who, at))

    def merge(self, loser: str, survivor: str) -> None:
        """Have two people be one from now on, with all that they did and all that moved them."""
        self.steps[survivor] += self.steps.pop(loser)
        self.heard = [replace(one, who=survivor) if one.who == loser else one for one in self.heard]
        self.fired = [
            (law, survivor if who == loser else who, when) for law, who, when in self.fired
        ]
