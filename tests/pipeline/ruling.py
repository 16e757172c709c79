"""A house whose visitors set off rules: events go in as the journeys' drain puts them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update

from connector.domain.facts import ProfileId
from connector.domain.journeys import Happened, JourneyEvent, Visitor
from connector.domain.rules.rule import Rule, RuleId
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.domain.visits import joined, seen
from connector.mapping.rules import parse_rule
from connector.pipeline.bench import Aside
from connector.pipeline.escalating import escalate
from connector.pipeline.people import rehome
from connector.pipeline.scene import Scene
from connector.pipeline.turns import leased, look, retold
from connector.pipeline.wishes import wish
from connector.store import rules as r
from connector.store.journeys import event_row
from connector.store.sql import put, upsert
from connector.store.tables_journeys import journey, visitor
from connector.store.unit import Unit
from connector.stored import OwnStep, Profile
from tests.pipeline.house import ACCOUNT, CONNECTION, PIPELINE, House

PRICING = {"event": "page_view", "url": {"glob": "*/pricing*"}}
TWICE = {"count": {**PRICING, "within": "7d"}, "at_least": 2}


class Crashed(Exception):
    """The process died inside a transaction."""


@dataclass(frozen=True, slots=True)
class Did:
    """Somebody did something at a time; the same `key` is the same event again."""

    profile_id: str
    key: str
    at: datetime
    type: str = "page_view"
    url: str = "https://example.com/pricing"
    silent: bool = False
    more: dict[str, Any] | None = None

    def event(self) -> JourneyEvent:
        return JourneyEvent(self.key, self.type, self.at, url=self.url, **(self.more or {}))


class Ruling:
    """Rules over people, in a house; they count from when they are made, or `since` then."""

    def __init__(self, house: House, since: datetime | None = None) -> None:
        self.house = house
        self.since = since

    def rule(self, rule_id: str = "", /, **document: Any) -> Rule:
        """Keep a rule, or its next version."""
        whole = {"name": "pricing", "trigger": PRICING, "to": 6, "cooldown": "30d"} | document
        parsed = parse_rule(whole, PIPELINE)
        own = RuleId(rule_id or self.house.services.new_id("rul"))
        with self.house.store.writing() as unit:
            now = self.house.clock.now()
            unit.rules.keep(ACCOUNT, _with_id(parsed, own), now, self.since)
        with self.house.store.reading() as unit:
            return unit.rules.rule(ACCOUNT, own)

    def person(self, name: str, slot: int | None = 3, **more: Any) -> str:
        """Put somebody into a slot, as the system does with whom it meets."""
        own = ProfileId(name)

        def made(scene: Scene) -> None:
            scene.put_profile(Profile(own, created_at=scene.now))
            if slot is not None:
                self._step(scene, own, slot)

        self.turn([], made)
        if more:
            self.known(Visitor(own, **more))
        return name

    def _step(self, scene: Scene, own: ProfileId, slot: int) -> None:
        step = OwnStep(
            *(scene.new_id("stp"), own, Kind.SHIFT, Actor.SYSTEM, scene.now, scene.now),
            PIPELINE.funnel,
            Slot(slot),
        )
        scene.take(step)

    def known(self, told: Visitor) -> None:
        with self.house.store.writing() as unit:
            _keep_visitor(unit, told)

    def turn(self, people: Sequence[str], act: Callable[[Scene], object]) -> None:
        """Do something with some people in one unit of work."""
        with leased(self.house.services, ACCOUNT) as fence:
            scene = look(self.house.services, ACCOUNT, [ProfileId(one) for one in people])
            act(scene)
            wish(scene, retold(scene, list(scene.profiles)))
            with self.house.store.writing(fence) as unit:
                unit.save(ACCOUNT, scene.changes, scene.now)

    def happen(
        self,
        *done: Did,
        crash: bool = False,
        aside: Aside | None = None,
        steps: Any = None,
        between: Callable[[], object] | None = None,
        joins: tuple[str, str] | None = None,
    ) -> None:
        """Keep events, then work them off in one unit of work, as the journeys' drain does.

        `between` is done after everything was read and judged, and before it is written; `joins`
        are two who become one by what happened, the second lives on.
        """
        with self.house.store.writing() as unit:
            for one in done:
                row = {"account_id": ACCOUNT, "connection_id": CONNECTION, "silent": one.silent}
                stored = event_row(one.event()) | row | {"received_at": self.house.clock.now()}
                unit.tx.execute(_new(unit, stored))
        owners = {one.key: one for one in done}
        self.work(owners, crash=crash, aside=aside, steps=steps, between=between, joins=joins)

    def work(
        self,
        owners: dict[str, Did],
        *,
        crash: bool = False,
        aside: Aside | None = None,
        steps: Any = None,
        between: Callable[[], object] | None = None,
        joins: tuple[str, str] | None = None,
    ) -> None:
        rows = [row for row in self.house.rows(journey, profile_id=None) if row.key in owners]
        happened = [
            Happened(
                *(row.id, ProfileId(owners[row.key].profile_id), owners[row.key].event()),
                *(row.received_at, row.silent),
            )
            for row in rows
        ]
        people = sorted({one.profile_id for one in happened})
        with leased(self.house.services, ACCOUNT) as fence:
            scene = look(self.house.services, ACCOUNT, [*people, *map(ProfileId, joins or ())])
            if joins:
                rehome(scene, ProfileId(joins[0]), ProfileId(joins[1]))
            if steps:
                steps(scene)
            with self.house.store.reading() as unit:
                escalate(self.house.services, unit, scene, happened, aside)
                known = unit.journeys.visitors(ACCOUNT, [*people, *map(ProfileId, joins or ())])
            if joins:
                _join_known(known, *map(ProfileId, joins))
            wish(scene, retold(scene, people))
            if between:
                between()
            with self.house.store.writing(fence) as unit:
                unit.save(ACCOUNT, scene.changes, scene.now)
                for one in happened:
                    own = update(journey).where(journey.c.id == one.id)
                    unit.tx.execute(own.values(profile_id=one.profile_id))
                    before = known.get(one.profile_id, Visitor(one.profile_id))
                    known[one.profile_id] = seen(before, one.event, one.event.occurred_at)
                for visitor_ in known.values():
                    _keep_visitor(unit, visitor_)
                if crash:
                    raise Crashed

    # What came of it

    def slot(self, name: str) -> int | None:
        with self.house.store.reading() as unit:
            found = unit.people.profile(ACCOUNT, name)
        return None if found is None or found.slot is None else int(found.slot)

    def moves(self, name: str) -> list[tuple[int | None, int, str]]:
        return [(row.start, row.goal, row.actor) for row in self.house.ledger(name)]

    def firings(self, name: str) -> list[tuple[str, datetime]]:
        rows = self.house.rows(r.firing, profile_id=name)
        return sorted((row.rule_id, row.at) for row in rows)

    def number(self, key: str) -> int:
        """Return an event's place in the order of arrival."""
        return int(self.house.rows(journey, key=key)[0].id)

    def why(self, name: str) -> list[str]:
        return sorted(row.why for row in self.house.rows(r.refusal, profile_id=name))


def _with_id(rule: Rule, own: RuleId) -> Rule:
    names = [name for name in rule.__slots__ if name != "id"]
    return Rule(own, **{name: getattr(rule, name) for name in names})


def _new(unit: Unit, row: dict[str, Any]) -> Any:

    return upsert(unit.tx, journey).values(row).on_conflict_do_nothing()


def _join_known(known: dict[ProfileId, Visitor], loser: ProfileId, survivor: ProfileId) -> None:
    if loser in known:
        known[survivor] = joined(known.get(survivor, Visitor(survivor)), known.pop(loser))


def _keep_visitor(unit: Unit, told: Visitor) -> None:
    names = ("known", "origin", "person", "first_at", "last_at", "identified_at", "verified_at")
    row = {name: getattr(told, name) for name in names} | {"reward_at": told.reward_at}
    row |= {"origin": dict(told.origin), "person": dict(told.person), "origin_at": told.origin_at}
    put(unit.tx, visitor, [row | {"profile_id": told.profile_id, "account_id": ACCOUNT}])
