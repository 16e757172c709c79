"""Rules that the clock sets off: somebody has stood in a slot, or done nothing, for so long.

Each rule meets people in the order in which their time comes, a page at a time, and each of them
once for that time: what it decided says so. Nobody is met by a rule that is younger than the
moment, nor for one longer ago than LATEST; whoever we learn of late is met late. What came and
still waits holds back whatever is younger: it may tell that somebody was there after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import structlog

from connector.domain.errors import LeaseLost, StoreBusy
from connector.domain.facts import AccountId, ProfileId
from connector.domain.rules.decisions import Place
from connector.domain.rules.judging import in_order
from connector.domain.rules.rule import InactiveFor, Rule, RuleId, span_of
from connector.domain.slots import OPEN_TO_RULES, Pipeline, Slot, rank
from connector.pipeline.bench import Bench, Moment
from connector.pipeline.escalating import LATEST
from connector.pipeline.halving import work_off
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look, retold

if TYPE_CHECKING:
    from connector.store.leases import Fence

log = structlog.get_logger(__name__)
Person = tuple[ProfileId, datetime]


class _Due(NamedTuple):
    """A rule as it counts now, and the next people whose time has come, with since when it ran."""

    rule: Rule
    people: Sequence[Person]


def every_account(services: Services) -> None:
    """Judge whatever the clock has set off anywhere; an account at work has its turn later."""
    with services.store.reading() as unit:
        accounts = unit.accounts()
    for account in accounts:
        try:
            by_clock(services, account.id)
        except (StoreBusy, LeaseLost) as error:
            log.info("rules_by_clock_later", account_id=account.id, reason=str(error))
        except Exception:  # one account's trouble is nobody else's
            log.exception("rules_by_clock_failed", account_id=account.id)


def by_clock(services: Services, account_id: AccountId) -> int:
    """Judge whatever the clock has set off; return how many people were moved."""
    with services.store.reading() as unit:
        rules = unit.rules.index(account_id).clocks
        pipeline = unit.account(account_id).pipeline
    moved = 0
    for rule in in_order(rules, pipeline):
        place: Place | None = Place(services.now() - LATEST - span_of(rule))
        while place is not None:
            number, place = _page(services, account_id, rule.id, place)
            moved += number
    return moved


def _page(
    services: Services, account_id: AccountId, rule_id: RuleId, place: Place
) -> tuple[int, Place | None]:
    """Judge a rule for the next people; say how many were moved, and where it goes on."""
    # Asked before the lease is taken: mostly nobody's time has come.
    if not _due(services, account_id, rule_id, place):
        return 0, None
    with leased(services, account_id) as fence:
        due = _due(services, account_id, rule_id, place)
        if due is None:
            return 0, None
        moved: list[ProfileId] = []
        work_off(
            due.people,
            lambda some: moved.extend(_judge(services, account_id, fence, _Due(due.rule, some))),
            lambda one, error: _pass_over(due.rule, one, error),
        )
        last, since = due.people[-1]
    return len(moved), Place(since, last)


def _due(services: Services, account_id: AccountId, rule_id: RuleId, place: Place) -> _Due | None:
    """Return whom a rule meets next, None where that is nobody or the rule counts no more."""
    with services.store.reading() as unit:
        rule = unit.rules.index(account_id).rules.get(rule_id)
        if rule is None or not span_of(rule):
            return None
        now, span = services.now(), span_of(rule)
        behind = max(place, Place((rule.since or now) - span))
        until = unit.rules.heard_until(account_id, now) - span
        look_for = unit.rules.standing
        if isinstance(rule.trigger, InactiveFor):
            look_for = unit.rules.silent_since
        slots = _before(rule, unit.account(account_id).pipeline)
        people = look_for(account_id, rule, slots, behind, until)
    return _Due(rule, people) if people else None


def _before(rule: Rule, pipeline: Pipeline) -> list[Slot]:
    """Return the slots that a rule moves people out of."""
    own, funnel = OPEN_TO_RULES | {Slot.QUALIFIED}, pipeline.funnel
    return sorted(slot for slot in own if rank(funnel, slot) < rank(funnel, rule.to))


def _judge(services: Services, account_id: AccountId, fence: Fence, due: _Due) -> set[ProfileId]:
    """Judge a rule for some people in one unit of work; return who was moved."""
    scene = look(services, account_id, [one for one, _ in due.people])
    moments = [
        Moment(since + span_of(due.rule), order, one, (due.rule,))
        for order, (one, since) in enumerate(due.people)
    ]
    with services.store.reading() as unit:
        moved = Bench(services, unit, scene).judge_alone(moments)
    conclude(services, account_id, fence, scene, retold(scene, sorted(moved)))
    return moved


def _pass_over(rule: Rule, one: Person, error: Exception) -> None:
    log.error("rule_by_clock_failed", rule_id=rule.id, profile_id=one[0], exc_info=error)
