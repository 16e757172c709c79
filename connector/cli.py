"""The console script `connector`."""

from __future__ import annotations

import click

from connector.commands import (
    configuration,
    connect,
    demo,
    doctor,
    moves,
    run,
    setup,
    stuck,
)


@click.group()
@click.version_option(package_name="breadbutter-connector")
def main() -> None:
    """Join Bread & Butter's lead pipeline with the CRM that sales works in."""


for topic in (run, demo, connect, setup, configuration, moves, stuck, doctor):
    for command in topic.COMMANDS:
        main.add_command(command)
