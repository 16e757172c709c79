"""An admin makes, changes and takes away rules; what is saved counts for what happens from now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId
from connector.domain.rules.checks import Finding, findings
from connector.domain.rules.judging import Setting
from connector.domain.rules.rule import Rule, RuleId, window
from connector.mapping.rules import dump_rule, dump_span, parse_rule, parse_rules
from connector.mapping.table import PEOPLE
from connector.pipeline.services import Services

if TYPE_CHECKING:
    from connector.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one rule of a file: made, changed or the same."""

    rule: Rule
    what: str


def listed(services: Services, account_id: AccountId) -> list[tuple[Rule, list[Finding]]]:
    """Return the account's rules, each with what is wrong with it."""
    with services.store.reading() as unit:
        rules = unit.rules.rules(account_id)
        told = _findings(services, unit, account_id, rules)
    return [(rule, [one for one in told if one.rule_id == rule.id]) for rule in rules]


def _findings(
    services: Services, unit: Unit, account_id: AccountId, rules: Sequence[Rule]
) -> list[Finding]:
    setting = Setting(unit.account(account_id).pipeline, services.rules_rest)
    lookups, crms = unit.lookups(account_id), unit.crms(account_id)
    mappings = [lookups[one.id][one.version].mapping for one in crms]
    fields = {name for one in mappings for kind in PEOPLE for name in one.names(kind)}
    return findings(rules, setting, fields if crms else None)


def shown(services: Services, account_id: AccountId, rule_id: str) -> tuple[Rule, list[Finding]]:
    """Return a rule with what is wrong with it. Raises NotFound."""
    with services.store.reading() as unit:
        own = unit.rules.rule(account_id, rule_id)
    return next(one for one in listed(services, account_id) if one[0].id == own.id)


def save(
    services: Services, account_id: AccountId, document: object, rule_id: str | None = None
) -> tuple[Rule, list[Finding]]:
    """Keep a rule, a new one unless named; it moves nobody for what has happened.

    Raises ConfigurationRefused with every fault, NotFound.
    """
    with services.store.writing() as unit:
        wanted = parse_rule(document, unit.account(account_id).pipeline)
        known = unit.rules.rules(account_id)
        own = unit.rules.rule(account_id, rule_id).id if rule_id else None
        named = replace(wanted, id=own or RuleId(services.new_id("rul")))
        _check_names([*(one for one in known if one.id != own), named])
        _check_windows(services, [named])
        _keep(services, unit, account_id, known, named)
    return shown(services, account_id, named.id)


def delete(services: Services, account_id: AccountId, rule_id: str) -> RuleId:
    """Take a rule away; what it did stays. Raises NotFound."""
    with services.store.writing() as unit:
        own = unit.rules.rule(account_id, rule_id)
        unit.rules.retire(account_id, own.id, services.now())
    return own.id


def import_rules(
    services: Services, account_id: AccountId, document: object, *, dry_run: bool
) -> tuple[list[Kept], list[Finding]]:
    """Keep a file of rules; one is known by its id, else by its name; others stay as they are.

    Raises ConfigurationRefused with every fault.
    """
    with services.store.writing() as unit:
        pipeline = unit.account(account_id).pipeline
        known = unit.rules.rules(account_id)
        wanted = parse_rules(document, pipeline)
        _check_ids(wanted, known)
        named = [_named(services, one, known) for one in wanted]
        ids = {one.id for one in named}
        if len(ids) < len(named):
            raise ConfigurationRefused(["rules: two rules of the file are one rule here"])
        whole = [*(one for one in known if one.id not in ids), *named]
        _check_names(whole)
        _check_windows(services, named)
        kept = [Kept(one, _what(one, known)) for one in named]
        for one in kept if not dry_run else ():
            _keep(services, unit, account_id, known, one.rule)
        found = _findings(services, unit, account_id, whole)
    return kept, found


def export_rules(services: Services, account_id: AccountId) -> dict[str, object]:
    """Return the account's rules as a file holds them."""
    with services.store.reading() as unit:
        rules = unit.rules.rules(account_id)
    return {"rules": [{"id": one.id, **dump_rule(one)} for one in rules]}


def _keep(
    services: Services, unit: Unit, account_id: AccountId, known: Sequence[Rule], rule: Rule
) -> str:
    """Store a rule, unless it is what it was; say what became of it."""
    what = _what(rule, known)
    if what != "same":
        unit.rules.keep(account_id, rule, services.now(), _since(services, rule, known))
    return what


def _since(services: Services, rule: Rule, known: Sequence[Rule]) -> datetime:
    """Return since when a rule counts: what only names or limits it otherwise skips nobody."""
    before = next((one for one in known if one.id == rule.id), None)
    if before is None or before.since is None or rule.enabled > before.enabled:
        return services.now()
    return before.since if _meets(before) == _meets(rule) else services.now()


def _meets(rule: Rule) -> tuple[object, ...]:
    return rule.trigger, rule.condition, rule.to


def _what(rule: Rule, known: Sequence[Rule]) -> str:
    before = next((one for one in known if one.id == rule.id), None)
    if before is None:
        return "made"
    return "same" if dump_rule(before) == dump_rule(rule) else "changed"


def _named(services: Services, rule: Rule, known: Sequence[Rule]) -> Rule:
    """Give a rule of a file its id: its own, that of the rule of its name, or a new one."""
    same = (one.id for one in known if one.name == rule.name)
    own = rule.id or next(same, None) or RuleId(services.new_id("rul"))
    return replace(rule, id=own)


def _check_ids(wanted: Sequence[Rule], known: Sequence[Rule]) -> None:
    """Refuse an id that no rule has: it may be another account's."""
    strange = sorted({one.id for one in wanted if one.id} - {rule.id for rule in known})
    if strange:
        faults = [f"rules: there is no rule {one}: leave its id out" for one in strange]
        raise ConfigurationRefused(faults)


def _check_windows(services: Services, rules: Sequence[Rule]) -> None:
    """Refuse to count further back than events are kept."""
    kept = services.keeping.journeys
    faults = [
        f"conditions: {rule.name!r} counts within {dump_span(span)}, events are kept {kept.days}d"
        for rule in rules
        if (span := window(rule)) is not None and span > kept
    ]
    if faults:
        raise ConfigurationRefused(faults)


def _check_names(rules: Sequence[Rule]) -> None:
    names = [rule.name.strip().casefold() for rule in rules]
    doubled = sorted({rule.name for rule in rules if names.count(rule.name.strip().casefold()) > 1})
    if doubled:
        raise ConfigurationRefused([f"name: another rule is called {one!r}" for one in doubled])
