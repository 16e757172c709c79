"""Commands that run processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from connector.commands.shown import guarded
from connector.runtime.lifeline import Lifeline
from connector.settings import current, missing_for_procfile

strict = click.option(
    "--strict", is_flag=True, help="Refuse to start without database, Redis and keys set."
)


def _check(own: Any, *, is_strict: bool) -> None:
    missing = missing_for_procfile(own) if is_strict else []
    if missing:
        click.echo(f"error: set {', '.join(missing)} before starting this process", err=True)
        sys.exit(1)


def _process(name: str, text: str, run: Callable[[Any, Lifeline], Any]) -> click.Command:
    @click.command(name, help=text)
    @strict
    @guarded
    def command(*, strict: bool) -> None:
        own = current()
        _check(own, is_strict=strict)
        run(own, Lifeline.from_environment())

    return command


def _web(own: Any, lifeline: Lifeline) -> None:
    from connector.runtime.web import run_web  # noqa: PLC0415 - granian is for this process only

    run_web(own, lifeline)


def _worker(own: Any, lifeline: Lifeline) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # it scores in numpy alone
    from connector.runtime.worker import run_worker  # noqa: PLC0415

    run_worker(own, lifeline)


def _trainer(own: Any, lifeline: Lifeline) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # with more one fit takes three times as long
    from connector.runtime.worker import run_trainer  # noqa: PLC0415

    run_trainer(own, lifeline)


def _clock(own: Any, lifeline: Lifeline) -> None:
    from connector.runtime.clock import run_clock  # noqa: PLC0415

    run_clock(own, lifeline)


web = _process("web", "Serve webhooks and the API.", _web)
worker = _process("worker", "Work jobs off; finds what waits in SQL by itself.", _worker)
trainer = _process("trainer", "Learn models from those who became customers.", _trainer)
clock = _process("clock", "Wake workers for what waits, and keep house.", _clock)


@click.command()
@strict
@guarded
def migrate(*, strict: bool) -> None:
    """Bring the database to the newest schema."""
    own = current()
    _check(own, is_strict=strict)
    from connector.store.migrate import upgrade  # noqa: PLC0415 - loads SQLAlchemy

    upgrade(own.database_url)
    click.echo("the database has the newest schema")


@click.command()
@guarded
def up() -> None:
    """Run everything: web, worker, trainer, clock and an embedded Valkey, until Ctrl-C."""
    from connector.runtime.up import run_up  # noqa: PLC0415

    sys.exit(run_up(current()))


COMMANDS = (web, worker, trainer, clock, migrate, up)
