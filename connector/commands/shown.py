"""How every command speaks: a line for people, or JSON; errors that say what to do next."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from connector import logs
from connector.domain.errors import ConfigurationRefused, ConnectorError
from connector.settings import current

P = ParamSpec("P")
T = TypeVar("T")

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")
account_option = click.option("--account", "account_id", required=True, help="The account's id.")


def show(result: Any, text: str, *, json_: bool) -> None:
    """Print a result as JSON, or as a line for people."""
    click.echo(json.dumps(result) if json_ else text)


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Turn our errors into one line on stderr and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            logs.configure(current())
            return command(*args, **kwargs)
        except ConfigurationRefused as error:
            for fault in error.faults:
                click.echo(f"error: {fault}", err=True)
        except ConnectorError as error:
            click.echo(f"error: {error}", err=True)
        sys.exit(1)

    return run


def read_secrets(source: str) -> dict[str, str]:
    """Read secrets as a JSON object from stdin (`-`) or a file; they never travel as arguments."""
    try:
        with click.open_file(source, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise ConnectorError(f"the secrets can't be read from {source}: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
        raise ConnectorError(
            'the secrets must be a JSON object of texts, like {"access_token": "..."}'
        )
    return document


def table(rows: list[Mapping[str, Any]], names: list[str], empty: str) -> str:
    """Return rows as aligned columns."""
    if not rows:
        return empty
    cells = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
