"""Commands that take an account's rules out as YAML, and put them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import yaml

from connector import bootstrap
from connector.commands.chosen import only_account
from connector.commands.configuration import (
    account_option,
    dry_run_option,
    file_argument,
    read_file,
    target_argument,
    write_file,
)
from connector.commands.shown import as_json, guarded, show, table
from connector.mapping.rules import load_rules
from connector.pipeline import legislating


@click.group()
def rules() -> None:
    """Take an account's escalation rules out, or put some in."""


@rules.command("export")
@target_argument
@account_option
@as_json
@guarded
def export_rules(path: str, account_id: str | None, *, json_: bool) -> None:
    """Write the rules as YAML to a file, or to stdout."""
    services = bootstrap.services()
    document = legislating.export_rules(services, only_account(services, account_id).id)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    write_file(path, document, text, json_=json_)


@rules.command("import")
@file_argument
@account_option
@dry_run_option
@as_json
@guarded
def import_rules(path: str, account_id: str | None, *, dry_run: bool, json_: bool) -> None:
    """Keep rules; those that the file leaves out stay as they are."""
    services = bootstrap.services()
    account = only_account(services, account_id)
    document = load_rules(read_file(path))
    kept, found = legislating.import_rules(services, account.id, document, dry_run=dry_run)
    rows: list[Mapping[str, Any]] = [
        {"id": one.rule.id, "name": one.rule.name, "what": one.what} for one in kept
    ]
    warnings = [
        {"rule_id": one.rule_id, "kind": one.kind, "text": one.text, "example": dict(one.example)}
        for one in found
    ]
    text = table(rows, ["id", "name", "what"], "no rules")
    lines = [f"warning: {one['rule_id']} is {one['kind']}: {one['text']}" for one in warnings]
    head = ["nothing was kept"] if dry_run else []
    result = {"dry_run": dry_run, "rules": rows, "warnings": warnings}
    show(result, "\n".join([*head, text, *lines]), json_=json_)


COMMANDS = (rules,)
