"""The console script `connector`; each command's code is loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

# Command -> the file of connector.commands that it is in.
TOPICS: Mapping[str, str] = {
    "account": "connect",
    "backfill": "setup",
    "backup": "backup",
    "batches": "moves",
    "clock": "run",
    "connect": "connect",
    "connections": "setup",
    "demo": "demo",
    "doctor": "doctor",
    "held": "stuck",
    "import": "importing",
    "install": "setup",
    "mapping": "configuration",
    "migrate": "run",
    "models": "learning",
    "pause": "setup",
    "pipeline": "configuration",
    "reconcile": "setup",
    "reconsent": "moves",
    "release": "stuck",
    "replay": "stuck",
    "rescore": "learning",
    "restore": "backup",
    "report": "reports",
    "resume": "setup",
    "rollback": "learning",
    "rules": "rules",
    "target": "targets",
    "undo": "moves",
    "train": "learning",
    "trainer": "run",
    "up": "run",
    "web": "run",
    "wins": "stuck",
    "worker": "run",
}


class Topics(click.Group):
    """Commands by topic: a process that serves does not load what a set-up command needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(TOPICS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None if there is none of that name."""
        del ctx
        topic = TOPICS.get(cmd_name)
        if topic is None:
            return None
        commands = import_module(f"connector.commands.{topic}").COMMANDS
        found: click.Command = next(one for one in commands if one.name == cmd_name)
        return found


@click.group(cls=Topics)
@click.version_option(package_name="breadbutter-connector")
def main() -> None:
    """Join Bread & Butter's lead pipeline with the CRM that sales works in."""
