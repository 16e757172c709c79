"""Commands that bring history in from a file."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

import click

from connector import bootstrap
from connector.commands.connect import fresh_keys
from connector.commands.shown import account_option, as_json, guarded, show
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId
from connector.pipeline import importing
from connector.pipeline.hooking import hook
from connector.pipeline.services import Services
from connector.stored import Connection

Progress = Callable[[int], None]


@click.group("import")
def import_() -> None:
    """Bring history in from a file."""


@import_.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@account_option
@as_json
@guarded
def journeys(file: Path, account_id: str, *, json_: bool) -> None:
    """Take in visitors' events, NDJSON or CSV, also .gz: silently, and once per event id.

    An import that was stopped is started again: what came in stays.
    """
    services = bootstrap.services()
    connection = _sender(services, account_id)
    try:
        with _opened(file) as (raw, text), _bar(file, raw) as progress:
            lines = importing.csv_lines(text) if ".csv" in file.suffixes else text
            found = importing.import_journeys(services, connection, lines, progress)
    except (OSError, EOFError, ValueError) as error:
        raise ConnectorError(f"{file} can't be read: {error}") from error
    result = {"events": found.events, "unread": found.unread, "first_fault": found.first_fault}
    told = f"read {found.events:,} events"
    told += f"; {found.unread:,} can't be read, the first: {found.first_fault}" * bool(found.unread)
    show(result, told, json_=json_)


def _sender(services: Services, account_id: str) -> Connection:
    """Return the account's connection to the platform, made where there is none yet."""
    return hook(services, AccountId(account_id), fresh_keys(), rotate=False)[0]


@contextmanager
def _opened(file: Path) -> Iterator[tuple[IO[bytes], TextIO]]:
    with file.open("rb") as raw:
        plain = gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw
        yield raw, io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")


@contextmanager
def _bar(file: Path, raw: IO[bytes]) -> Iterator[Progress]:
    """Show on stderr, where a person watches, how far through the file we are."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console  # noqa: PLC0415 - for people at a terminal only
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("reading", total=file.stat().st_size)

        def show_progress(count: int) -> None:
            bars.update(task, completed=raw.tell(), description=f"{count:,} events")

        yield show_progress


COMMANDS = (import_,)
