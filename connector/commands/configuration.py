"""Commands that take the pipeline and the mappings out as YAML, and put them in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import yaml

from connector import bootstrap
from connector.commands.chosen import only_account, only_connection
from connector.commands.shown import as_json, guarded, show, table
from connector.domain.errors import ConnectorError
from connector.domain.slots import check as check_pipeline
from connector.mapping.document import check
from connector.mapping.pipelines import dump_pipeline, parse_pipeline
from connector.mapping.places import load_yaml
from connector.pipeline import configuring, documents

if TYPE_CHECKING:
    from connector.domain.slots import Pipeline
    from connector.mapping.lookup import Lookup
    from connector.pipeline.services import Services
    from connector.stored import Account, Connection

_SHOWN = 20
file_argument = click.argument("path", metavar="FILE")
target_argument = click.argument("path", metavar="[FILE]", default="-")
dry_run_option = click.option("--dry-run", is_flag=True, help="Check it, and keep nothing.")
connection_option = click.option("--connection", "connection_id", help="Which; if there are more.")
account_option = click.option("--account", "account_id", help="Whose; if there are more.")


@click.group()
def mapping() -> None:
    """Take a connection's mapping out, or put one in."""


@mapping.command("export")
@target_argument
@connection_option
@as_json
@guarded
def export_mapping(path: str, connection_id: str | None, *, json_: bool) -> None:
    """Write a mapping as YAML to a file, or to stdout."""
    services = bootstrap.services()
    document = documents.current(services, only_connection(services, connection_id))
    write_file(path, document, _yaml(document), json_=json_)


@mapping.command("import")
@file_argument
@connection_option
@dry_run_option
@click.option("--reevaluate", is_flag=True, help="Move what is known already, as one batch.")
@as_json
@guarded
def import_mapping(
    path: str, connection_id: str | None, *, dry_run: bool, reevaluate: bool, json_: bool
) -> None:
    """Keep a mapping; what is known already moves only with --reevaluate."""
    services = bootstrap.services()
    connection = only_connection(services, connection_id)
    wanted = load_yaml(read_file(path))
    told = documents.save(services, connection, wanted, dry_run=dry_run, reevaluate=reevaluate)
    verb = "moved" if told["batch_id"] else "would move with --reevaluate"
    saved = "nothing was kept" if dry_run else f"version {told['version']} counts now"
    rows = told["items"][:_SHOWN]
    listed = table(rows, ["profile_id", "from", "to"], "nobody")
    show(
        {**told, "dry_run": dry_run},
        f"{saved}; {told['would_move']} {verb}:\n{listed}",
        json_=json_,
    )


@click.group()
def pipeline() -> None:
    """Take an account's pipeline out, or put one in."""


@pipeline.command("export")
@target_argument
@account_option
@as_json
@guarded
def export_pipeline(path: str, account_id: str | None, *, json_: bool) -> None:
    """Write a pipeline as YAML to a file, or to stdout."""
    document = dump_pipeline(only_account(bootstrap.services(), account_id).pipeline)
    write_file(path, document, _yaml(document), json_=json_)


@pipeline.command("import")
@file_argument
@account_option
@dry_run_option
@as_json
@guarded
def import_pipeline(path: str, account_id: str | None, *, dry_run: bool, json_: bool) -> None:
    """Keep a pipeline; what the file leaves out stays as it is."""
    services = bootstrap.services()
    account = only_account(services, account_id)
    wanted = parse_pipeline(load_yaml(read_file(path)), account.pipeline)
    if dry_run:
        _check(services, account, wanted)
    else:
        configuring.save_pipeline(services, account.id, wanted)
    text = "the file is fine; nothing was kept" if dry_run else "the pipeline is kept"
    result = {"account_id": account.id, "dry_run": dry_run, "pipeline": dump_pipeline(wanted)}
    show(result, text, json_=json_)


def _check(services: Services, account: Account, wanted: Pipeline) -> None:
    """Refuse a pipeline that some mapping of the account does not fit."""
    with services.store.reading() as unit:
        connections = unit.crms(account.id)
        check_pipeline(wanted, unit.rules.targets(account.id))
    configuring.check_masters(wanted, connections)
    for connection in connections:
        check(replace(_current(services, connection), pipeline=wanted))


def _current(services: Services, connection: Connection) -> Lookup:
    with services.store.reading() as unit:
        return unit.lookups(connection.account_id)[connection.id][connection.version]


def read_file(path: str) -> str:
    """Return the text of a file, or of stdin for `-`."""
    try:
        with click.open_file(path, encoding="utf-8") as file:
            return str(file.read())
    except (OSError, ValueError) as error:
        raise ConnectorError(f"{path} can't be read: {error}") from error


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def write_file(path: str, document: dict[str, Any], text: str, *, json_: bool) -> None:
    """Print a document, or write it as YAML to a file and say so."""
    if path == "-":
        show(document, text.rstrip("\n"), json_=json_)
        return
    try:
        with click.open_file(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConnectorError(f"{path} can't be written: {error}") from error
    show({"file": path}, f"written to {path}", json_=json_)


COMMANDS = (mapping, pipeline)
