"""Escalation rules: made, changed, tried on the past, and what they decided."""

from datetime import date, datetime

from pydantic import Field

from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, Body, Document, ListQuery, Nothing, Page
from connector.domain.rules.checks import Finding
from connector.domain.rules.rule import Rule
from connector.mapping.rules import dump_rule
from connector.pipeline import backtesting, legislating, recounting

_LONGEST = 3650
_MOST = 10_000


class FindingAnswer(Answer):
    """Why a rule never moves anybody, with something that will set it off in vain."""

    rule_id: str
    kind: str
    text: str
    example: dict[str, object]
    by: str | None


class Findings(Page[FindingAnswer]):
    """What is wrong with the rules that are switched on."""


class RuleAnswer(Answer):
    """A rule as it counts now; `warnings` say why it never moves anybody."""

    id: str
    version: int
    name: str
    enabled: bool
    trigger: dict[str, object]
    conditions: dict[str, object]
    to: int
    actions: list[str]
    cooldown: str
    once: bool
    daily_cap: int | None
    since: datetime | None
    warnings: list[FindingAnswer]


class Rules(Page[RuleAnswer]):
    """A page of rules."""


class DeletedRule(Answer):
    """A rule that counts no more; what it did stays."""

    id: str
    deleted: bool = True


class BacktestBody(Body):
    """How far back to look."""

    days: int = Field(default=90, ge=1, le=_LONGEST, strict=True)


class WouldAnswer(Answer):
    """A move that the rule would have made; `became` is the slot the person stands in today."""

    profile_id: str
    at: datetime
    start: int = Field(serialization_alias="from")
    to: int
    became: int


class Backtest(Answer):
    """How many moves a rule would have made, and the first 1,000 of them in order of time."""

    would_move: int
    items: list[WouldAnswer]


class DecisionAnswer(Answer):
    """A rule moved somebody, or (the last time for each person) did not, and why."""

    profile_id: str
    at: datetime
    version: int
    moved: bool
    why: str | None = None
    detail: str = ""
    seen: dict[str, object] | None = None


class NoesAnswer(Answer):
    """How often a rule said no for one reason on one day in UTC."""

    day: str
    why: str
    number: int


class Decisions(Page[DecisionAnswer]):
    """A page of a rule's decisions, newest first, and its noes by day."""

    days: list[NoesAnswer]


def _finding(one: Finding) -> FindingAnswer:
    return FindingAnswer(
        rule_id=one.rule_id, kind=one.kind, text=one.text, example=dict(one.example), by=one.by
    )


def _answer(told: tuple[Rule, list[Finding]]) -> RuleAnswer:
    rule, found = told
    document = {
        **dump_rule(rule),
        "id": rule.id,
        "version": rule.version,
        "since": rule.since,
        "warnings": list(map(_finding, found)),
    }
    return RuleAnswer.model_validate(document)


class DayQuery(Body):
    """Which day, in UTC."""

    day: date


class NoAnswer(Answer):
    """A moment at which a rule did not move somebody who set it off."""

    profile_id: str
    at: datetime
    why: str
    detail: str


class Recount(Answer):
    """The noes of a day, judged by the rule as it is now: by kind, and the first 1,000 of them.

    `would_move` counts what it would not refuse now.
    """

    noes: list[NoesAnswer]
    would_move: int
    items: list[NoAnswer]


def list_rules(call: Call[ListQuery, Nothing]) -> Rules:
    """Return the account's rules."""
    page, after = sliced(legislating.listed(call.services, call.account.id), call.query)
    return Rules(items=list(map(_answer, page)), next_cursor=after)


def make_rule(call: Call[Nothing, Document]) -> RuleAnswer:
    """Make a rule; it moves nobody for what has happened already."""
    return _answer(legislating.save(call.services, call.account.id, call.body.root))


def get_rule(call: Call[Nothing, Nothing]) -> RuleAnswer:
    """Return a rule."""
    rule_id = call.places["rule_id"]
    return _answer(legislating.shown(call.services, call.account.id, rule_id))


def put_rule(call: Call[Nothing, Document]) -> RuleAnswer:
    """Change a rule: the whole document, as its next version."""
    document = {name: value for name, value in call.body.root.items() if name not in _OURS}
    rule_id = call.places["rule_id"]
    return _answer(legislating.save(call.services, call.account.id, document, rule_id))


_OURS = frozenset({"id", "version", "since", "warnings"})


def delete_rule(call: Call[Nothing, Nothing]) -> DeletedRule:
    """Take a rule away."""
    rule_id = call.places["rule_id"]
    return DeletedRule(id=legislating.delete(call.services, call.account.id, rule_id))


def check_rules(call: Call[ListQuery, Nothing]) -> Findings:
    """Return the rules that never move anybody, and why."""
    told = legislating.listed(call.services, call.account.id)
    page, after = sliced([one for _, found in told for one in found], call.query)
    return Findings(items=list(map(_finding, page)), next_cursor=after)


def backtest_rule(call: Call[Nothing, BacktestBody]) -> Backtest:
    """Say whom a rule would have moved, and move nobody."""
    rule_id = call.places["rule_id"]
    number, found = backtesting.backtest(call.services, call.account.id, rule_id, call.body.days)
    items = [
        WouldAnswer(
            profile_id=one.profile_id, at=one.at, start=one.start, to=one.to, became=one.became
        )
        for one in found
    ]
    return Backtest(would_move=number, items=items)


def list_decisions(call: Call[ListQuery, Nothing]) -> Decisions:
    """Return what a rule decided, newest first."""
    rule_id = call.places["rule_id"]
    with call.services.store.reading() as unit:
        unit.rules.rule(call.account.id, rule_id)
        fired = unit.rules.firings(call.account.id, rule_id, _MOST)
        refused = unit.rules.refusals(call.account.id, rule_id, _MOST)
        days = unit.rules.refusal_days(call.account.id, rule_id, _MOST)
    told = [
        DecisionAnswer(
            profile_id=row.profile_id, at=row.at, version=row.version, moved=True, seen=row.seen
        )
        for row in fired
    ]
    told += [
        DecisionAnswer(
            profile_id=row.profile_id,
            at=row.at,
            version=row.version,
            moved=False,
            why=row.why,
            detail=row.detail,
        )
        for row in refused
    ]
    told.sort(key=lambda one: (one.at, one.profile_id), reverse=True)
    page, after = sliced(told, call.query)
    noes = [NoesAnswer(day=row.day, why=row.why, number=row.number) for row in days]
    return Decisions(items=page, next_cursor=after, days=noes)


def recount_noes(call: Call[DayQuery, Nothing]) -> Recount:
    """Judge a rule again for what set it off on a day; nobody is moved."""
    rule_id, day = call.places["rule_id"], call.query.day
    found = recounting.noes(call.services, call.account.id, rule_id, day)
    told = day.isoformat()
    return Recount(
        noes=[NoesAnswer(day=told, why=why, number=n) for why, n in sorted(found.number.items())],
        would_move=found.yes,
        items=[
            NoAnswer(profile_id=one.profile_id, at=one.at, why=one.why, detail=one.detail)
            for one in found.shown
        ],
    )


ONE = "/rules/{rule_id}"
ROUTES = (
    Route("GET", "/rules", "List rules", list_rules, Rules, ListQuery),
    Route("POST", "/rules", "Make a rule", make_rule, RuleAnswer, body=Document, status=201),
    Route("GET", "/rules/checks", "Check rules", check_rules, Findings, ListQuery),
    Route("GET", ONE, "Get a rule", get_rule, RuleAnswer, refusals=(404,)),
    Route("PUT", ONE, "Change a rule", put_rule, RuleAnswer, body=Document, refusals=(404,)),
    Route("DELETE", ONE, "Take a rule away", delete_rule, DeletedRule, refusals=(404,)),
    Route(
        "POST",
        f"{ONE}/backtest",
        "Try a rule on the past",
        backtest_rule,
        Backtest,
        body=BacktestBody,
        refusals=(404,),
    ),
    Route(
        "GET",
        f"{ONE}/noes",
        "Work out the noes of a day once more",
        recount_noes,
        Recount,
        DayQuery,
        refusals=(404,),
    ),
    Route(
        "GET",
        f"{ONE}/decisions",
        "List what a rule decided",
        list_decisions,
        Decisions,
        ListQuery,
        refusals=(404,),
    ),
)
