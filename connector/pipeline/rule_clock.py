"""Rules that the clock sets off: somebody has stood in a slot, or done nothing, for so long.

Each rule goes through people in the order in which their time comes, a page at a time, and keeps
its place with what it decided: nobody is met twice, and nobody by a rule that is younger than the
moment. A rule that was switched off for a while goes on no further back than LATEST.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import LeaseLost, StoreBusy
from connector.domain.facts import LATEST, AccountId, ProfileId
from connector.domain.rules.decisions import Place
from connector.domain.rules.rule import InactiveFor, InSlotFor, Rule
from connector.domain.slots import OPEN_TO_RULES, Slot, rank
from connector.pipeline.bench import Bench, Moment
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look, retold

if TYPE_CHECKING:
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)


def every_account(services: Services) -> None:
    """Judge whatever the clock has set off anywhere; an account at work has its turn later."""
    with services.store.reading() as unit:
        accounts = unit.accounts()
    for account in accounts:
        try:
            by_clock(services, account.id)
        except (StoreBusy, LeaseLost) as error:
            log.info("rules_by_clock_later", account_id=account.id, reason=str(error))


def by_clock(services: Services, account_id: AccountId) -> int:
    """Judge whatever the clock has set off; return how many people were moved."""
    with services.store.reading() as unit:
        rules = unit.rules.index(account_id).clocks
    moved = 0
    for rule in rules:
        more = True
        while more:
            number, more = _page(services, account_id, rule)
            moved += number
    return moved


def _page(services: Services, account_id: AccountId, rule: Rule) -> tuple[int, bool]:
    """Judge a rule for the next people; say how many were moved, and whether there are more."""
    with leased(services, account_id) as fence:
        now = services.now()
        with services.store.reading() as unit:
            place = _start(unit, account_id, rule, now)
            people = _next(unit, account_id, rule, place, now)
        if not people:
            return 0, False
        scene = look(services, account_id, [one for one, _ in people])
        span = _span(rule)
        moments = [
            Moment(since + span, order, one, (rule,)) for order, (one, since) in enumerate(people)
        ]
        with services.store.reading() as unit:
            moved = Bench(services, unit, scene).judge_alone(moments)
        last, since = people[-1]
        scene.changes.decisions.places[rule.id] = Place(since + span, last)
        conclude(services, account_id, fence, scene, retold(scene, sorted(moved)))
    return len(moved), True


def _start(unit: Unit, account_id: AccountId, rule: Rule, now: datetime) -> Place:
    """Return how far the rule has looked: never from before it was made, never far behind."""
    first = max(now - LATEST, rule.since or now)
    place = unit.rules.place(account_id, rule.id)
    return place if place is not None and place.at >= first else Place(first)


def _next(
    unit: Unit, account_id: AccountId, rule: Rule, place: Place, now: datetime
) -> Sequence[tuple[ProfileId, datetime]]:
    """Return the next people whose time has come, with since when it ran."""
    span = _span(rule)
    behind = Place(place.at - span, place.after)
    if isinstance(rule.trigger, InactiveFor):
        return unit.rules.silent_since(account_id, behind, now - span)
    funnel = unit.account(account_id).pipeline.funnel
    before = [
        slot
        for slot in OPEN_TO_RULES | {Slot.QUALIFIED}
        if rank(funnel, slot) < rank(funnel, rule.to)
    ]
    return unit.rules.standing(account_id, sorted(before), behind, now - span)


def _span(rule: Rule) -> timedelta:
    assert isinstance(rule.trigger, InSlotFor | InactiveFor), rule  # noqa: S101 - by the index
    return rule.trigger.span
