"""Commands that set a connection up: our fields in the CRM, its records here, calls on or off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from connector import bootstrap
from connector.commands.chosen import connection_argument, connection_of
from connector.commands.shown import as_json, guarded, read_secrets, show, table
from connector.domain.errors import ConnectorError
from connector.pipeline import backfilling, installing, operating, reconciling
from connector.ports import SetupStep
from connector.stored import Connection

Progress = Callable[[str, int], None]


@click.command("connections")
@as_json
@guarded
def list_connections(*, json_: bool) -> None:
    """List connections and how they are."""
    with bootstrap.services().store.reading() as unit:
        rows = [
            {
                "connection_id": one.id,
                "account_id": one.account_id,
                "system": one.system,
                "portal": one.portal,
                "state": one.state,
                "reason": one.reason,
            }
            for one in unit.connections()
        ]
    names = ["connection_id", "account_id", "system", "portal", "state", "reason"]
    show({"items": rows}, table([*rows], names, "no connections yet"), json_=json_)


@click.command()
@connection_argument
@click.option("--plan", is_flag=True, help="Say what would be done.")
@click.option("--apply", is_flag=True, help="Make our fields, or bring them up to date.")
@click.option("--destroy", is_flag=True, help="Take our fields away; with --plan only say so.")
@click.option("--drop-fields", is_flag=True, help="With --destroy: the fields and their data too.")
@click.option("--secrets", "source", help="A one-off admin token as JSON: - for stdin, or a file.")
@as_json
@guarded
def install(  # noqa: PLR0913 - one parameter an option
    connection_id: str,
    source: str | None,
    *,
    plan: bool,
    apply: bool,
    destroy: bool,
    drop_fields: bool,
    json_: bool,
) -> None:
    """Install our fields in a CRM, or take them away; doing it twice changes nothing."""
    _check_flags(plan=plan, apply=apply, destroy=destroy, drop_fields=drop_fields)
    services = bootstrap.services()
    connection_of(services, connection_id)
    token = _token(source)
    if destroy:
        steps = installing.uninstall(
            services, connection_id, apply=not plan, drop_fields=drop_fields, token=token
        )
    else:
        steps = installing.install(services, connection_id, apply=apply, token=token)
    _show_steps(connection_id, steps, applied=not plan, json_=json_)


def _check_flags(*, plan: bool, apply: bool, destroy: bool, drop_fields: bool) -> None:
    if [plan, apply, destroy].count(True) != 1 and not (plan and destroy and not apply):
        raise ConnectorError("choose one of --plan, --apply, --destroy (or --plan --destroy)")
    if drop_fields and not destroy:
        raise ConnectorError("--drop-fields goes with --destroy only")


def _token(source: str | None) -> str | None:
    if source is None:
        return None
    token = read_secrets(source).get("access_token")
    if not token:
        raise ConnectorError('the secrets must hold a token: {"access_token": "..."}')
    return token


def _show_steps(connection_id: str, steps: list[SetupStep], *, applied: bool, json_: bool) -> None:
    rows = [{"what": one.what, "action": one.action, "done": one.done} for one in steps]
    text = table([*rows], ["action", "what"], "nothing to do")
    if not applied:
        text += "\nthis was the plan only: nothing was changed"
    show({"connection_id": connection_id, "applied": applied, "steps": rows}, text, json_=json_)


@click.command()
@connection_argument
@as_json
@guarded
def backfill(connection_id: str, *, json_: bool) -> None:
    """Read every existing record once, silently; goes on where it was stopped."""
    services = bootstrap.services()
    connection_of(services, connection_id)
    with _bars() as progress:
        counts = backfilling.backfill(services, connection_id, progress)
    text = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    show({"connection_id": connection_id, "records": counts}, f"read {text}", json_=json_)


@click.command()
@connection_argument
@as_json
@guarded
def reconcile(connection_id: str, *, json_: bool) -> None:
    """Find what webhooks missed, in one pass over what changed and what was deleted."""
    services = bootstrap.services()
    connection_of(services, connection_id)
    with _bars() as progress:
        found = reconciling.reconcile(services, connection_id, progress)
    result = {"connection_id": connection_id, "differed": found}
    show(result, f"{found} records differed", json_=json_)


@contextmanager
def _bars() -> Iterator[Progress]:
    """Show progress on stderr where a person watches."""
    if not sys.stderr.isatty():
        yield lambda _kind, _count: None
        return
    from rich.console import Console  # noqa: PLC0415 - for people at a terminal only
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("reading")
        yield lambda kind, count: bars.update(task, description=f"{kind}: {count:,} records")


@click.command()
@connection_argument
@click.option("--reason", default="", help="Why; `connector connections` shows it.")
@as_json
@guarded
def pause(connection_id: str, reason: str, *, json_: bool) -> None:
    """Stop the calls to a CRM; intake and moves go on."""
    services = bootstrap.services()
    connection_of(services, connection_id)
    _show_state(operating.pause(services, connection_id, reason), json_=json_)


@click.command()
@connection_argument
@as_json
@guarded
def resume(connection_id: str, *, json_: bool) -> None:
    """Call a CRM again."""
    services = bootstrap.services()
    connection_of(services, connection_id)
    _show_state(operating.resume(services, connection_id), json_=json_)


def _show_state(connection: Connection, *, json_: bool) -> None:
    result = {"connection_id": connection.id, "state": connection.state}
    show(result, f"{connection.id} is {connection.state}", json_=json_)


COMMANDS = (list_connections, install, backfill, reconcile, pause, resume)
