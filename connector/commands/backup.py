"""Commands that keep everything in a file, and bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from connector.api.metrics import LIVING
from connector.commands.shown import as_json, guarded, show
from connector.domain.errors import ConnectorError
from connector.holder import is_dead
from connector.runtime import backup as backups
from connector.runtime.backup import Told
from connector.runtime.folder import add_keys, alone
from connector.settings import KEYS, Settings, current
from connector.store import dump
from connector.store.engine import Database

FILE = click.Path(dir_okay=False, path_type=Path)
passphrase_option = click.option(
    "--passphrase", "source", help="The file's passphrase: - for stdin, or a file it is in."
)


@click.command()
@click.argument("file", type=FILE)
@passphrase_option
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
@as_json
@guarded
def backup(file: Path, source: str | None, *, overwrite: bool, json_: bool) -> None:
    """Write database and keys into a file while everything runs."""
    own, passphrase = current(), _passphrase(source)
    database = Database(own.database_url)
    try:
        now = datetime.now(UTC)
        told = backups.save(database, own.keys, file, now, passphrase, overwrite=overwrite)
    finally:
        database.close()
    if not passphrase:
        click.echo(
            "WARNING: the secret keys are in this file, in the clear: whoever has it can read\n"
            "every token of every CRM. Keep it as you keep them, or give --passphrase.",
            err=True,
        )
    _show(file, told, {"encrypted": bool(passphrase), "bytes": file.stat().st_size}, json_=json_)


@click.command()
@click.argument("file", type=FILE)
@passphrase_option
@click.option("--replace", is_flag=True, help="Give up what the database holds now.")
@click.option("--paused", is_flag=True, help="Pause every connection: no call to any CRM.")
@click.option("--keys-to", type=FILE, help="Write the backup's keys there, to set them yourself.")
@as_json
@guarded
def restore(
    file: Path,
    source: str | None,
    keys_to: Path | None,
    *,
    replace: bool,
    paused: bool,
    json_: bool,
) -> None:
    """Bring a backup back: into an empty database, or with --replace into any."""
    own, passphrase = current(), _passphrase(source)
    told = backups.look(file, passphrase)
    database = Database(own.database_url)
    try:
        with alone(own.data_dir):
            living = dump.living(database, datetime.now(UTC) - LIVING)
            alive = [one for one in living if not is_dead(one)]
            backups.check_target(database, alive, replace=replace)
            _bring_keys(own, told.keys, keys_to)
            backups.load(database, file, told, passphrase, paused=paused)
            connections = dump.connections(database)
    finally:
        database.close()
    _show(file, told, {"connections": connections}, json_=json_)
    _advise(connections, paused=paused)


def _passphrase(source: str | None) -> str | None:
    """Read a passphrase, a line on stdin (`-`) or in a file; it never travels as an argument."""
    if source is None:
        return None
    try:
        with click.open_file(source, encoding="utf-8") as file:
            found = str(file.readline()).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise ConnectorError(f"the passphrase can't be read from {source}: {error}") from error
    if not found:
        raise ConnectorError("the passphrase is empty")
    return found


def _bring_keys(own: Settings, keys: Sequence[str], keys_to: Path | None) -> None:
    """See to it that what the backup holds can be decrypted here, before anything is replaced."""
    if keys_to is not None:
        if keys_to.exists():
            raise ConnectorError(f"{keys_to} is there already", advice="choose another name")
        add_keys(keys_to, keys)
    if set(keys) <= set(own.keys):
        return
    if "secret_keys" not in own.model_fields_set:
        add_keys(own.data_dir / KEYS, keys)
    elif keys_to is None:
        raise ConnectorError(
            "CONNECTOR_SECRET_KEYS lacks the keys that the backup was made with",
            advice="give --keys-to FILE, then set CONNECTOR_SECRET_KEYS to what is in it",
        )


def _show(file: Path, told: Told, more: dict[str, object], *, json_: bool) -> None:
    rows = sum(told.rows.values())
    result = {
        "file": str(file),
        "made_at": told.made_at,
        "revision": told.revision,
        "keys": len(told.keys),
        "rows": told.rows,
        **more,
    }
    show(result, f"{file}: {rows:,} rows and {len(told.keys)} keys of {told.made_at}", json_=json_)


def _advise(connections: Sequence[str], *, paused: bool) -> None:
    """Say what was missed since the backup and how it is learned."""
    if not connections:
        return
    click.echo("What happened since the backup is not known here. The CRMs tell it:", err=True)
    for one in connections:
        resume = f"connector resume {one} && " if paused else ""
        click.echo(f"  {resume}connector backfill {one}", err=True)


COMMANDS = (backup, restore)
